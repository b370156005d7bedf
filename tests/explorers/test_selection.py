"""The selection has exactly the rows of the controls, and is an independent frame."""

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

TYPES = ("impressions", "engagements", "favorites")
UNUSUAL_ZONES = (
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
    """Make one explorer, whose controls every example sets again, without drawing."""
    with closing(EngagementExplorer(counts)) as explorer, explorer.paused():
        explorer.controls["clock"].value = "time"
        yield explorer


def assert_tidy(frame: pd.DataFrame) -> None:
    """Assert a tidy frame with a new index, and categories for its types only."""
    check_counts(frame)
    pd.testing.assert_index_equal(frame.index, pd.RangeIndex(len(frame)), exact=True)
    assert set(frame["engagement_type"].cat.categories) == set(frame["engagement_type"])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_selection_matches_a_plain_filter(
    shared: Any, counts: pd.DataFrame, filtered: Any, ids: tuple[str, ...], data: st.DataObject
) -> None:
    """Posts, types and local days are drawn, in unusual time zones."""
    posts = data.draw(st.sets(st.sampled_from(ids)))
    types = data.draw(st.sets(st.sampled_from(TYPES), min_size=1))
    tz = data.draw(st.sampled_from(UNUSUAL_ZONES))
    period = sorted(data.draw(st.tuples(days, days)))
    controls = shared.controls
    controls["posts"].value = tuple(posts)
    controls["lines"].value = "engagement_type"
    controls["types"].value = tuple(types)
    controls["tz"].value = tz
    controls["first"].value, controls["last"].value = period
    expected = filtered(counts, posts=posts, types=types, days=period, tz=tz)
    pd.testing.assert_frame_equal(shared.selection, expected)
    assert_tidy(shared.selection)
    assert shared.selection.attrs == counts.attrs


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize(
    "name", ["by day", "totals", "hours of the day", "without posts", "types alone", "empty"]
)
def test_each_grouping_has_the_selected_rows(
    explore: Any, set_controls: Any, frames: dict[str, pd.DataFrame], filtered: Any, name: str
) -> None:
    """Two types and, if there are posts, two posts are selected."""
    counts = frames[name]
    explorer = explore(counts)
    two_posts = explorer.controls["posts"].value[1:3]
    types = () if name == "empty" else ("impressions", "favorites")
    set_controls(explorer, posts=two_posts, lines="engagement_type", types=types)
    rows = filtered(counts, posts=two_posts or None, types=types)
    pd.testing.assert_frame_equal(explorer.selection, rows)
    assert_tidy(explorer.selection)


@pytest.mark.usefixtures("fake_drawing")
def test_counts_by_day_have_utc_days(
    explore: Any, set_controls: Any, frames: dict[str, pd.DataFrame], filtered: Any
) -> None:
    """The day of a row is selected as it is."""
    period = date(2026, 3, 2), date(2026, 3, 3)
    explorer = set_controls(
        explore.without_drawing(frames["by day"]), first=period[0], last=period[1]
    )
    rows = filtered(frames["by day"], types=["impressions"], days=period)
    assert len(rows) == 8
    pd.testing.assert_frame_equal(explorer.selection, rows)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_ages_ignore_the_dates(explore: Any, set_controls: Any, counts: pd.DataFrame) -> None:
    """Each post has all its counts, for any From and To."""
    day = date(2026, 3, 2)
    explorer = set_controls(explore.without_drawing(counts), first=day, last=day, clock="age")
    assert len(explorer.selection) == 200
    set_controls(explorer, clock="time")
    assert len(explorer.selection) < 200


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (("favorites",), {"impressions", "favorites"}),
        (("impressions",), {"impressions", "engagements"}),
        (("engagements", "favorites"), set(TYPES)),
        (TYPES, set(TYPES)),
        ((), set()),
    ],
)
def test_a_rate_selects_impressions_too(
    explore: Any, set_controls: Any, counts: pd.DataFrame, types: Any, expected: set[str]
) -> None:
    """Impressions alone select engagements per impression."""
    explorer = set_controls(
        explore.without_drawing(counts), lines="engagement_type", measure="rate", types=types
    )
    assert set(explorer.selection["engagement_type"]) == expected
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("without_svg")
def test_a_rate_of_impressions_selects_the_first_other_type(
    explore: Any, set_controls: Any, tidy: Any, ids: tuple[str, ...]
) -> None:
    """There are no engagements."""
    day = "2026-03-03"
    rows = [
        (ids[0], engagement_type, day, 1, 9)
        for engagement_type in ("impressions", "favorites", "retweets")
    ]
    explorer = set_controls(
        explore.without_drawing(tidy(rows)), measure="rate", types=("impressions",)
    )
    assert set(explorer.selection["engagement_type"]) == {"impressions", "favorites"}
    assert "favorites" in explorer.chart.label


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_a_filtered_frame_has_a_new_index(
    explore: Any, counts: pd.DataFrame, explorer_class: Any
) -> None:
    """The counts are every second row, in reverse order, of two of three types."""
    every_second = counts[counts["engagement_type"] != "favorites"].iloc[::-2]
    explorer = explore(every_second, explorer_class=explorer_class)
    if explorer_class is EngagementExplorer:
        explorer.controls["lines"].value = "engagement_type"
        explorer.controls["types"].value = explorer.controls["types"].options
    tidy_part = explorer.selection
    assert_tidy(tidy_part)
    assert len(tidy_part) == len(every_second)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
@pytest.mark.parametrize("everything", [True, False])
def test_a_selection_is_a_copy(
    explore: Any, counts: pd.DataFrame, explorer_class: Any, *, everything: bool
) -> None:
    """Changes to it affect neither the explorer nor the user's frame."""
    frame = counts.copy()
    explorer = explore(frame, explorer_class=explorer_class)
    if everything and "types" in explorer.controls:
        explorer.controls["types"].value = TYPES
    elif not everything:
        explorer.controls["posts"].value = explorer.controls["posts"].value[:2]
    before = explorer.selection
    modified = explorer.selection
    modified.loc[:, "count"] = -1
    modified.loc[modified.index[:3], "hour"] = 7
    modified["engagement_type"] = modified["engagement_type"].cat.rename_categories(str.upper)
    modified.attrs["endpoint"] = "mine"
    modified.index.name = "mine"
    modified.insert(0, "more", 1)
    del modified["day"]
    pd.testing.assert_frame_equal(explorer.selection, before)
    assert explorer.selection.attrs == counts.attrs
    pd.testing.assert_frame_equal(frame, counts)
    assert frame.attrs == counts.attrs


def test_all_counts_are_picked_as_a_copy(counts: pd.DataFrame, ids: tuple[str, ...]) -> None:
    """Changes to it do not affect the index, which has copied the user's frame."""
    frame = counts.copy()
    indexed = IndexedCounts.of(frame)
    picked = indexed.picked(ids, TYPES)
    pd.testing.assert_frame_equal(picked, counts)
    picked.loc[:, "count"] = -1
    pd.testing.assert_frame_equal(indexed.picked(ids, TYPES), counts)
    pd.testing.assert_frame_equal(frame, counts)


@pytest.mark.slow
@pytest.mark.usefixtures("without_svg")
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_changes_to_the_users_frame_have_no_effect(
    explore: Any, counts: pd.DataFrame, explorer_class: Any
) -> None:
    """The explorer copies it when it is made."""
    frame = counts.copy()
    explorer = explore(frame, explorer_class=explorer_class)
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
@pytest.mark.usefixtures("without_svg")
@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
def test_changes_to_the_users_posts_have_no_effect(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, explorer_class: Any
) -> None:
    """Their names are read when the explorer is made."""
    modified = posts.copy()
    explorer = explore(counts, modified, explorer_class=explorer_class)
    chart, table = explorer.chart.label, explorer.table.html
    modified.loc[:, "text"] = "all the same now"
    modified.loc[:, "post_id"] = modified["post_id"].to_numpy()[::-1]
    del modified["handle"]
    explorer.redraw()
    assert (explorer.chart.label, explorer.table.html) == (chart, table)


@pytest.mark.parametrize("explorer_class", [EngagementExplorer, BestTimesExplorer, CompareExplorer])
@pytest.mark.parametrize(
    ("change", "message"),
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
def test_invalid_counts_are_refused(
    counts: pd.DataFrame, widgets: Any, explorer_class: Any, change: Any, message: str
) -> None:
    """The error has the reason, and no widget is left."""
    before = widgets()
    with pytest.raises(ep.FrameError, match=message):
        explorer_class(change(counts.head(40)))
    assert widgets() == before


@pytest.mark.parametrize("name", ["post_id", "engagement_type"])
def test_missing_keys_are_refused(counts: pd.DataFrame, name: str) -> None:
    """A count without a post or type is not assigned to another."""
    with_gap = counts.head(40).copy()
    with_gap.loc[3, name] = None
    with pytest.raises(ep.FrameError, match=f"'{name}' is missing in row 3"):
        EngagementExplorer(with_gap)


@pytest.mark.parametrize(
    ("posts", "message"),
    [
        (pd.DataFrame({"text": ["a"]}), "no column 'post_id'"),
        (pd.DataFrame({"post_id": [7.5]}), "a float"),
        (["7"], "a DataFrame"),
    ],
    ids=["column", "number", "list"],
)
def test_invalid_posts_are_refused(counts: pd.DataFrame, posts: Any, message: str) -> None:
    """The errors are those of the plots."""
    with pytest.raises(ep.FrameError, match=message):
        EngagementExplorer(counts, posts)


def hours_of(zone: str, first: datetime, number: int) -> pd.DataFrame:
    """Return a count of 1 in each of these hours."""
    del zone
    timestamps = [first + timedelta(hours=hour) for hour in range(number)]
    frame = pd.DataFrame(
        {
            "engagement_type": pd.Categorical(["impressions"] * number),
            "day": pd.to_datetime([f"{at:%Y-%m-%d}" for at in timestamps]).astype("datetime64[us]"),
            "hour": np.array([at.hour for at in timestamps], dtype="int8"),
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
def test_a_local_day_has_the_right_hours(tz: str, day: date, first: str, number: int) -> None:
    """It has 23, 24 or 25 hours, from the first one that begins in it."""
    around = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    rows = IndexedCounts.of(hours_of(tz, around, 120)).picked(
        [], ["impressions"], first=day, last=day, tz=tz
    )
    starts = ep.timestamps(rows)
    assert (f"{starts.iloc[0]:%Y-%m-%dT%H:%M}", len(rows)) == (first, number)
    assert starts.diff().dropna().eq(pd.Timedelta(hours=1)).all()


@pytest.mark.long
def test_local_days_are_right_in_all_zones() -> None:
    """Each hour is in its own day where the clocks change in 2026."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    timestamps = pd.date_range(start, periods=8760, freq="h")
    offsets_seen = set()
    frame = hours_of("", start, 8760)
    indexed = IndexedCounts.of(frame)
    for tz in zones():
        local = timestamps.tz_convert(ZoneInfo(tz)).tz_localize(None)  # pandas 2 has pytz's zones
        offset = (local - timestamps.tz_localize(None)).to_numpy()
        if offset.tobytes() in offsets_seen:
            continue
        offsets_seen.add(offset.tobytes())
        day_of = local.normalize()
        changes = np.flatnonzero(np.diff(offset))
        for change in [5, *changes]:
            for day in day_of[[change, change + 1]].unique():
                of_day = indexed.picked(
                    [], ["impressions"], first=day.date(), last=day.date(), tz=tz
                )
                assert len(of_day) == (day_of == day).sum(), (tz, day)
                hours = ep.timestamps(of_day).dt.tz_convert(ZoneInfo(tz)).dt.date
                assert set(hours) == {day.date()}, (tz, day)
    assert len(offsets_seen) > 60
