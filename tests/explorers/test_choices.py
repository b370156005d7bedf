"""Controls offer what can be drawn, and keep their values where these remain valid."""

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
ALL_VIEWS = TIMES | AGES | SUMS
WITHOUT_RATES = {key for key in ALL_VIEWS if key[1] != "rate"}
VIEWS = {
    "by hour": ALL_VIEWS,
    "by day": ALL_VIEWS,
    "totals": SUMS,
    "hours of the day": SUMS,
    "without posts": {key for key in TIMES if key[2] == TYPES} | {("total", "counts", TYPES)},
    "types alone": {("total", "counts", TYPES)},
    "impressions alone": WITHOUT_RATES,
    "no impressions": WITHOUT_RATES,
    "empty": WITHOUT_RATES,
}
HERE = ("by hour", "totals", "without posts")
"""The other frames are drawn in CI only; the last is empty."""

FRAMES = [pytest.param(name, marks=() if name in HERE else pytest.mark.long) for name in VIEWS]
each_frame = pytest.mark.parametrize("name", FRAMES)
each_filled_frame = pytest.mark.parametrize("name", FRAMES[:-1])


def hidden(explorer: Any) -> set[str]:
    """Return the names of the hidden controls."""
    return {name for name, control in explorer.controls.items() if control.layout.display == "none"}


def test_every_drawing_is_a_public_plot() -> None:
    """Each drawing is a function of the package."""
    assert {drawing.plot for drawing in DRAWINGS.values()} <= set(plots.__all__)


@pytest.mark.slow
@each_frame
def test_the_controls_offer_valid_views(views: Any, name: str) -> None:
    """Time needs days, ages need posts, rates need impressions and another type."""
    assert set(views(name)) == VIEWS[name]


@pytest.mark.long
@each_frame
def test_every_offered_view_is_drawn(views: Any, name: str) -> None:
    """It has no alert and has a text alternative; warnings are errors here."""
    all_views = views(name)
    assert {key: view.alert for key, view in all_views.items() if view.alert} == {}
    assert all(view.label and view.svg.startswith("<svg") for view in all_views.values())


@pytest.mark.long
@each_filled_frame
def test_every_view_has_a_series(views: Any, name: str) -> None:
    """Series are posts, or types."""
    empty = [key for key, view in views(name).items() if not view.drawn]
    assert empty == []


@pytest.mark.slow
@each_filled_frame
def test_lines_are_posts_or_types_as_selected(views: Any, name: str, ids: tuple[str, ...]) -> None:
    """A chart of posts has no types, and the reverse."""
    types = {"impressions", "engagements", "favorites"}
    for (_, _, lines), view in views(name).items():
        own, other = (set(ids), types) if lines == POSTS else (types, set(ids))
        assert view.drawn & own
        assert not view.drawn & other


@pytest.mark.usefixtures("fake_drawing")
def test_the_first_view_is_cumulative_by_age(
    explore: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """It has all posts and the first type."""
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
@pytest.mark.usefixtures("without_svg")
def test_the_bands_are_of_all_posts(
    explore: Any, counts: pd.DataFrame, ids: tuple[str, ...], axes: Any
) -> None:
    """They are those of all five posts for any selection, also in the code."""
    explorer = explore.first(counts)
    assert "cohort" not in explorer.code
    explorer.controls["posts"].value = ids[:2]
    assert {line.get_gid() for line in axes(explorer).lines} >= {*ids[:2], "median"}
    assert "of 5 posts" in explorer.chart.label
    assert "cohort=counts" in explorer.code


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize(
    ("description", "name", "first"),
    [
        ("24 hours", "by hour", date(2026, 3, 4)),
        ("7 days", "by hour", date(2026, 2, 28)),
        ("All days", "by hour", date(2026, 2, 28)),
        ("24 hours", "by day", date(2026, 3, 5)),
        ("28 days", "by day", date(2026, 2, 28)),
    ],
)
def test_a_period_sets_both_days(
    explore: Any, frames: dict[str, pd.DataFrame], description: str, name: str, first: date
) -> None:
    """The last count is of 5 March, 14:00 to 15:00, so 24 hours begin on the 4th."""
    explorer = explore(frames[name])
    explorer.controls["first"].value = explorer.controls["last"].value = date(2026, 3, 2)
    (button,) = (
        button_ for button_ in explorer.periods.children if button_.description == description
    )
    button.click()
    chosen = explorer.controls["first"].value, explorer.controls["last"].value
    assert chosen == (first, date(2026, 3, 5))
    assert explorer.alert.html == ""


def test_a_period_is_drawn_once(
    explore: Any, counts: pd.DataFrame, fake_drawing: list[int]
) -> None:
    """It sets both days."""
    explorer = explore(counts)
    fake_drawing.clear()
    explorer.periods.children[0].click()
    assert len(fake_drawing) == 1


def test_the_browsers_time_zone_is_the_first_option(
    explore: Any, counts: pd.DataFrame, options_of: Any, fake_drawing: list[int]
) -> None:
    """The selected zone stays, and nothing is drawn."""
    explorer = explore(counts)
    fake_drawing.clear()
    explorer.children[0].zone = "Asia/Kathmandu"
    tz = explorer.controls["tz"]
    assert options_of(tz)[:2] == ["Asia/Kathmandu", "UTC"]
    assert tz.value == "UTC"
    assert fake_drawing == []
    explorer.children[0].zone = "<b>Nowhere"
    assert options_of(tz)[0] == "UTC"


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
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
def test_valid_values_stay(
    explore: Any, counts: pd.DataFrame, change: dict[str, Any], kept: dict[str, Any]
) -> None:
    """A changed control keeps the values of other controls if they remain valid."""
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
def test_invalid_values_are_replaced(
    explore: Any, counts: pd.DataFrame, change: dict[str, Any], instead: dict[str, Any]
) -> None:
    """The first option takes their place, and is drawn."""
    explorer = explore(counts)
    for name, value in change.items():
        explorer.controls[name].value = value
    assert {name: explorer.controls[name].value for name in instead} == instead
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
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
def test_controls_without_effect_are_hidden(
    explore: Any,
    set_controls: Any,
    counts: pd.DataFrame,
    change: dict[str, Any],
    expected: list[str],
) -> None:
    """They are shown again when they have an effect."""
    explorer = set_controls(explore.without_drawing(counts), **change)
    assert sorted(hidden(explorer)) == expected
    set_controls(explorer, clock="time", measure="counts")
    assert hidden(explorer) == {"until"}


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("name", ["totals", "hours of the day", "types alone"])
def test_counts_without_days_have_no_dates(
    explore: Any, frames: dict[str, pd.DataFrame], name: str
) -> None:
    """Controls of time are hidden; so is the list of posts if there are none."""
    without_posts = {"posts"} if name == "types alone" else set()
    assert hidden(explore(frames[name])) - without_posts == {
        "every",
        "tz",
        "first",
        "last",
        "until",
    }
    assert without_posts <= hidden(explore(frames[name]))


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_days_without_hours_are_utc(
    explore: Any, frames: dict[str, pd.DataFrame], options_of: Any
) -> None:
    """Counts by day have no other time zone, and no hours."""
    explorer = explore(frames["by day"])
    assert options_of(explorer.controls["tz"]) == ["UTC"]
    assert options_of(explorer.controls["every"]) == ["D"]


@pytest.mark.slow
def test_one_change_draws_once(explore: Any, counts: pd.DataFrame, fake_drawing: list[int]) -> None:
    """A clock also changes the measure, the lines and their options."""
    explorer = explore(counts)
    explorer.controls["measure"].value = "cumulative"
    explorer.controls["lines"].value = TYPES
    for name, value in {"clock": "total", "tz": "Asia/Tokyo", "types": ("favorites",)}.items():
        fake_drawing.clear()
        explorer.controls[name].value = value
        assert len(fake_drawing) == 1, name
    explorer.controls["posts"].value = explorer.controls["posts"].value[:2]
    assert len(fake_drawing) == 2


def test_time_zones_are_those_of_places() -> None:
    """UTC is the first; there are no duplicates and no fixed offsets."""
    names = zones()
    assert names[0] == "UTC"
    assert {"Europe/Berlin", "Asia/Kathmandu", "America/Argentina/Ushuaia"} <= set(names)
    assert not [name for name in names if name.startswith(("Etc/", "posix/", "right/"))]
    assert len(set(names)) == len(names)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
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
    """From 2026-02-28 10:00 to 2026-03-05 14:00 UTC and back, no count is lost."""
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


@pytest.mark.usefixtures("fake_drawing")
def test_selected_days_stay_in_another_time_zone(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """2 March stays 2 March."""
    day = date(2026, 3, 2)
    explorer = set_controls(explore.without_drawing(counts), first=day, last=day)
    explorer.controls["tz"].value = "Pacific/Kiritimati"
    assert (explorer.controls["first"].value, explorer.controls["last"].value) == (day, day)


@pytest.mark.usefixtures("fake_drawing")
def test_hidden_days_follow_the_time_zone(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """A zone set for ages, which have no dates, cuts off no days later."""
    explorer = set_controls(
        set_controls(explore.without_drawing(counts), clock="age", tz="Pacific/Kiritimati"),
        clock="time",
    )
    assert len(explorer.selection) == len(counts[counts["engagement_type"] == "impressions"])


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("name", ["first", "last"])
def test_a_bound_may_be_empty(
    explore: Any, counts: pd.DataFrame, filtered: Any, same: Any, name: str
) -> None:
    """Without From the counts begin, without To they end the period."""
    explorer = explore(counts)
    explorer.controls["first"].value = explorer.controls["last"].value = date(2026, 3, 2)
    explorer.controls[name].value = None
    years = timedelta(days=999)
    days = (
        date(2026, 3, 2) - years * (name == "first"),
        date(2026, 3, 2) + years * (name == "last"),
    )
    same(explorer.selection, filtered(counts, types=["impressions"], days=days))
    assert explorer.alert.html == ""


@pytest.mark.usefixtures("fake_drawing")
def test_days_may_exceed_the_counts(explore: Any, set_controls: Any, counts: pd.DataFrame) -> None:
    """The selection has all counts."""
    explorer = set_controls(
        explore.without_drawing(counts), first=date(2025, 1, 1), last=date(2027, 1, 1)
    )
    assert len(explorer.selection) == len(counts[counts["engagement_type"] == "impressions"])
    assert explorer.alert.html == ""
