"""Values at the marks of a chart, its visible part, and its legend."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num
from matplotlib.figure import Figure

import engagement_pandas as ep
from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer
from engagement_pandas.explorers.chart_marks import FORMATS, can_show, readings
from engagement_pandas.plots import post_colours
from engagement_pandas.plots.colours import INK
from engagement_pandas.plots.page_theme import PAGE_INK


def position_of(text: str) -> float:
    """Return a timestamp as a position on a time axis."""
    return float(date2num(datetime.fromisoformat(text).replace(tzinfo=UTC)))


def values_of(explorer: Any, gid: str) -> list[tuple[str, str]]:
    """Return the value at each mark of one line, with its position in words."""
    marks = explorer.chart.marks
    (series,) = (item for item in marks["series"] if item["gid"] == gid)
    at = [marks["at"][number] for number in np.frombuffer(series["at"], "<u4")]
    return list(zip(at, texts(series), strict=True))


def texts(series: dict[str, Any]) -> list[str]:
    """Return the values of a line as the page shows them."""
    words = {name: function for function, name in FORMATS.items()}
    if not series["format"]:
        return series["values"].split("\n")
    return [words[series["format"]](value) for value in np.frombuffer(series["values"], "<f8")]


@pytest.mark.slow
def test_a_value_has_its_count_and_its_hour(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """Each hour of a post has one in the axis's time zone; unknown counts have none."""
    explorer = set_controls(
        explore.without_drawing(counts), posts=ids[:1], tz="Asia/Tokyo", lines="post_id"
    )
    # The first post was created on Saturday, 28 February 2026, in the hour of 10:00 UTC.
    assert values_of(explorer, ids[0])[:2] == [
        ("Sat 28 Feb 2026, 19:00 (Asia/Tokyo)", "50"),
        ("Sat 28 Feb 2026, 20:00 (Asia/Tokyo)", "67"),
    ]
    assert len(values_of(explorer, ids[0])) == 40


@pytest.mark.slow
def test_a_day_has_no_time(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """The count of a day is not one of midnight."""
    explorer = set_controls(explore.without_drawing(counts), posts=ids[:1], every="D")
    assert values_of(explorer, ids[0])[0][0] == "Sat 28 Feb 2026 (UTC)"


@pytest.mark.slow
def test_ages_and_rates_have_units(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """An age has its unit, and a rate is a percentage."""
    explorer = set_controls(
        explore.without_drawing(counts), posts=ids[:1], clock="age", measure="rate"
    )
    for at, value in values_of(explorer, ids[0]):
        assert at.startswith("at the age of ")
        assert value.endswith(" %")


def test_positions_are_in_points_of_the_chart() -> None:
    """They are measured from the top left corner."""
    figure = Figure(figsize=(4, 2), dpi=72)
    ax = figure.add_axes((0.25, 0.25, 0.5, 0.5))
    ax.plot([0, 1, 2], [0, 5, 1], gid="a")
    ax.set(xlim=(0, 2), ylim=(0, 10))
    marks = readings(ax, {})
    boxes = np.frombuffer(marks["series"][0]["boxes"], "<f4").reshape(-1, 4)
    assert marks["size"] == [288, 144]
    assert marks["frame"] == [72, 36, 216, 108]
    assert boxes.tolist() == [[72, 108, 72, 108], [144, 72, 144, 72], [216, 100.8, 216, 100.8]] or (
        np.allclose(boxes, [[72, 108] * 2, [144, 72] * 2, [216, 100.8] * 2])
    )


@pytest.mark.slow
def test_the_mark_of_a_bar_covers_the_bar(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """Its box is as wide as its count, and its value is the sum."""
    explorer = set_controls(explore.without_drawing(counts), clock="total", lines="engagement_type")
    set_controls(explorer, types=("impressions", "favorites"))
    total = counts.loc[counts["engagement_type"] == "impressions", "count"].sum()
    assert values_of(explorer, "impressions") == [("impressions", f"{total:,}")]
    assert explorer.chart.marks["limits"] == []


@pytest.mark.long
@pytest.mark.parametrize("explorer_class", [BestTimesExplorer, CompareExplorer])
def test_other_charts_have_marks(explore: Any, counts: pd.DataFrame, explorer_class: Any) -> None:
    """Cells of a map and dots of a comparison have values, but no zoom."""
    explorer = explore(counts, explorer_class=explorer_class)
    if explorer_class is CompareExplorer:
        explorer.controls["at"].value = None
    else:
        explorer.controls["minimum"].value = 1
    marks = explorer.chart.marks
    assert marks["series"]
    assert marks["limits"] == []


@pytest.mark.slow
def test_a_message_has_no_marks(explore: Any, frames: dict[str, Any]) -> None:
    """There is no chart to read."""
    assert explore(frames["empty"]).chart.marks == {}


@pytest.mark.slow
def test_the_legend_has_the_lines(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """Each entry has the gid of its line, a name, and a sample in its colour."""
    explorer = set_controls(explore.without_drawing(counts), posts=ids[:3])
    colours = post_colours(counts[counts["post_id"].isin(ids[:3])], posts=counts[["post_id"]])
    lines = [entry for entry in explorer.chart.header["legend"] if entry["gid"]]
    names = {entry["gid"]: entry["name"] for entry in lines}
    assert set(names) == set(ids[:3])
    # The first post was created on Saturday, 28 February 2026, at 10:15 UTC.
    assert names[ids[0]] == "Post of 28 Feb, 10:15"
    for entry in lines:
        colour = colours[entry["gid"]]
        shown = PAGE_INK if colour == INK else colour.lower()
        assert f"stroke:{shown}" in entry["swatch"]
    assert "<text" in explorer.chart.html
    assert not {*names.values()} & {*re.findall(r">([^<>]*)</text>", explorer.chart.html)}


@pytest.mark.slow
def test_a_zoomed_part_has_separate_ticks(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...], axes: Any
) -> None:
    """Only its values have marks, and the y axis ends above them."""
    explorer = set_controls(explore.without_drawing(counts), posts=ids[:1])
    limits = [position_of("2026-02-28T12:00"), position_of("2026-02-28T18:00")]
    explorer.chart.zoom = limits
    assert axes(explorer).get_xlim() == pytest.approx(limits)
    visible = values_of(explorer, ids[0])
    assert [at for at, _ in visible] == [
        f"Sat 28 Feb 2026, {hour}:00 (UTC)" for hour in range(12, 19)
    ]
    assert axes(explorer).get_ylim()[1] == pytest.approx(
        1.05 * max(int(value) for _, value in visible)
    )
    labels = [label.get_text() for label in axes(explorer).get_xticklabels()]
    assert any(":00" in label for label in labels)
    explorer.chart.zoom = []
    assert len(values_of(explorer, ids[0])) == 40


@pytest.mark.slow
def test_a_zoom_does_not_change_the_selection(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """The rows and the code stay."""
    explorer = set_controls(explore.without_drawing(counts), posts=ids[:1])
    rows, code = explorer.selection, explorer.code
    explorer.chart.zoom = [position_of("2026-02-28T12:00"), position_of("2026-02-28T18:00")]
    pd.testing.assert_frame_equal(explorer.selection, rows)
    assert explorer.code == code


@pytest.mark.long
def test_a_zoom_stays_while_it_is_on_the_axis(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...], axes: Any
) -> None:
    """Another measure keeps it; ages, and days outside it, remove it."""
    explorer = set_controls(explore.without_drawing(counts), posts=ids[:1])
    limits = [position_of("2026-02-28T12:00"), position_of("2026-02-28T18:00")]
    explorer.chart.zoom = limits
    explorer.controls["measure"].value = "cumulative"
    assert explorer.chart.zoom == limits
    assert axes(explorer).get_xlim() == pytest.approx(limits)
    explorer.controls["first"].value = pd.Timestamp("2026-03-01").date()
    assert explorer.chart.zoom == []
    explorer.chart.zoom = [position_of("2026-03-01T02:00"), position_of("2026-03-01T08:00")]
    explorer.controls["clock"].value = "age"
    assert explorer.chart.zoom == []


@pytest.mark.parametrize("limits", [[], [1.0], [5.0, 3.0], [-9.0, 2.0], [float("nan"), 2.0]])
def test_invalid_zooms_are_not_shown(limits: list[float]) -> None:
    """They are outside the axis, in the wrong order, or not two numbers."""
    ax = Figure().subplots()
    ax.plot([0, 10], [1, 2], gid="a")
    assert can_show(ax, [2.0, 3.0])
    assert not can_show(ax, limits)


def test_a_zoom_clips_the_triangles_of_rates() -> None:
    """They mark values beyond the y axis."""
    hours = {f"{hour:02d}": str(9 + hour) for hour in range(24)}
    body = {"g": {"2027900000000000000": {
        name: {"2026-03-01": hours} for name in ("impressions", "engagements")
    }}}  # fmt: skip
    from engagement_pandas.plots.axes import zoom_in  # noqa: PLC0415 - the function under test

    ax = ep.plot_rate_over_time(ep.flatten_json(body), ax=Figure().subplots())
    triangle = ax.scatter([position_of("2026-03-01T20:00")], [1], gid="beyond", clip_on=False)
    top = ax.get_ylim()
    zoom_in(ax, position_of("2026-03-01T02:00"), position_of("2026-03-01T08:00"))
    assert triangle.get_clip_on()
    assert ax.get_ylim() == top


def test_a_zero_on_a_logarithmic_axis_has_no_mark() -> None:
    """It has no position there."""
    ax = Figure(dpi=72).subplots()
    ax.plot([0, 1, 2], [0, 5, 50], gid="7")
    ax.set_yscale("log")
    ax.set_ylim(1, 100)
    (series,) = readings(ax, {})["series"]
    assert texts(series) == [ax.format_ydata(5), ax.format_ydata(50)]
