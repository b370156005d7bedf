"""What can be read in a chart, which part of it is shown, and where its legend is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num
from matplotlib.figure import Figure

import engagement_pandas as ep
from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer
from engagement_pandas.explorers.chart_marks import can_show, readings


def day(text: str) -> float:
    """Return a moment as a place on a time axis."""
    return float(date2num(datetime.fromisoformat(text).replace(tzinfo=UTC)))


def texts(explorer: Any, gid: str) -> list[tuple[str, str]]:
    """Return what is read at the marks of one line: where, and which value."""
    found = explorer.chart.marks
    (one,) = (each for each in found["series"] if each["gid"] == gid)
    at = [found["at"][place] for place in np.frombuffer(one["at"], "<u4")]
    return list(zip(at, one["values"].split("\n"), strict=True))


@pytest.mark.slow
def test_a_value_has_its_count_and_its_hour(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """In the time zone of the axis, for each hour of a post; unknown counts are left out."""
    explorer = put(explore.later(counts), posts=ids[:1], tz="Asia/Tokyo", lines="post_id")
    # The first post was made on Saturday, 28 February 2026, in the hour of 10:00 UTC.
    assert texts(explorer, ids[0])[:2] == [
        ("Sat 28 Feb 2026, 19:00 (Asia/Tokyo)", "50"),
        ("Sat 28 Feb 2026, 20:00 (Asia/Tokyo)", "67"),
    ]
    assert len(texts(explorer, ids[0])) == 40


@pytest.mark.slow
def test_a_day_has_no_clock(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """A count of a day is not one of midnight."""
    explorer = put(explore.later(counts), posts=ids[:1], every="D")
    assert texts(explorer, ids[0])[0][0] == "Sat 28 Feb 2026 (UTC)"


@pytest.mark.slow
def test_ages_and_rates_are_read_in_words(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """An age has its unit, and a rate is a percentage."""
    explorer = put(explore.later(counts), posts=ids[:1], clock="age", measure="rate")
    for at, value in texts(explorer, ids[0]):
        assert at.startswith("at the age of ")
        assert value.endswith(" %")


def test_a_place_is_that_of_the_drawing() -> None:
    """From the top left corner, in points: a point in the middle of the axes."""
    figure = Figure(figsize=(4, 2), dpi=72)
    ax = figure.add_axes((0.25, 0.25, 0.5, 0.5))
    ax.plot([0, 1, 2], [0, 5, 1], gid="a")
    ax.set(xlim=(0, 2), ylim=(0, 10))
    found = readings(ax, {})
    boxes = np.frombuffer(found["series"][0]["boxes"], "<f4").reshape(-1, 4)
    assert found["size"] == [288, 144]
    assert found["frame"] == [72, 36, 216, 108]
    assert boxes.tolist() == [[72, 108, 72, 108], [144, 72, 144, 72], [216, 100.8, 216, 100.8]] or (
        np.allclose(boxes, [[72, 108] * 2, [144, 72] * 2, [216, 100.8] * 2])
    )


@pytest.mark.slow
def test_a_bar_is_read_anywhere(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """Its box is as wide as its count, and its value is the sum."""
    explorer = put(explore.later(counts), clock="total", lines="engagement_type")
    put(explorer, types=("impressions", "favorites"))
    total = counts.loc[counts["engagement_type"] == "impressions", "count"].sum()
    assert texts(explorer, "impressions") == [("impressions", f"{total:,}")]
    assert explorer.chart.marks["limits"] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", [BestTimesExplorer, CompareExplorer])
def test_other_charts_are_read_too(explore: Any, counts: pd.DataFrame, kind: Any) -> None:
    """Cells of a map and dots of a comparison have values, and no part to zoom into."""
    explorer = explore(counts, kind=kind)
    if kind is CompareExplorer:
        explorer.controls["at"].value = None
    else:
        explorer.controls["minimum"].value = 1
    marks = explorer.chart.marks
    assert marks["series"]
    assert marks["limits"] == []


@pytest.mark.slow
def test_nothing_is_read_where_there_is_no_chart(explore: Any, frames: dict[str, Any]) -> None:
    """A sentence has no marks."""
    assert explore(frames["empty"]).chart.marks == {}


@pytest.mark.slow
def test_the_legend_names_lines(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """Each entry has the gid of its line, a name and a box that is within the chart."""
    explorer = put(explore.later(counts), posts=ids[:3])
    marks = explorer.chart.marks
    assert {entry["gid"] for entry in marks["legend"]} == set(ids[:3])
    for entry in marks["legend"]:
        left, top, right, bottom = entry["box"]
        assert 0 <= left < right <= marks["size"][0]
        assert 0 <= top < bottom <= marks["frame"][1] + 2


@pytest.mark.slow
def test_a_part_is_shown_with_ticks_of_its_own(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...], axes: Any
) -> None:
    """Only its values are read, and the y axis ends above them."""
    explorer = put(explore.later(counts), posts=ids[:1])
    part = [day("2026-02-28T12:00"), day("2026-02-28T18:00")]
    explorer.chart.zoom = part
    assert axes(explorer).get_xlim() == pytest.approx(part)
    read = texts(explorer, ids[0])
    assert [at for at, _ in read] == [f"Sat 28 Feb 2026, {hour}:00 (UTC)" for hour in range(12, 19)]
    assert axes(explorer).get_ylim()[1] == pytest.approx(
        1.05 * max(int(value) for _, value in read)
    )
    labels = [label.get_text() for label in axes(explorer).get_xticklabels()]
    assert any(":00" in label for label in labels)
    explorer.chart.zoom = []
    assert len(texts(explorer, ids[0])) == 40


@pytest.mark.slow
def test_the_selection_is_that_of_the_controls(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """Zooming in changes what is seen, neither the rows nor the code."""
    explorer = put(explore.later(counts), posts=ids[:1])
    rows, code = explorer.selection, explorer.code
    explorer.chart.zoom = [day("2026-02-28T12:00"), day("2026-02-28T18:00")]
    pd.testing.assert_frame_equal(explorer.selection, rows)
    assert explorer.code == code


@pytest.mark.slow
def test_a_zoom_remains_while_the_axis_has_it(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...], axes: Any
) -> None:
    """With another measure; not with ages, nor with days that lack it."""
    explorer = put(explore.later(counts), posts=ids[:1])
    part = [day("2026-02-28T12:00"), day("2026-02-28T18:00")]
    explorer.chart.zoom = part
    explorer.controls["measure"].value = "cumulative"
    assert explorer.chart.zoom == part
    assert axes(explorer).get_xlim() == pytest.approx(part)
    explorer.controls["first"].value = pd.Timestamp("2026-03-01").date()
    assert explorer.chart.zoom == []
    explorer.chart.zoom = [day("2026-03-01T02:00"), day("2026-03-01T08:00")]
    explorer.controls["clock"].value = "age"
    assert explorer.chart.zoom == []


@pytest.mark.parametrize("limits", [[], [1.0], [5.0, 3.0], [-9.0, 2.0], [float("nan"), 2.0]])
def test_parts_that_are_not_shown(limits: list[float]) -> None:
    """Outside of the axis, in the wrong order, or not two numbers."""
    ax = Figure().subplots()
    ax.plot([0, 10], [1, 2], gid="a")
    assert can_show(ax, [2.0, 3.0])
    assert not can_show(ax, limits)


def test_a_part_of_a_chart_of_rates_has_no_triangles_outside() -> None:
    """They mark what is beyond the y axis, and are cut off at its ends."""
    hours = {f"{hour:02d}": str(9 + hour) for hour in range(24)}
    body = {"g": {"2027900000000000000": {kind: {"2026-03-01": hours} for kind in
            ("impressions", "engagements")}}}  # fmt: skip
    from engagement_pandas.plots.axes import zoom_in  # noqa: PLC0415 - what is tested

    ax = ep.plot_rate_over_time(ep.flatten_json(body), ax=Figure().subplots())
    some = ax.scatter([day("2026-03-01T20:00")], [1], gid="beyond", clip_on=False)
    top = ax.get_ylim()
    zoom_in(ax, day("2026-03-01T02:00"), day("2026-03-01T08:00"))
    assert some.get_clip_on()
    assert ax.get_ylim() == top


def test_a_zero_is_not_on_a_logarithmic_axis() -> None:
    """It has no place there, so it cannot be read."""
    ax = Figure(dpi=72).subplots()
    ax.plot([0, 1, 2], [0, 5, 50], gid="7")
    ax.set_yscale("log")
    ax.set_ylim(1, 100)
    (series,) = readings(ax, {})["series"]
    assert series["values"].split("\n") == [ax.format_ydata(5), ax.format_ydata(50)]
