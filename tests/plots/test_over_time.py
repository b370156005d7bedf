"""Plots of counts over time, tested by their artists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import dates
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.plots.axes import zoom_in

plot_over_time: Any = plots.plot_over_time
"""Typed as Any, since matplotlib's annotations lack methods of artists."""


def every_hour(
    hourly: Callable[..., pd.DataFrame],
    first: str,
    number: int,
    engagement_type: str = "impressions",
) -> pd.DataFrame:
    """Return a count of 1 in each of these hours."""
    start = datetime.fromisoformat(first)
    hours = [start + timedelta(hours=i) for i in range(number)]
    return hourly(*(("1", engagement_type, f"{at:%F}", at.hour, 1) for at in hours))


def circles(ax: Any) -> list[tuple[datetime, float]]:
    """Return the positions of the circles of partial buckets."""
    positions = [
        position
        for collection in ax.collections
        if collection.get_gid() == "partial"
        for position in collection.get_offsets()
    ]
    return [(dates.num2date(x), float(y)) for x, y in positions]


def missing_bands(ax: Any) -> list[tuple[float, float]]:
    """Return start and end of each grey band, in days since 1970."""
    bands = [collection for collection in ax.collections if collection.get_gid() == "missing"]
    boxes = [path.get_extents() for collection in bands for path in collection.get_paths()]
    return [(box.x0, box.x1) for box in boxes]


def test_missing_counts_have_a_grey_band(rows: pd.DataFrame, legend: Any) -> None:
    """Midnight has no count, and the legend explains the band."""
    ax = plot_over_time(rows[(rows["post_id"] == "1") & (rows["engagement_type"] == "impressions")])
    midnight = dates.date2num(datetime(2026, 3, 2, tzinfo=UTC))
    ((start, end),) = missing_bands(ax)
    assert (start, end) == pytest.approx((midnight - 1 / 48, midnight + 1 / 48))
    assert legend(ax)[-1] == "counts are missing"
    assert ax.get_ylim() == (0, 21)


def test_complete_counts_have_no_band(hourly: Any) -> None:
    """A zero is not missing."""
    counts = hourly(*(("1", "impressions", "2026-03-01", hour, hour % 2) for hour in range(6)))
    assert missing_bands(plot_over_time(counts)) == []


@pytest.mark.parametrize("plot", [plot_over_time, plots.plot_running_total])
def test_favorites_are_not_flat_next_to_impressions(hourly: Any, plot: Any) -> None:
    """10 of 1,000 would be 1 % of the height; on a log scale that ends at 1,500 they are 42 %."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 5, 1000), ("1", "favorites", "2026-03-01", 5, 10)
    )
    ax = plt.subplots()[1]
    plot(counts, ax=ax)
    assert ax.get_ylim() == (0, 1500)
    (impressions, favorites) = (line.get_ydata()[0] for line in ax.lines)
    assert (impressions, favorites) == (1000, 10)
    height = ax.transAxes.inverted().transform(ax.transData.transform((0, 10)))[1]
    assert height == pytest.approx(0.42, abs=0.01)
    assert ax.get_ylabel().endswith(", log scale")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "1", "10", "100", "1k"]


def test_a_low_log_scale_has_fewer_ticks(hourly: Any) -> None:
    """111 points have room for three of the five ticks from 0 to 1,000."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 5, 1000), ("1", "favorites", "2026-03-01", 5, 10)
    )
    ax = plot_over_time(counts, ax=plt.subplots(figsize=(6.4, 2))[1])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "10", "1k"]


def test_a_zoom_fits_the_log_scale(hourly: Any) -> None:
    """The two hours that are shown have 200 at most, so the axis ends at 300."""
    hours = enumerate([4000, 200, 10, 10])
    counts = hourly(
        ("1", "favorites", "2026-03-01", 0, 4),
        *(("1", "impressions", "2026-03-01", hour, count) for hour, count in hours),
    )
    ax = plot_over_time(counts)
    zoom_in(ax, *(dates.date2num(datetime(2026, 3, 1, hour, tzinfo=UTC)) for hour in (1, 3)))
    assert ax.get_ylim() == (0, 300)
    assert ax.get_yticks().tolist() == [0, 1, 10, 100]


def test_a_log_scale_has_room_for_unlikes(hourly: Any) -> None:
    """An hour with more unlikes than likes has a negative count; the axis ends just below it."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 5, 1000),
        ("1", "favorites", "2026-03-01", 5, 10),
        ("1", "favorites", "2026-03-01", 6, -2),
    )
    assert plot_over_time(counts).get_ylim() == (-3, 1500)


def test_types_of_similar_size_have_a_linear_axis(hourly: Any) -> None:
    """Ten times is not more than ten times, and a type without any count does not matter."""
    counts = hourly(
        ("1", "engagements", "2026-03-01", 5, 1000),
        ("1", "favorites", "2026-03-01", 5, 100),
        ("1", "replies", "2026-03-01", 5, 0),
    )
    ax = plot_over_time(counts)
    assert ax.get_ylim() == (0, 1050)
    assert ax.get_ylabel() == "counts per hour"


def test_lines_of_posts_have_a_linear_axis(hourly: Any) -> None:
    """They are of one type, so their heights are compared."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 5, 1000), ("2", "impressions", "2026-03-01", 5, 10)
    )
    assert plot_over_time(counts, by="post_id").get_ylim() == (0, 1050)


def test_a_line_without_counts_has_no_band(hourly: Any, legend: Any) -> None:
    """Its name says so, and the band would cover everything."""
    known = [("1", "impressions", "2026-03-01", hour, 1) for hour in range(3)]
    unknown = [("1", "favorites", "2026-03-01", hour, pd.NA) for hour in range(3)]
    ax = plot_over_time(hourly(*known, *unknown))
    assert missing_bands(ax) == []
    assert "favorites (no counts)" in legend(ax)


def test_each_type_has_a_line_summed_over_posts(rows: pd.DataFrame, ys: Any) -> None:
    """10 + 1, 20, a gap, 5; favorites has one hour."""
    drawn = ys(plot_over_time(rows))
    assert drawn["impressions"][:2] == [11, 20]
    assert np.isnan(drawn["impressions"][2])
    assert drawn["impressions"][3] == 5
    assert drawn["favorites"][0] == 3
    assert np.isnan(drawn["favorites"][1:]).all()


def test_each_post_has_a_line_with_the_largest_first(rows: pd.DataFrame, ys: Any) -> None:
    """<NA> is a gap, not a zero."""
    counts = rows[rows["engagement_type"] == "impressions"]
    drawn = ys(plot_over_time(counts, by="post_id"))
    assert list(drawn) == ["1", "2"]
    assert drawn["2"][0] == 1
    assert np.isnan(drawn["2"][1])


def test_one_type_may_be_selected(rows: pd.DataFrame, ys: Any) -> None:
    """A frame of several types need not be filtered first."""
    ax = plot_over_time(rows, by="post_id", engagement_type="impressions")
    assert ys(ax)["1"][:2] == [10, 20]
    assert ax.get_ylabel() == "impressions per hour"


def test_labels_have_units(rows: pd.DataFrame) -> None:
    """They have the bucket and the time zone."""
    ax = plot_over_time(rows)
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("counts per hour", "time (UTC)")
    daily = rows.drop(columns="hour").drop_duplicates(["post_id", "engagement_type", "day"])
    ax = plot_over_time(daily[daily["engagement_type"] == "impressions"])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("impressions per day", "time (UTC)")


@pytest.mark.parametrize(
    ("first", "expected"),
    [("2026-03-27T23:00", [24, 23, 24]), ("2026-10-23T22:00", [24, 25, 24])],
)
def test_days_of_clock_changes_have_their_hours(
    hourly: Any, ys: Any, first: str, expected: list[int]
) -> None:
    """With 1 an hour, Berlin's days have 23 hours in March and 25 in October."""
    counts = every_hour(hourly, first, sum(expected))
    ax = plot_over_time(counts, every="D", tz="Europe/Berlin")
    assert ys(ax)["impressions"] == expected
    zone = ZoneInfo("Europe/Berlin")
    starts = [dates.num2date(x).astimezone(zone) for x in ax.lines[0].get_xdata()]
    assert [start.hour for start in starts] == [0, 0, 0]
    assert ax.get_xlabel() == "time (Europe/Berlin)"
    assert circles(ax) == []


def test_ticks_are_local_midnights(hourly: Any) -> None:
    """They are right before and after the change to summer time."""
    counts = every_hour(hourly, "2026-03-27T12:00", 96)
    ax = plot_over_time(counts, tz="Europe/Berlin")
    zone = ZoneInfo("Europe/Berlin")
    ticks = [dates.num2date(tick).astimezone(zone) for tick in ax.get_xticks()]
    assert [(tick.day, tick.hour) for tick in ticks][1:4] == [(29, 0), (30, 0), (31, 0)]
    assert {tick.utcoffset() for tick in ticks} == {timedelta(hours=1), timedelta(hours=2)}
    labels = ax.xaxis.get_major_formatter().format_ticks(ax.get_xticks())
    assert labels[1:4] == ["29", "30", "31"]


def test_partial_days_at_the_edges_are_marked(hourly: Any, legend: Any) -> None:
    """60 hours from noon are half a day and two complete days."""
    ax = plot_over_time(every_hour(hourly, "2026-03-01T12:00", 60), every="D")
    assert circles(ax) == [(datetime(2026, 3, 1, tzinfo=UTC), 12)]
    assert legend(ax) == ["impressions", "partial day"]
    assert ax.lines[0].get_markevery() == [1, 2]


def test_days_at_unknown_edges_may_be_partial(legend: Any) -> None:
    """A window makes their completeness known."""
    days = {f"2026-03-0{day}": "7" for day in range(1, 6)}
    counts = ep.flatten_json({"g": {"impressions": days}})
    ax = plot_over_time(counts)
    assert [at.day for at, _ in circles(ax)] == [1, 5]
    assert legend(ax) == ["impressions (perhaps partial)", "perhaps a partial day"]
    with_window = plot_over_time(counts, window=("2026-03-01", "2026-03-06"))
    assert circles(with_window) == []
    assert legend(with_window) == []


def test_a_line_of_partial_days_has_marks_at_its_ends(hourly: Any, legend: Any) -> None:
    """The legend says so; a circle for each day would hide the line."""
    counts = hourly(
        *(("1", "impressions", f"2026-03-{day:02d}", 5, 7) for day in range(1, 29)),
    )
    ax = plot_over_time(counts, every="D")
    assert legend(ax) == ["impressions (partial)", "partial day"]
    assert [at.day for at, _ in circles(ax)] == [1, 28]


def test_weeks_and_months_are_drawn(hourly: Any, ys: Any) -> None:
    """Two weeks from Monday, 2 March, have 168 hours each."""
    counts = every_hour(hourly, "2026-03-02T00:00", 336)
    ax = plot_over_time(counts, every="W")
    assert ys(ax)["impressions"] == [168, 168]
    assert ax.get_ylabel() == "impressions per week"
    assert plot_over_time(counts, every="MS").get_ylabel() == "impressions per month"


def test_the_smallest_posts_are_summed_in_a_grey_line(hourly: Any, ys: Any, legend: Any) -> None:
    """Seven posts have lines, and the other 18 one."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 26)])
    ax = plot_over_time(counts, by="post_id")
    drawn = ys(ax)
    assert list(drawn) == ["25", "24", "23", "22", "21", "20", "19", "18 others"]
    assert drawn["18 others"] == [sum(range(1, 19))]
    assert ax.lines[-1].get_color() == "#8C8C8C"
    assert legend(ax) == [*list(drawn)[:-1], "18 others (sum)"]


def test_each_of_eight_posts_has_a_line(hourly: Any, ys: Any) -> None:
    """The eighth has another line style, instead of "1 others"."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 9)])
    ax = plot_over_time(counts, by="post_id")
    assert sorted(ys(ax)) == [str(n) for n in range(1, 9)]
    styles = {(line.get_color(), line.get_linestyle()) for line in ax.lines}
    assert len(styles) == 8
    assert len({colour for colour, _ in styles}) == 7


def test_each_type_has_a_line(hourly: Any) -> None:
    """The 17 lines differ; types are not summed."""
    types = [str(engagement_type) for engagement_type in ep.SERIES_TYPES]
    counts = hourly(
        *[("1", engagement_type, "2026-03-01", 5, n) for n, engagement_type in enumerate(types)]
    )
    ax = plot_over_time(counts)
    assert sorted(line.get_gid() for line in ax.lines) == sorted(types)
    styles = {
        (line.get_color(), line.get_linestyle(), str(line._unscaled_dash_pattern))
        for line in ax.lines
    }
    assert len(styles) == len(types)


@pytest.mark.slow
def test_a_small_chart_has_a_shortened_legend(hourly: Any, legend: Any) -> None:
    """It has the first lines, and the number of the others."""
    types = [str(engagement_type) for engagement_type in ep.SERIES_TYPES]
    counts = hourly(
        *[("1", engagement_type, "2026-03-01", 5, n) for n, engagement_type in enumerate(types)]
    )
    figure = Figure(figsize=(3, 2), layout="constrained")
    ax = plot_over_time(counts, ax=figure.subplots())
    figure.draw_without_rendering()
    entries = legend(ax)
    assert entries[:-1] == [str(engagement_type) for engagement_type in types][: len(entries) - 1]
    assert entries[-1] == f"and {len(types) - len(entries) + 1} more"
    assert ax.get_window_extent().height > 0.2 * figure.bbox.height


def test_lines_may_be_of_any_column(rows: pd.DataFrame, ys: Any) -> None:
    """Campaigns were merged to the counts."""
    counts = rows[rows["engagement_type"] == "impressions"]
    counts = counts.assign(campaign=counts["post_id"].map({"1": "spring", "2": "autumn"}))
    drawn = ys(plot_over_time(counts, by="campaign"))
    assert list(drawn) == ["spring", "autumn"]
    assert drawn["spring"][:2] == [10, 20]


@pytest.mark.slow
def test_posts_have_names_in_the_legend(rows: pd.DataFrame, ys: Any, legend: Any) -> None:
    """The gid is the ID."""
    posts = pd.DataFrame({"post_id": ["2", "1"], "text": ["Two for $5", "مساء الخير 🎉"]})
    counts = rows[rows["engagement_type"] == "impressions"]
    ax = plot_over_time(counts, by="post_id", posts=posts)
    assert list(ys(ax)) == ["1", "2"]
    assert "مساء الخير" in legend(ax)[0]
    assert legend(ax)[1] == "Two for $5"
    ax = plot_over_time(counts, by="post_id", posts=posts[["post_id"]])
    assert legend(ax)[:2] == ["1", "2"]


def test_a_post_without_counts_is_in_the_legend(hourly: Any, legend: Any) -> None:
    """The entry has the reason."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 5, 3), ("2", "impressions", "2026-03-01", 5, pd.NA)
    )
    assert legend(plot_over_time(counts, by="post_id")) == ["1", "2 (no counts)"]


def test_a_point_between_gaps_has_a_dot(hourly: Any) -> None:
    """A line would have no length there."""
    counts = every_hour(hourly, "2026-03-01T00:00", 60).drop(index=[40, 42])
    line = plot_over_time(counts).lines[0]
    assert line.get_marker() == "o"
    assert line.get_markevery() == [41]


@pytest.mark.slow
def test_many_hours_are_drawn_by_day(hourly: Any) -> None:
    """10,000 hours are 417 points; requested hours have thin lines."""
    counts = every_hour(hourly, "2026-01-01T00:00", 10_000)
    ax = plot_over_time(counts)
    assert len(ax.lines[0].get_ydata()) == 417
    assert ax.get_ylabel() == "impressions per day"
    assert len(ax.get_xticks()) <= 8
    hours = plot_over_time(counts, every="h")
    assert len(hours.lines[0].get_ydata()) == 10_000
    assert hours.lines[0].get_linewidth() < 1


def test_a_plot_uses_the_given_axes(rows: pd.DataFrame) -> None:
    """It opens no figure of pyplot."""
    ax = Figure().subplots()
    assert plot_over_time(rows, ax=ax) is ax
    assert plt.get_fignums() == []


def test_the_limits_include_two_plots_on_the_same_axes(hourly: Any) -> None:
    """Both draw on one time axis."""
    ax = plot_over_time(hourly(("1", "favorites", "2026-03-01", 5, 900)))
    plot_over_time(hourly(("1", "favorites", "2026-03-03", 5, 3)), ax=ax)
    left, right = (dates.num2date(x) for x in ax.get_xlim())
    assert (left.day, right.day) == (1, 3)
    assert ax.get_ylim()[1] > 900


def test_keywords_apply_to_lines(rows: pd.DataFrame) -> None:
    """Short forms are accepted too."""
    ax = plot_over_time(rows, linewidth=5, linestyle="--")
    assert {(line.get_linewidth(), line.get_linestyle()) for line in ax.lines} == {(5, "--")}
    ax = plot_over_time(rows, lw=5, ls="--", c="red")
    assert {line.get_color() for line in ax.lines} == {"red"}


def test_the_axis_of_one_point_spans_hours(rows: pd.DataFrame) -> None:
    """It does not span years."""
    ax = plot_over_time(rows.iloc[:1])
    left, right = (dates.num2date(x) for x in ax.get_xlim())
    assert round((right - left).total_seconds()) == 2 * 3600


@pytest.mark.slow
def test_two_days_have_two_ticks(hourly: Any) -> None:
    """Up to eight days have a tick each."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 0, 1), ("1", "impressions", "2026-03-02", 21, 1)
    )
    ax = plot_over_time(counts)
    ticks = [dates.num2date(t) for t in ax.get_xticks()]
    assert [(t.day, t.hour) for t in ticks] == [(1, 0), (2, 0)]


def test_28_hours_have_ticks_between_midnights(hourly: Any) -> None:
    """One tick would not show the scale."""
    ax = plot_over_time(every_hour(hourly, "2026-03-01T08:00", 28))
    assert len(ax.get_xticks()) >= 3


def test_negative_counts_are_drawn(hourly: Any, rows: pd.DataFrame) -> None:
    """The axis begins below 0 for unlikes, otherwise at 0."""
    below = plot_over_time(hourly(("1", "favorites", "2026-03-01", 5, -3)))
    assert below.get_ylim()[0] < -3
    assert plot_over_time(rows).get_ylim()[0] == 0


def test_zeros_are_drawn(hourly: Any) -> None:
    """The axis begins at 0."""
    ax = plot_over_time(hourly(("1", "favorites", "2026-03-01", 5, 0)))
    assert ax.lines[0].get_ydata().tolist() == [0]
    assert ax.get_ylim() == (0, 1)


def test_names_are_not_parsed_as_mathematics(hourly: Any) -> None:
    """An unknown type may contain $ and _."""
    counts = hourly(("1", "_$x^2$", "2026-03-01", 5, 3), ("1", "impressions", "2026-03-01", 5, 3))
    legend = plot_over_time(counts).get_legend()
    assert legend is not None
    texts = {text.get_text(): text.get_parse_math() for text in legend.get_texts()}
    assert texts["_$x^2$"] is False
    assert len(texts) == 2


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda rows: rows.drop(columns="day"), {}, "lack the column 'day'"),
        (lambda rows: rows.iloc[:1].drop(columns=["day", "hour"]), {}, "'engagement.day'"),
        (lambda rows: rows, {"by": "post_id"}, "name one as engagement_type"),
        (lambda rows: rows, {"by": "hour"}, "by is 'hour'"),
        (lambda rows: rows, {"by": ["post_id"]}, r"by is \['post_id'\]"),
        (lambda rows: rows.iloc[:1].drop(columns="post_id"), {"by": "post_id"}, "by is 'post_id'"),
        (lambda rows: rows, {"every": "H"}, "every is 'H'"),
        (lambda rows: rows, {"tz": "Mars"}, "no time zone 'Mars'"),
        (lambda rows: rows, {"posts": ["1"]}, "posts must be a DataFrame"),
    ],
)
def test_invalid_arguments_are_refused_without_a_figure(
    rows: pd.DataFrame, change: Any, arguments: dict[str, Any], message: str
) -> None:
    """Counts without time, several types in a line, and unknown columns."""
    with pytest.raises(ep.FrameError, match=message):
        plot_over_time(change(rows), **arguments)
    assert plt.get_fignums() == []


def test_a_line_begins_with_the_creation_of_its_post(life: Any, ys: Any) -> None:
    """Zeros before it are not drawn; later ones are."""
    early = life("2026-03-01 05:20", [4, 0, 9, 0])
    late = life("2026-03-01 07:40", [6, 0], serial=1)
    before = late.assign(hour=late["hour"] - 2, count=pd.array([0, 0], dtype="Int64"))
    counts = pd.concat([early, before, late], ignore_index=True)
    counts.attrs = early.attrs
    ax = ep.plot_over_time(counts, by="post_id")
    assert sorted(ys(ax).values(), key=len) == [[6, 0], [4, 0, 9, 0]]


def test_a_count_before_the_creation_is_drawn(life: Any, ys: Any) -> None:
    """A wrong time in an ID hides no counts."""
    late = life("2026-03-01 07:40", [6, 0])
    counts = pd.concat([late.assign(hour=late["hour"] - 2), late], ignore_index=True)
    ax = ep.plot_over_time(counts, by="post_id")
    assert [*ys(ax).values()] == [[6, 0, 6, 0]]


def test_a_line_of_a_group_begins_with_its_oldest_post(life: Any, ys: Any) -> None:
    """Lines of types do too."""
    old = life("2026-03-01 06:00", [0, 2, 0])
    new = life("2026-03-01 07:40", [6, 0], serial=1)
    before = old.assign(hour=old["hour"] - 3, count=pd.array([0, 0, 0], dtype="Int64"))
    counts = pd.concat([before, old, new], ignore_index=True)
    assert [*ys(ep.plot_over_time(counts)).values()] == [[0, 8, 0]]


def test_a_colour_applies_to_the_partial_circles(hourly: Any) -> None:
    """All parts of the line have it."""
    counts = hourly(
        *[("7", "impressions", f"2026-03-0{day}", hour, 5) for day in (1, 2) for hour in range(24)],
        ("7", "impressions", "2026-03-03", 0, 5),
    )
    ax = ep.plot_over_time(counts, every="D", color="#009E73")
    (marks,) = [collection for collection in ax.collections if collection.get_gid() == "partial"]
    assert {to_hex(colour) for colour in marks.get_edgecolors()} == {"#009e73"}


@pytest.mark.slow
def test_posts_without_a_value_have_a_separate_line() -> None:
    """It is not labelled as a sum of several lines."""
    counts = ep.flatten_json(
        {"g": {post: {"favorites": {"2026-03-01": "5"}} for post in ("7", "8")}}
    )
    posts = pd.DataFrame({"post_id": ["7"], "kind": ["reply"]})
    ax = ep.plot_over_time(counts, by="kind", posts=posts)
    labels = [text.get_text() for text in ax.figure.findobj(Text)]
    assert any(label.startswith("<NA>") for label in labels)
    assert not any("(sum)" in label for label in labels)


def test_dots_on_all_lines_or_on_none(life: Any) -> None:
    """A short line next to a long one has no dots: they would stand for something else."""
    short = life("2026-03-02T10:00:00", [9] * 5, serial=1)
    ax = plot_over_time(pd.concat([life("2026-03-01T00:00:00", [9] * 39), short]), by="post_id")
    assert [len(line.get_xdata()) for line in ax.lines] == [39, 5]
    assert [line.get_marker() for line in ax.lines] == ["None", "None"]
    assert plot_over_time(short, by="post_id").lines[0].get_marker() == "o"
