"""Dates with English names."""

from __future__ import annotations

import _strptime
import io
from datetime import UTC, datetime

import pytest

import engagement_pandas as ep
from engagement_pandas.sources.x_dates import DAY, MINUTE, SECOND, parse_date

ID = "2041887118438961536"
EIGHTH = datetime(2026, 4, 8, tzinfo=UTC)


@pytest.fixture(params=["en", "de"])
def _language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``strptime`` read English or German names, as after ``setlocale(LC_ALL, "")``."""
    if request.param == "de":
        names = _strptime.LocaleTime()  # type: ignore[attr-defined]
        names.a_weekday = ["mo", "di", "mi", "do", "fr", "sa", "so"]
        names.a_month = ["", *"jan feb mär apr mai jun jul aug sep okt nov dez".split()]  # noqa: SIM905
        german = _strptime.TimeRE(names)  # type: ignore[attr-defined]
        monkeypatch.setattr(_strptime, "_TimeRE_cache", german)
        monkeypatch.setattr(_strptime, "_regex_cache", {})
        assert datetime.strptime("Mi, Mai 13", "%a, %b %d").month == 5  # noqa: DTZ007


@pytest.mark.usefixtures("_language")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed, Apr 8, 2026", EIGHTH),
        ("Wed Apr 08 2026", EIGHTH),
        ("Wed, May 13, 2026", datetime(2026, 5, 13, tzinfo=UTC)),
        ("Thu, Oct 1, 2026", datetime(2026, 10, 1, tzinfo=UTC)),
        ("Wed Dec 09 22:30:07 +0000 2026", datetime(2026, 12, 9, 22, 30, 7, tzinfo=UTC)),
        ("2026-04-08 01:30 +0200", datetime(2026, 4, 7, 23, 30, tzinfo=UTC)),
        ("Mi, Apr 8, 2026", None),
        ("04 08, 2026", None),
        ("8 4 2026", None),
        ("2026-04-08", None),
        ("Wed, Feb 30, 2026", None),
        ("", None),
    ],
)
def test_names_are_read_in_any_locale(text: str, expected: datetime | None) -> None:
    """X writes them in English; no other date is taken for one of X."""
    assert parse_date(text, (*DAY, SECOND, MINUTE)) == expected


@pytest.mark.usefixtures("_language")
def test_exports_and_posts_are_read_in_any_locale() -> None:
    """Neither overviews nor the times of API v1.1 depend on the language of the process."""
    overview = 'Date,Impressions\n"Wed, May 13, 2026",7\n"Tue, Dec 1, 2026",8\n'
    days = ep.read_x_overview(io.StringIO(overview))["day"]
    assert [f"{day:%Y-%m-%d}" for day in days] == ["2026-05-13", "2026-12-01"]
    posts = f'[{{"id_str": "{ID}", "created_at": "Wed Dec 09 22:30:07 +0000 2026"}}]'
    moments = ep.read_posts(io.StringIO(posts))["created_at"]
    assert moments.to_list() == [datetime(2026, 12, 9, 22, 30, 7, tzinfo=UTC)]
