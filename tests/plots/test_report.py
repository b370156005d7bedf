"""The report: one HTML page from any counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import TEXT

HOSTILE = """<script>alert("1")</script>'"&amp;<img src=x onerror=alert(1)>"""
ARABIC = "\N{ARABIC LETTER SEEN}\N{ARABIC LETTER LAM}\N{ARABIC LETTER ALEF}\N{ARABIC LETTER MEEM}"
VOID = {"meta", "base", "br", "path", "use", "rect", "img"}


class Page(HTMLParser):
    """The elements, attributes and texts of a page; raises if elements are not balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element without content."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record a text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All texts, without line breaks."""
        return " ".join(" ".join(self.texts).split())


def daily(
    *numbers: Any, engagement_type: str = "impressions", post: str = "1060976163948904448"
) -> Any:
    """Return counts of consecutive days from 1 March 2026 on, which is a Sunday."""
    days = pd.date_range("2026-03-01", periods=len(numbers), unit="us")
    frame = pd.DataFrame(
        {"post_id": post, "engagement_type": engagement_type, "day": days, "count": list(numbers)}
    ).astype({"post_id": TEXT, "engagement_type": "category", "count": "Int64"})
    end = days[-1] + pd.Timedelta(days=1)
    frame.attrs = {"start": "2026-03-01T00:00:00Z", "end": f"{end:%FT%TZ}"}
    return frame


@pytest.fixture(scope="module")
def bakery() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return two weeks and a day of the sandbox: counts, posts and omissions."""
    with ep.demo_client(now="2026-04-15T12:20:00Z") as demo:
        request = ep.historical(
            demo.posts,
            engagement_types=["impressions", "engagements", "url_clicks"],
            window=ep.Window.covering("2026-03-28", "2026-04-12"),
        )
        responses = demo.client.fetch(request)
        return ep.flatten(responses), demo.posts, ep.omissions(responses)


@pytest.mark.slow
def test_a_report_compares_two_periods() -> None:
    """They are the last complete days, and the same number before."""
    page = Page(str(ep.report(daily(9, 10, 20, 40, 20), period="2d")))
    assert "4 Mar 2026 to 5 Mar 2026 (UTC), against the 2 days before; 1 post" in page.text
    assert "impressions 60 +100 % 30" in page.text


@pytest.mark.slow
def test_missing_counts_are_not_zero() -> None:
    """Totals report them, and a change of incomplete periods has a star."""
    page = Page(str(ep.report(daily(10, 20, 40, pd.NA), period=2)))
    assert "impressions 40 +33.3 % * 30 1" in page.text
    assert (
        "Counts that the totals lack: 1 of impressions. A missing count is not zero." in page.text
    )
    unknown = Page(str(ep.report(daily(pd.NA, pd.NA), period=1)))
    assert "impressions – – – 1" in unknown.text  # noqa: RUF001 - a dash, not a minus


@pytest.mark.slow
def test_too_few_days_are_one_period() -> None:
    """The page has all days, and the reason."""
    page = Page(str(ep.report(daily(10, 20, 40), period="7d")))
    assert "1 Mar 2026 to 3 Mar 2026 (UTC); 1 post" in page.text
    assert "impressions 70" in page.text
    assert "The change from the period before, because the counts have 3 days up" in page.text


@pytest.mark.slow
def test_top_posts_have_links_texts_dates_and_handles(bakery: Any) -> None:
    """The first post is that of ``top_posts``."""
    counts, posts, _ = bakery
    page = str(ep.report(counts, posts, period="15d"))
    best = ep.top_posts(counts, n=1)["post_id"].iloc[0]
    row = posts.set_index("post_id").loc[best]
    created = ep.created_at(best)
    text = " ".join(row["text"].split())
    assert f'<a href="https://x.com/i/web/status/{best}">{text}</a>' in page
    assert f"<bdi>{created.day} {created:%b %Y}</bdi>, <bdi>@{row['handle']}</bdi>" in page


@pytest.mark.slow
def test_posts_without_texts_have_their_id_and_date() -> None:
    """The date is that of the ID."""
    page = Page(str(ep.report(daily(10, 20))))
    assert "Post 1060976163948904448 9 Nov 2018" in page.text


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        *(pytest.param(text, marks=pytest.mark.long) for text in (ARABIC, "a\nb", "5 $x^2$")),
    ],
)
def test_texts_are_escaped(text: str, tmp_path: Path) -> None:
    """Titles, texts, handles, types and IDs add no element and no attribute."""
    reference = Page(str(ep.report(daily(9, 20), posts_of("a", "b"), title="c", period=1)))
    page = ep.report(daily(9, 20), posts_of(text, text), tmp_path / "a.html", title=text, period=1)
    unusual = Page((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert sorted(unusual.tags) == sorted(reference.tags)
    assert {name for name, _ in unusual.attributes} == {name for name, _ in reference.attributes}
    assert unusual.text.count(" ".join(text.split())) >= 3
    assert str(page).count('dir="auto"') == 2


def posts_of(text: str, handle: str) -> pd.DataFrame:
    """Return the post of ``daily`` with a text and a handle."""
    ids = pd.Series(["1060976163948904448"], dtype=TEXT)
    return pd.DataFrame({"post_id": ids, "text": [text], "handle": [handle]})


@pytest.mark.slow
def test_types_are_escaped() -> None:
    """A type may contain markup; an invalid ID is refused."""
    ids = pd.Series(["1", "<script>"], dtype=TEXT)
    counts = pd.DataFrame({"post_id": ids, "engagement_type": ["<b>", "<b>"], "count": [1, 2]})
    page = Page(str(ep.report(counts.head(1))))
    assert page.tags.count("b") == 1  # the number on its card
    with pytest.raises(FrameError, match="not a post ID"):
        ep.report(counts)


@pytest.mark.slow
def test_half_of_a_surrogate_pair_is_a_question_mark(tmp_path: Path) -> None:
    """A text that was cut off may contain one."""
    ep.report(daily(1), path=tmp_path / "a.html", title="cut \ud83d")
    assert "<title>cut ?</title>" in (tmp_path / "a.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_page_loads_nothing(bakery: Any) -> None:
    """It has no script either."""
    page = Page(str(ep.report(bakery[0], bakery[1], omissions=bakery[2])))
    assert not {"script", "link", "img", "iframe", "object", "image"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in {"src", "srcset", "data"}]
    links = {value for name, value in page.attributes if name.endswith("href")}
    assert all(re.match(r"#|https://x\.com/i/web/status/[0-9]+$", link) for link in links)
    policy = next(value for name, value in page.attributes if name == "content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert "url(http" not in str(page)


@pytest.mark.slow
def test_a_page_is_complete_html(bakery: Any) -> None:
    """It has a character set, language, title and viewport; charts have descriptions."""
    text = str(ep.report(*bakery[:2], title="Our week"))
    assert text.startswith('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">')
    assert "<title>Our week</title>" in text
    assert 'content="width=device-width, initial-scale=1"' in text
    charts = re.findall(r"<svg[^>]*>", text)
    assert len(charts) == 4
    assert all('role="img" aria-label="' in chart for chart in charts)
    assert 'aria-label="Impressions over time; impressions per hour; time (UTC)' in text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.long
def test_a_page_is_reproducible(bakery: Any) -> None:
    """Drawing changes no setting and opens no figure."""
    before, figures = dict(mpl.rcParams), plt.get_fignums()
    pages = [str(ep.report(bakery[0], bakery[1])) for _ in range(2)]
    assert pages[0] == pages[1]
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == figures


@pytest.mark.long
def test_a_dark_style_has_no_effect(bakery: Any) -> None:
    """The page is white."""
    light = str(ep.report(bakery[0]))
    with plt.style.context("dark_background"):
        assert str(ep.report(bakery[0])) == light


@pytest.mark.slow
def test_totals_have_a_report() -> None:
    """It has charts, top posts, and the reasons for absent parts."""
    body = {"g": {"1060976163948904448": {"favorites": "7", "replies": "2"}}}
    page = Page(str(ep.report(ep.flatten_json(body))))
    assert "Totals (UTC); 1 post" in page.text
    assert "favorites 7" in page.text
    assert "The change from the period before, because the counts are totals" in page.text
    assert "Best time to post: left out, because" in page.text
    assert "Gained between readings" not in page.text
    assert page.tags.count("svg") == 2


@pytest.mark.slow
def test_readings_have_the_latest_totals_and_a_growth_chart() -> None:
    """There are two readings."""
    post = {"id": "1060976163948904448"}
    readings = [
        ep.flatten_lookup(post | {"public_metrics": {"like_count": n}}, retrieved_at=time)
        for n, time in ((5, "2026-03-01T00:00Z"), (8, "2026-03-03T00:00Z"))
    ]
    page = Page(str(ep.report(pd.concat(readings))))
    assert "favorites 8" in page.text
    assert "Gained between readings" in page.text
    assert "public metrics of a post" in page.text
    assert "2026-03-01 00:00 to 2026-03-03 00:00 (UTC)" in page.text


@pytest.mark.slow
def test_missing_data_is_listed(bakery: Any) -> None:
    """Omissions, posts without counts, partial hours and unknown windows have a line."""
    counts, posts, omissions = bakery
    page = Page(str(ep.report(counts, posts, omissions=omissions)))
    without_counts = int((~posts["post_id"].isin(counts["post_id"].unique())).sum())
    assert without_counts
    assert f"{without_counts} of {len(posts)} listed posts without any count here." in page.text
    assert "Counts of 1 post: deleted, suspended or protected." in page.text
    assert "not yet posted" not in page.text
    partial = counts.copy()
    partial.attrs["end"] = "2026-04-11T23:20:00Z"
    assert "The last hour of the counts was counted only in part." in str(ep.report(partial))
    partial.attrs = {}
    assert "Which window the counts cover" in Page(str(ep.report(partial))).text


@pytest.mark.slow
def test_a_best_time_has_a_map(post_id_at: Callable[..., str]) -> None:
    """Without evidence there is a sentence."""
    rows = []
    for week in range(12):
        for hour in range(0, 24, 3):
            time = pd.Timestamp("2026-01-05T00:10Z") + pd.Timedelta(days=7 * week, hours=hour)
            rate = 300 if hour == 9 else 20
            post = post_id_at(time.isoformat())
            rows += [(post, "impressions", 1000), (post, "engagements", rate + week)]
    counts = pd.DataFrame(rows, columns=["post_id", "engagement_type", "count"])
    page = Page(str(ep.report(counts)))
    assert "09:00 to 10:00" in page.text
    few = Page(str(ep.report(counts.head(20))))
    assert "Not enough evidence: of 10 posts" in few.text


@pytest.mark.slow
def test_days_are_local(bakery: Any) -> None:
    """Days of a period are those of the time zone."""
    page = Page(str(ep.report(bakery[0], tz="America/Los_Angeles")))
    table = ep.versus_previous(bakery[0], tz="America/Los_Angeles")
    total = table.set_index("engagement_type").loc["impressions", "count"]
    assert "4 Apr 2026 to 10 Apr 2026 (America/Los_Angeles)" in page.text
    assert f"impressions {total:,}" in page.text


@pytest.mark.slow
def test_a_page_is_written_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It replaces an older one only when it is complete."""
    target = tmp_path / "week.html"
    target.write_text("older")
    page = ep.report(daily(1, 2), path=target)
    assert target.read_text(encoding="utf-8") == str(page)

    def fail(*_: Any) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        ep.report(daily(1, 2), path=target, title="other")
    assert target.read_text(encoding="utf-8") == str(page)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.slow
def test_a_notebook_shows_the_page_without_scripts() -> None:
    """It is in a frame, and the repr is short."""
    page = ep.report(daily(1, 2), title='"A" <b>')
    assert re.fullmatch(r"HtmlPage\('\"A\" <b>', [0-9]+ kB\)", repr(page))
    frame = Page(page._repr_html_())
    assert frame.tags == ["iframe"]
    assert ("sandbox", "allow-popups") in frame.attributes
    assert dict(frame.attributes)["srcdoc"] == str(page)


@pytest.mark.parametrize("period", ["7x", "36h", 0, -1, True, "0d", None, 1.5, 10**9])
def test_an_invalid_period_is_refused(period: Any) -> None:
    """A period is a number of days."""
    with pytest.raises(FrameError, match="period is"):
        ep.report(daily(1, 2), period=period)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"posts": "week.html"}, "pass the file as path='week.html'"),
        ({"posts": [1]}, "posts must be a DataFrame"),
        ({"tz": "Europe/Nowhere"}, "no time zone"),
        ({"path": "missing/week.html"}, "cannot be written"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    """The error has the cure."""
    with pytest.raises(FrameError, match=message):
        ep.report(daily(1, 2), **arguments)


def test_an_empty_frame_has_a_report() -> None:
    """The page has the reason for absent parts."""
    page = Page(str(ep.report(daily(1).head(0))))
    assert "because there are no counts" in page.text


def days_of(post: str, engagement_type: str, number: int, first: int = 1) -> pd.DataFrame:
    """Return a count of 10 on each of these days of March 2026, all covered."""
    body = {f"2026-03-{day:02d}": "10" for day in range(first, first + number)}
    edges = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-15T00:00:00Z"}
    return ep.flatten_json({**edges, "g": {post: {engagement_type: body}}})


def concatenated(*frames: pd.DataFrame) -> pd.DataFrame:
    """Concatenate frames of counts with the same coverage."""
    counts = pd.concat(frames, ignore_index=True)
    counts["engagement_type"] = counts["engagement_type"].astype("category")
    counts = ep.counts_from(counts)
    counts.attrs = dict(frames[0].attrs)
    return counts


@pytest.mark.slow
def test_a_post_without_rows_in_the_period_is_missing() -> None:
    """One of two posts has the first week only: seven counts are missing."""
    counts = concatenated(days_of("1", "favorites", 14), days_of("2", "favorites", 7))
    text = Page(str(ep.report(counts))).text
    assert "Counts that the totals lack: 7 of favorites" in text
    assert "Nothing is missing" not in text


@pytest.mark.slow
def test_a_type_without_rows_in_the_period_is_named() -> None:
    """Its total is unknown, not zero, and its previous one is 70."""
    counts = concatenated(days_of("1", "replies", 14), days_of("1", "favorites", 7))
    text = Page(str(ep.report(counts))).text
    assert "not known of favorites" in text
    assert re.search(r"favorites \S+ \S+ 70 not known", text)


@pytest.mark.slow
def test_dates_are_those_of_the_time_zone() -> None:
    """20 to 22 h UTC on 1 March are 2 March in Tokyo."""
    hours = {"2026-03-01": {"20": "1", "21": "2"}}
    counts = ep.flatten_json({"g": {"1": {"favorites": hours}}})
    assert "2 Mar 2026 (Asia/Tokyo)" in Page(str(ep.report(counts, tz="Asia/Tokyo"))).text


@pytest.mark.slow
def test_a_chart_that_cannot_be_drawn_is_left_out() -> None:
    """Daily counts are UTC days; totals by type have no time zone."""
    page = str(ep.report(days_of("1", "favorites", 5), tz="Europe/Berlin"))
    assert "Favorites over time: left out, because" in page
    assert "<figure" in page


def test_counts_as_omissions_are_refused() -> None:
    """Nothing is written."""
    counts = days_of("1", "favorites", 5)
    with pytest.raises(FrameError):
        ep.report(counts, omissions=counts)


@pytest.mark.slow
def test_times_of_posts_may_have_fractions() -> None:
    """An invalid time is named."""
    counts = days_of("1", "favorites", 5)
    created = ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00.123Z"]
    posts = pd.DataFrame({"post_id": ["1", "2"], "created_at": created})
    assert "1 Mar 2026" in Page(str(ep.report(counts, posts))).text
    page = str(ep.report(counts, posts.assign(created_at=["yesterday", "today"])))
    assert "created_at of posts is not a column of times" in page
