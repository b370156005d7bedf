"""What can be chosen can be drawn, what cannot be drawn cannot be chosen, and the rest stays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from engagement_pandas import plots
from engagement_pandas.explorers.controls import zones
from engagement_pandas.explorers.selection import DRAWINGS

POSTS, TYPES = "post_id", "engagement_type"
TIMES = {
    ("time", measure, lines)
    for measure in ("counts", "cumulative", "rate")
    for lines in (POSTS, TYPES)
}
AGES = {("age", measure, POSTS) for measure in ("counts", "cumulative", "rate")}
SUMS = {("total", "counts", POSTS), ("total", "counts", TYPES), ("total", "rate", POSTS)}
ALL = TIMES | AGES | SUMS
UNRATED = {key for key in ALL if key[1] != "rate"}
CHOICES = {
    "by hour": ALL,
    "by day": ALL,
    "totals": SUMS,
    "hours of the day": SUMS,
    "without posts": {key for key in TIMES if key[2] == TYPES} | {("total", "counts", TYPES)},
    "types alone": {("total", "counts", TYPES)},
    "impressions alone": UNRATED,
    "no impressions": UNRATED,
    "empty": UNRATED,
}
every_frame = pytest.mark.parametrize("name", CHOICES)


def hidden(explorer: Any) -> set[str]:
    """Return the names of the controls that are not shown."""
    return {name for name, control in explorer.controls.items() if control.layout.display == "none"}


def test_all_pictures_exist() -> None:
    """Each drawing is a function of the package."""
    assert {each.plot for each in DRAWINGS.values()} <= set(plots.__all__)


@pytest.mark.slow
@every_frame
def test_what_can_be_chosen(walks: Any, name: str) -> None:
    """By hand: days for time, posts for ages, impressions and another type for rates."""
    assert set(walks(name)) == CHOICES[name]


@pytest.mark.slow
@every_frame
def test_what_can_be_chosen_is_drawn(walks: Any, name: str) -> None:
    """No complaint, and words for those who do not see it; warnings are errors here."""
    seen = walks(name)
    assert {key: each.alert for key, each in seen.items() if each.alert} == {}
    assert all(each.label and each.svg.startswith("<svg") for each in seen.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CHOICES if name != "empty"])
def test_something_is_drawn(walks: Any, name: str) -> None:
    """Each choice has a series: posts, or types."""
    bare = [key for key, each in walks(name).items() if not each.drawn]
    assert bare == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CHOICES if name != "empty"])
def test_the_lines_are_what_was_chosen(walks: Any, name: str, ids: tuple[str, ...]) -> None:
    """One line per post has posts in it and no types, and the other way round."""
    kinds = {"impressions", "engagements", "favorites"}
    for (_, _, lines), each in walks(name).items():
        mine, other = (set(ids), kinds) if lines == POSTS else (kinds, set(ids))
        assert each.drawn & mine
        assert not each.drawn & other


@pytest.mark.usefixtures("undrawn")
def test_the_first_view(explore: Any, counts: pd.DataFrame, ids: tuple[str, ...]) -> None:
    """Which posts took off: all of them, the first type, cumulative, by age."""
    explorer = explore.first(counts)
    values = {name: control.value for name, control in explorer.controls.items()}
    assert values.pop("posts") == ids[::-1]
    assert values == {
        "types": ("impressions",),
        "clock": "age",
        "measure": "cumulative",
        "lines": "post_id",
        "every": "h",
        "tz": "UTC",
        "first": date(2026, 2, 28),
        "last": date(2026, 3, 5),
        "until": 168.0,
    }


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
def test_the_first_picture_has_all_posts_to_compare_with(
    explore: Any, counts: pd.DataFrame, ids: tuple[str, ...], axes: Any
) -> None:
    """The bands are those of all five posts, however few are selected; the code says so."""
    explorer = explore.first(counts)
    assert "cohort" not in explorer.code
    explorer.controls["posts"].value = ids[:2]
    assert {line.get_gid() for line in axes(explorer).lines} >= {*ids[:2], "median"}
    assert "of 5 posts" in explorer.chart.label
    assert "cohort=counts" in explorer.code


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("words", "name", "first"),
    [
        ("24 hours", "by hour", date(2026, 3, 4)),
        ("7 days", "by hour", date(2026, 2, 28)),
        ("All days", "by hour", date(2026, 2, 28)),
        ("24 hours", "by day", date(2026, 3, 5)),
        ("28 days", "by day", date(2026, 2, 28)),
    ],
)
def test_periods(
    explore: Any, frames: dict[str, pd.DataFrame], words: str, name: str, first: date
) -> None:
    """By hand: the last count is of 5 March, 14:00 to 15:00, so 24 hours begin on the 4th."""
    explorer = explore(frames[name])
    explorer.controls["first"].value = explorer.controls["last"].value = date(2026, 3, 2)
    (button,) = (each for each in explorer.periods.children if each.description == words)
    button.click()
    chosen = explorer.controls["first"].value, explorer.controls["last"].value
    assert chosen == (first, date(2026, 3, 5))
    assert explorer.alert.html == ""


def test_a_period_is_drawn_once(explore: Any, counts: pd.DataFrame, undrawn: list[int]) -> None:
    """Though it sets both days."""
    explorer = explore(counts)
    undrawn.clear()
    explorer.periods.children[0].click()
    assert len(undrawn) == 1


def test_the_reader_s_time_zone_comes_first(
    explore: Any, counts: pd.DataFrame, offered: Any, undrawn: list[int]
) -> None:
    """As the browser gives it; the selected one stays, and nothing is drawn again."""
    explorer = explore(counts)
    undrawn.clear()
    explorer.children[0].zone = "Asia/Kathmandu"
    tz = explorer.controls["tz"]
    assert offered(tz)[:2] == ["Asia/Kathmandu", "UTC"]
    assert tz.value == "UTC"
    assert undrawn == []
    explorer.children[0].zone = "<b>Nowhere"
    assert offered(tz)[0] == "UTC"


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"measure": "cumulative", "clock": "age"}, {"measure": "cumulative", "lines": POSTS}),
        ({"measure": "rate", "clock": "age"}, {"measure": "rate"}),
        ({"measure": "rate", "clock": "total"}, {"measure": "rate", "lines": POSTS}),
        ({"lines": TYPES, "clock": "total"}, {"lines": TYPES, "measure": "counts"}),
        ({"lines": TYPES, "measure": "rate"}, {"lines": TYPES}),
        ({"lines": TYPES, "measure": "cumulative"}, {"lines": TYPES}),
        ({"every": "D", "clock": "total"}, {"every": "D"}),
        ({"tz": "Asia/Tokyo", "clock": "age"}, {"tz": "Asia/Tokyo"}),
        ({"clock": "age", "until": 24.0, "measure": "cumulative"}, {"until": 24.0}),
    ],
    ids=str,
)
def test_what_still_fits_stays(
    explore: Any, counts: pd.DataFrame, change: dict[str, Any], kept: dict[str, Any]
) -> None:
    """A control that is changed takes no other with it, where that can stay."""
    explorer = explore(counts)
    untouched = ("types", "first", "last", "posts")
    before = {name: explorer.controls[name].value for name in untouched}
    for name, value in change.items():
        explorer.controls[name].value = value
    assert {name: explorer.controls[name].value for name in kept} == kept
    if "tz" not in change:
        assert {name: explorer.controls[name].value for name in untouched} == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "instead"),
    [
        ({"measure": "cumulative", "clock": "total"}, {"measure": "counts"}),
        ({"lines": TYPES, "clock": "age"}, {"lines": POSTS}),
        ({"clock": "total", "lines": TYPES, "measure": "rate"}, {"lines": POSTS}),
    ],
    ids=str,
)
def test_what_no_longer_fits_gives_way(
    explore: Any, counts: pd.DataFrame, change: dict[str, Any], instead: dict[str, Any]
) -> None:
    """The first of what is offered takes its place, and is drawn."""
    explorer = explore(counts)
    for name, value in change.items():
        explorer.controls[name].value = value
    assert {name: explorer.controls[name].value for name in instead} == instead
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["until"]),
        ({"clock": "age"}, ["first", "last", "tz"]),
        ({"clock": "age", "measure": "cumulative"}, ["every", "first", "last", "tz"]),
        ({"clock": "total"}, ["every", "until"]),
    ],
    ids=str,
)
def test_controls_that_do_not_matter_are_hidden(
    explore: Any, put: Any, counts: pd.DataFrame, change: dict[str, Any], expected: list[str]
) -> None:
    """And come back when they do."""
    explorer = put(explore.later(counts), **change)
    assert sorted(hidden(explorer)) == expected
    put(explorer, clock="time", measure="counts")
    assert hidden(explorer) == {"until"}


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", ["totals", "hours of the day", "types alone"])
def test_counts_without_days_have_no_dates_to_choose(
    explore: Any, frames: dict[str, pd.DataFrame], name: str
) -> None:
    """Nothing that speaks of time is shown; nor a list of posts where there are none."""
    nobody = {"posts"} if name == "types alone" else set()
    assert hidden(explore(frames[name])) - nobody == {"every", "tz", "first", "last", "until"}
    assert nobody <= hidden(explore(frames[name]))


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_days_are_utc_without_hours(
    explore: Any, frames: dict[str, pd.DataFrame], offered: Any
) -> None:
    """Counts by day know no other time zone, and no hours."""
    explorer = explore(frames["by day"])
    assert offered(explorer.controls["tz"]) == ["UTC"]
    assert offered(explorer.controls["every"]) == ["D"]


@pytest.mark.slow
def test_one_change_draws_once(explore: Any, counts: pd.DataFrame, undrawn: list[int]) -> None:
    """Though a clock takes the measure, the lines and their options with it."""
    explorer = explore(counts)
    explorer.controls["measure"].value = "cumulative"
    explorer.controls["lines"].value = TYPES
    for name, value in {"clock": "total", "tz": "Asia/Tokyo", "types": ("favorites",)}.items():
        undrawn.clear()
        explorer.controls[name].value = value
        assert len(undrawn) == 1, name
    explorer.controls["posts"].value = explorer.controls["posts"].value[:2]
    assert len(undrawn) == 2


def test_zones_are_those_of_places() -> None:
    """UTC first; no duplicates of the system's, no fixed offsets."""
    names = zones()
    assert names[0] == "UTC"
    assert {"Europe/Berlin", "Asia/Kathmandu", "America/Argentina/Ushuaia"} <= set(names)
    assert not [name for name in names if name.startswith(("Etc/", "posix/", "right/"))]
    assert len(set(names)) == len(names)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("tz", "days"),
    [
        ("America/Los_Angeles", (date(2026, 2, 28), date(2026, 3, 5))),
        ("Asia/Tokyo", (date(2026, 2, 28), date(2026, 3, 5))),
        ("Pacific/Kiritimati", (date(2026, 3, 1), date(2026, 3, 6))),
        ("Pacific/Pago_Pago", (date(2026, 2, 27), date(2026, 3, 5))),
    ],
)
def test_all_days_follow_the_time_zone(
    explore: Any, counts: pd.DataFrame, same: Any, tz: str, days: tuple[date, date]
) -> None:
    """From 2026-02-28 10:00 to 2026-03-05 14:00 UTC, there and back; no count is lost."""
    explorer = explore(counts)
    controls = explorer.controls
    before = explorer.selection
    controls["tz"].value = tz
    assert (controls["first"].value, controls["last"].value) == days
    same(explorer.selection, before)
    controls["tz"].value = "UTC"
    assert (controls["first"].value, controls["last"].value) == (
        date(2026, 2, 28),
        date(2026, 3, 5),
    )


@pytest.mark.usefixtures("undrawn")
def test_chosen_days_stay_in_another_time_zone(
    explore: Any, put: Any, counts: pd.DataFrame
) -> None:
    """Somebody who chose March 2nd means March 2nd."""
    day = date(2026, 3, 2)
    explorer = put(explore.later(counts), first=day, last=day)
    explorer.controls["tz"].value = "Pacific/Kiritimati"
    assert (explorer.controls["first"].value, explorer.controls["last"].value) == (day, day)


@pytest.mark.usefixtures("undrawn")
def test_all_days_follow_while_they_are_hidden(
    explore: Any, put: Any, counts: pd.DataFrame
) -> None:
    """Ages have no dates, and a zone set meanwhile does not cut any off afterwards."""
    explorer = put(put(explore.later(counts), clock="age", tz="Pacific/Kiritimati"), clock="time")
    assert len(explorer.selection) == len(counts[counts["engagement_type"] == "impressions"])


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", ["first", "last"])
def test_a_bound_may_be_left_open(
    explore: Any, counts: pd.DataFrame, picked: Any, same: Any, name: str
) -> None:
    """Without From it begins with the counts, without To it ends with them."""
    explorer = explore(counts)
    explorer.controls["first"].value = explorer.controls["last"].value = date(2026, 3, 2)
    explorer.controls[name].value = None
    far = timedelta(days=999)
    days = (date(2026, 3, 2) - far * (name == "first"), date(2026, 3, 2) + far * (name == "last"))
    same(explorer.selection, picked(counts, types=["impressions"], days=days))
    assert explorer.alert.html == ""


@pytest.mark.usefixtures("undrawn")
def test_days_beyond_the_counts(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """Whoever asks for a month gets what there is."""
    explorer = put(explore.later(counts), first=date(2025, 1, 1), last=date(2027, 1, 1))
    assert len(explorer.selection) == len(counts[counts["engagement_type"] == "impressions"])
    assert explorer.alert.html == ""
