"""Overview exports of X Analytics; the files follow the specification."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.exports import PLAIN, content, overview

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.sources.x_headings import _OVERVIEW_HEADINGS

EARLY = {"Tue, Sep 15, 2026": 449, "Mon, Sep 14, 2026": 2000, "Sat, Sep 12, 2026": 1900}
LATE = {"Wed, Sep 16, 2026": 10, "Tue, Sep 15, 2026": 2320, "Mon, Sep 14, 2026": 2000}


def files(folder: Path, **texts: str) -> list[Path]:
    """Write files, and return their paths."""
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    return [folder / f"{name}.csv" for name in texts]


def impressions(days: pd.DataFrame) -> list[tuple[str, int, bool]]:
    """Return day, count and whether it is partial."""
    rows = days[days["engagement_type"] == "impressions"]
    return [
        (f"{day:%m-%d}", int(n), bool(partial))
        for day, n, partial in zip(rows["day"], rows["count"], rows["partial"], strict=True)
    ]


def test_an_overview_has_13_types_by_day(tmp_path: Path) -> None:
    """The newest day is partial, and an absent day stays absent."""
    days = ep.read_x_overview(files(tmp_path, a=overview(EARLY))[0])
    assert days.dtypes.astype(str).to_dict() == {
        "engagement_type": "category",
        "source": "category",
        "day": "datetime64[us]",
        "count": "Int64",
        "partial": "bool",
    }
    assert impressions(days) == [
        ("09-12", 1900, False),
        ("09-14", 2000, False),
        ("09-15", 449, True),
    ]
    assert days["engagement_type"].nunique() == 13
    assert {"unfollows", "posts_created"} < set(days["engagement_type"])


def test_columns_of_zeros_are_unknown(tmp_path: Path) -> None:
    """A column with another number is known."""
    days = ep.read_x_overview(files(tmp_path, a=overview(EARLY))[0])
    views = days[days["engagement_type"].isin(["video_views", "media_views"])]
    assert views["count"].isna().all()
    assert days.loc[days["engagement_type"] == "bookmarks", "count"].eq(1).all()
    counted = overview(EARLY).replace(",0,0", ",0,5", 1)
    days = ep.read_x_overview(files(tmp_path, a=counted)[0])
    assert days.loc[days["engagement_type"] == "media_views", "count"].to_list() == [0, 0, 5]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_the_later_export_has_precedence(order: tuple[str, str], tmp_path: Path) -> None:
    """The order of files has no effect."""
    paths = dict(zip("ab", files(tmp_path, a=overview(EARLY), b=overview(LATE)), strict=True))
    assert impressions(ep.read_x_overview([paths[name] for name in order])) == [
        ("09-12", 1900, False),
        ("09-14", 2000, False),
        ("09-15", 2320, False),
        ("09-16", 10, True),
    ]


@pytest.mark.slow
def test_every_language_is_read(tmp_path: Path) -> None:
    """``Date`` is English in all of them; unknown names are read by position, with a warning."""
    expected = ep.read_x_overview(files(tmp_path, a=overview(EARLY))[0])
    unknown_header = "Date," + ",".join(f"naslov {n}" for n in range(13))
    for header in _OVERVIEW_HEADINGS:
        days = ep.read_x_overview(files(tmp_path, a=overview(EARLY, header))[0])
        pd.testing.assert_frame_equal(days, expected)
    with pytest.warns(UserWarning, match="'naslov 12'] are not known and read by position") as log:
        days = ep.read_x_overview(files(tmp_path, a=overview(EARLY, unknown_header))[0])
    assert log[0].filename == __file__
    pd.testing.assert_frame_equal(days, expected)


def test_old_files_by_day_are_read(tmp_path: Path) -> None:
    """``daily_tweet_activity_metrics`` has ISO dates, and floats as text."""
    header = f"Date,Tweets published,{PLAIN}"
    text = f"{header}\n2019-05-01,3,424.0,3.0,0.007,{','.join('1.0' for _ in range(15))}\n"
    days = ep.read_x_overview(files(tmp_path, a=text)[0])
    assert impressions(days) == [("05-01", 424, True)]
    assert days.loc[days["engagement_type"] == "posts_created", "count"].to_list() == [3]
    assert set(days["source"]) == {"x_analytics_by_day"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (overview({"22/08/2026": 5}), "line 2 of .*'22/08/2026' is not a date as X writes it"),
        (content(), r"not an overview.*ep.read_x_analytics\(\)"),
        (overview(EARLY) + "\n" + overview(EARLY).splitlines()[1], "lines 2 and 5 .* same day"),
        (overview(EARLY).replace("449", "4.5"), "'Impressions' in line 2: '4.5'"),
    ],
)
def test_invalid_files_are_refused(text: str, words: str, tmp_path: Path) -> None:
    """The error has the file, the line and the cure."""
    with pytest.raises(FrameError, match=words):
        ep.read_x_overview(files(tmp_path, a=text)[0])


def test_metrics_accept_days(tmp_path: Path) -> None:
    """They are not added to counts of posts."""
    days = ep.read_x_overview(files(tmp_path, a=overview(EARLY))[0])
    weeks = ep.over_time(days[days["engagement_type"] == "impressions"], every="W")
    assert weeks["count"].to_list() == [1900, 2449]


def test_an_empty_overview_adds_nothing(tmp_path: Path) -> None:
    """The dtypes stay."""
    days = ep.read_x_overview(files(tmp_path, a=overview({}), b=overview(EARLY)))
    assert days["partial"].dtype == bool
    assert impressions(days)[-1] == ("09-15", 449, True)


@pytest.mark.parametrize("day", ["2026-09-15T23:00:00+02:00", "2026-09-15 17:00:00"])
def test_a_day_with_a_time_is_refused(day: str, tmp_path: Path) -> None:
    """Its UTC day may be another one."""
    with pytest.raises(FrameError, match=r"line 2 of .* is not a date as X writes it"):
        ep.read_x_overview(files(tmp_path, a=overview({day: 449})))


def test_the_overviews_of_two_accounts_have_a_warning(tmp_path: Path) -> None:
    """Days that were over do not change."""
    other = {"Wed, Sep 16, 2026": 1, "Mon, Sep 14, 2026": 70, "Sat, Sep 12, 2026": 80}
    with pytest.warns(UserWarning, match="differ in 2 days .* 2026-09-12.*several accounts"):
        ep.read_x_overview(files(tmp_path, a=overview(EARLY), b=overview(other)))


def test_overviews_are_not_added(tmp_path: Path) -> None:
    """A day that was partial in one of them would count double: 449 + 2320."""
    later = {day: n for day, n in LATE.items() if day not in list(EARLY)[1:]}
    parts = map(ep.read_x_overview, files(tmp_path, a=overview(EARLY), b=overview(later)))
    with pytest.raises(FrameError, match="twice"):
        ep.over_time(pd.concat(parts))


def test_days_that_were_over_are_complete(tmp_path: Path) -> None:
    """The newest day of each export is not; exports may leave days out between them."""
    old = overview({"Wed, Sep 2, 2026": 20, "Tue, Sep 1, 2026": 10})
    new = overview({"Sat, Sep 5, 2026": 50, "Fri, Sep 4, 2026": 40})
    paths = files(tmp_path, old=old, new=new)
    days = ep.read_x_overview(paths).query("engagement_type == 'impressions'")
    for frame in (days, days.convert_dtypes()):
        table = ep.over_time(frame)
        assert table["count"].fillna(-1).to_list() == [10, 20, -1, 40, 50]
        assert table["complete"].to_list() == [True, False, False, True, False]
    change = ep.versus_previous(days[~days["partial"] | (days["day"] < "2026-09-03")], days=2)
    assert change[["count", "previous", "complete"]].to_numpy().tolist() == [[40, 30, False]]


def test_the_rate_of_a_day_that_was_not_over_is_not_complete(tmp_path: Path) -> None:
    """The rate itself is that of the hours so far."""
    text = overview({"Wed, Sep 2, 2026": 20, "Tue, Sep 1, 2026": 10})
    rates = ep.rate_over_time(ep.read_x_overview(files(tmp_path, a=text)[0]))
    assert rates["complete"].to_list() == [True, False]
