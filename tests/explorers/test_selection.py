"""The selection is what the controls say: found again row by row, tidy, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer, EngagementExplorer
from engagement_pandas.explorers.controls import zones
from engagement_pandas.explorers.indexed_counts import IndexedCounts
from engagement_pandas.frame.contract import check_counts

KINDS = ("impressions", "engagements", "favorites")
ODD_ZONES = (
    "UTC",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Kiritimati",
    "America/Los_Angeles",
)
days = st.dates(date(2026, 2, 27), date(2026, 3, 7))


@pytest.fixture(scope="module")
def shared(counts: pd.DataFrame) -> Iterator[EngagementExplorer]:
    """Make one explorer, whose controls every example sets anew, and which is not drawn."""
    with closing(EngagementExplorer(counts)) as explorer, explorer.paused():
        explorer.controls["clock"].value = "time"
        yield explorer


def tidy(frame: pd.DataFrame) -> None:
    """Assert the contract, a fresh index, and a category of the types that are there."""
    check_counts(frame)
    pd.testing.assert_index_equal(frame.index, pd.RangeIndex(len(frame)), exact=True)
    assert set(frame["engagement_type"].cat.categories) == set(frame["engagement_type"])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_selection_is_what_a_filter_finds(
    shared: Any, counts: pd.DataFrame, picked: Any, ids: tuple[str, ...], data: st.DataObject
) -> None:
    """Posts, types and local days, in odd time zones."""
    posts = data.draw(st.sets(st.sampled_from(ids)))
    types = data.draw(st.sets(st.sampled_from(KINDS), min_size=1))
    tz = data.draw(st.sampled_from(ODD_ZONES))
    span = sorted(data.draw(st.tuples(days, days)))
    controls = shared.controls
    controls["posts"].value = tuple(posts)
    controls["lines"].value = "engagement_type"
    controls["types"].value = tuple(types)
    controls["tz"].value = tz
    controls["first"].value, controls["last"].value = span
    expected = picked(counts, posts=posts, types=types, days=span, tz=tz)
    pd.testing.assert_frame_equal(shared.selection, expected)
    tidy(shared.selection)
    assert shared.selection.attrs == counts.attrs


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "name", ["by day", "totals", "hours of the day", "without posts", "types alone", "empty"]
)
def test_selection_of_each_grouping(
    explore: Any, put: Any, frames: dict[str, pd.DataFrame], picked: Any, name: str
) -> None:
    """Two types; of the posts, where there are some, two."""
    counts = frames[name]
    explorer = explore(counts)
    chosen = explorer.controls["posts"].value[1:3]
    types = () if name == "empty" else ("impressions", "favorites")
    put(explorer, posts=chosen, lines="engagement_type", types=types)
    found = picked(counts, posts=chosen or None, types=types)
    pd.testing.assert_frame_equal(explorer.selection, found)
    tidy(explorer.selection)


@pytest.mark.usefixtures("undrawn")
def test_days_of_counts_by_day(
    explore: Any, put: Any, frames: dict[str, pd.DataFrame], picked: Any
) -> None:
    """The day is the UTC day of the row."""
    span = date(2026, 3, 2), date(2026, 3, 3)
    explorer = put(explore.later(frames["by day"]), first=span[0], last=span[1])
    found = picked(frames["by day"], types=["impressions"], days=span)
    assert len(found) == 8
    pd.testing.assert_frame_equal(explorer.selection, found)


@pytest.mark.usefixtures("undrawn")
def test_ages_take_no_notice_of_dates(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """Along ages each post has all its counts, whatever From and To were."""
    day = date(2026, 3, 2)
    explorer = put(explore.later(counts), first=day, last=day, clock="age")
    assert len(explorer.selection) == 200
    put(explorer, clock="time")
    assert len(explorer.selection) < 200


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (("favorites",), {"impressions", "favorites"}),
        (("impressions",), {"impressions", "engagements"}),
        (("engagements", "favorites"), set(KINDS)),
        (KINDS, set(KINDS)),
        ((), set()),
    ],
)
def test_a_rate_takes_its_impressions_along(
    explore: Any, put: Any, counts: pd.DataFrame, types: Any, expected: set[str]
) -> None:
    """Whoever chooses nothing but impressions gets engagements over them."""
    explorer = put(explore.later(counts), lines="engagement_type", measure="rate", types=types)
    assert set(explorer.selection["engagement_type"]) == expected
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
def test_a_rate_of_impressions_takes_a_type_that_was_counted(
    explore: Any, put: Any, tidy: Any, ids: tuple[str, ...]
) -> None:
    """No engagements there: the first other type."""
    day = "2026-03-03"
    rows = [(ids[0], kind, day, 1, 9) for kind in ("impressions", "favorites", "retweets")]
    explorer = put(explore.later(tidy(rows)), measure="rate", types=("impressions",))
    assert set(explorer.selection["engagement_type"]) == {"impressions", "favorites"}
    assert "favorites" in explorer.chart.label


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_a_filtered_frame_has_a_fresh_index(explore: Any, counts: pd.DataFrame, kind: Any) -> None:
    """Every second row, backwards, of three types of which two are left."""
    some = counts[counts["engagement_type"] != "favorites"].iloc[::-2]
    explorer = explore(some, kind=kind)
    if kind is EngagementExplorer:
        explorer.controls["lines"].value = "engagement_type"
        explorer.controls["types"].value = explorer.controls["types"].options
    tidy_part = explorer.selection
    tidy(tidy_part)
    assert len(tidy_part) == len(some)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
@pytest.mark.parametrize("everything", [True, False])
def test_a_selection_is_ones_own(
    explore: Any, counts: pd.DataFrame, kind: Any, *, everything: bool
) -> None:
    """Changed in place, in all that can be changed, neither explorer nor user sees it."""
    frame = counts.copy()
    explorer = explore(frame, kind=kind)
    if everything and "types" in explorer.controls:
        explorer.controls["types"].value = KINDS
    elif not everything:
        explorer.controls["posts"].value = explorer.controls["posts"].value[:2]
    before = explorer.selection
    mine = explorer.selection
    mine.loc[:, "count"] = -1
    mine.loc[mine.index[:3], "hour"] = 7
    mine["engagement_type"] = mine["engagement_type"].cat.rename_categories(str.upper)
    mine.attrs["endpoint"] = "mine"
    mine.index.name = "mine"
    mine.insert(0, "more", 1)
    del mine["day"]
    pd.testing.assert_frame_equal(explorer.selection, before)
    assert explorer.selection.attrs == counts.attrs
    pd.testing.assert_frame_equal(frame, counts)
    assert frame.attrs == counts.attrs


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_the_users_frame_stays_the_users(explore: Any, counts: pd.DataFrame, kind: Any) -> None:
    """Changed after the explorer was made, it changes nothing there."""
    frame = counts.copy()
    explorer = explore(frame, kind=kind)
    before, picture = explorer.selection, explorer.chart.label
    frame.loc[:, "count"] = -1
    frame.loc[:, "post_id"] = "20"
    frame.attrs["endpoint"] = "mine"
    del frame["hour"]
    pd.testing.assert_frame_equal(explorer.selection, before)
    assert explorer.selection.attrs == counts.attrs
    explorer.redraw()
    assert explorer.chart.label == picture


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_the_users_posts_stay_the_users(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, kind: Any
) -> None:
    """Their names were taken when the explorer was made."""
    mine = posts.copy()
    explorer = explore(counts, mine, kind=kind)
    chart, table = explorer.chart.label, explorer.table.html
    mine.loc[:, "text"] = "all the same now"
    mine.loc[:, "post_id"] = mine["post_id"].to_numpy()[::-1]
    del mine["handle"]
    explorer.redraw()
    assert (explorer.chart.label, explorer.table.html) == (chart, table)


@pytest.mark.parametrize("kind", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda frame: frame.drop(columns="count"), "lack the column 'count'"),
        (lambda frame: frame.assign(post_id=5.0), "'post_id' in row"),
        (lambda frame: frame.assign(post_id="abc"), "'abc' is not a post ID"),
        (lambda frame: pd.concat([frame, frame.iloc[:1]]), "twice"),
        (lambda frame: frame.assign(hour=np.int8(24)), "the hour 24"),
        (lambda _: [1, 2], "a DataFrame, not a list"),
    ],
    ids=["column", "number", "letters", "twice", "hour", "list"],
)
def test_no_counts_are_refused(
    counts: pd.DataFrame, widgets: Any, kind: Any, change: Any, complaint: str
) -> None:
    """With a FrameError that says what is wrong, and no widget left behind."""
    before = widgets()
    with pytest.raises(ep.FrameError, match=complaint):
        kind(change(counts.head(40)))
    assert widgets() == before


@pytest.mark.parametrize("name", ["post_id", "engagement_type"])
def test_missing_keys_are_refused(counts: pd.DataFrame, name: str) -> None:
    """A count of nobody, or of nothing, is not quietly somebody's."""
    holed = counts.head(40).copy()
    holed.loc[3, name] = None
    with pytest.raises(ep.FrameError, match=f"'{name}' is missing in row 3"):
        EngagementExplorer(holed)


@pytest.mark.parametrize(
    ("posts", "complaint"),
    [
        (pd.DataFrame({"text": ["a"]}), "no column 'post_id'"),
        (pd.DataFrame({"post_id": [7.5]}), "a float"),
        (["7"], "a DataFrame"),
    ],
    ids=["column", "number", "list"],
)
def test_no_posts_are_refused(counts: pd.DataFrame, posts: Any, complaint: str) -> None:
    """As the plots refuse them."""
    with pytest.raises(ep.FrameError, match=complaint):
        EngagementExplorer(counts, posts)


def hours_of(zone: str, first: datetime, number: int) -> pd.DataFrame:
    """Make a count of 1 in each of so many hours."""
    del zone
    moments = [first + timedelta(hours=hour) for hour in range(number)]
    frame = pd.DataFrame(
        {
            "engagement_type": pd.Categorical(["impressions"] * number),
            "day": pd.to_datetime([f"{at:%Y-%m-%d}" for at in moments]).astype("datetime64[us]"),
            "hour": np.array([at.hour for at in moments], dtype="int8"),
            "count": pd.array([1] * number, dtype="Int64"),
        }
    )
    return frame.astype({"engagement_type": "category"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tz", "day", "first", "number"),
    [
        ("UTC", date(2026, 3, 8), "2026-03-08T00:00", 24),
        ("Asia/Kolkata", date(2026, 3, 8), "2026-03-07T19:00", 24),
        ("Asia/Kathmandu", date(2026, 3, 8), "2026-03-07T19:00", 24),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00", 23),
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00", 25),
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00", 23),
        ("America/Havana", date(2026, 3, 8), "2026-03-08T05:00", 23),
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00", 25),
        ("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00", 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T13:00", 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), "2026-10-03T14:00", 23),
        ("Pacific/Kiritimati", date(2026, 3, 8), "2026-03-07T10:00", 24),
    ],
)
def test_a_local_day(tz: str, day: date, first: str, number: int) -> None:
    """By hand: from the first hour that begins in it, 23, 24 or 25 hours."""
    around = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    rows = IndexedCounts.of(hours_of(tz, around, 120)).picked(
        [], ["impressions"], first=day, last=day, tz=tz
    )
    starts = ep.timestamps(rows)
    assert (f"{starts.iloc[0]:%Y-%m-%dT%H:%M}", len(rows)) == (first, number)
    assert starts.diff().dropna().eq(pd.Timedelta(hours=1)).all()


@pytest.mark.slow
def test_local_days_of_all_zones() -> None:
    """Where the clocks change in 2026, in every zone there is, each hour is in its own day."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    moments = pd.date_range(start, periods=8760, freq="h")
    seen = set()
    frame = hours_of("", start, 8760)
    rows = IndexedCounts.of(frame)
    for tz in zones():
        local = moments.tz_convert(ZoneInfo(tz)).tz_localize(None)
        offset = (local - moments.tz_localize(None)).to_numpy()
        if offset.tobytes() in seen:
            continue
        seen.add(offset.tobytes())
        day_of = local.normalize()
        changes = np.flatnonzero(np.diff(offset))
        for change in [5, *changes]:
            for day in day_of[[change, change + 1]].unique():
                found = rows.picked([], ["impressions"], first=day.date(), last=day.date(), tz=tz)
                assert len(found) == (day_of == day).sum(), (tz, day)
                hours = ep.timestamps(found).dt.tz_convert(tz).dt.date
                assert set(hours) == {day.date()}, (tz, day)
    assert len(seen) > 60
