"""Artists, not pixels: what the lines, labels and axes of counts over time say."""

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

plot_over_time: Any = plots.plot_over_time
"""Its artists can do more than matplotlib's annotations know."""


def every_hour(
    hourly: Callable[..., pd.DataFrame], first: str, number: int, kind: str = "impressions"
) -> pd.DataFrame:
    """Make a count of 1 in each of so many hours."""
    start = datetime.fromisoformat(first)
    hours = [start + timedelta(hours=place) for place in range(number)]
    return hourly(*(("1", kind, f"{at:%F}", at.hour, 1) for at in hours))


def circles(ax: Any) -> list[tuple[datetime, float]]:
    """Return where the circles of partial buckets are."""
    found = [
        spot
        for each in ax.collections
        if each.get_gid() == "partial"
        for spot in each.get_offsets()
    ]
    return [(dates.num2date(x), float(y)) for x, y in found]


def missing_bands(ax: Any) -> list[tuple[float, float]]:
    """Return start and end of each grey band, in days since 1970."""
    found = [each for each in ax.collections if each.get_gid() == "missing"]
    boxes = [path.get_extents() for each in found for path in each.get_paths()]
    return [(box.x0, box.x1) for box in boxes]


def test_missing_counts_have_a_band(rows: pd.DataFrame, legend: Any) -> None:
    """No count of midnight, and the legend says what the band is."""
    ax = plot_over_time(rows[(rows["post_id"] == "1") & (rows["engagement_type"] == "impressions")])
    midnight = dates.date2num(datetime(2026, 3, 2, tzinfo=UTC))
    ((start, end),) = missing_bands(ax)
    assert (start, end) == pytest.approx((midnight - 1 / 48, midnight + 1 / 48))
    assert legend(ax)[-1] == "counts are missing"
    assert ax.get_ylim() == (0, 21)


def test_nothing_missing_has_no_band(hourly: Any) -> None:
    """A true zero is none."""
    counts = hourly(*(("1", "impressions", "2026-03-01", hour, hour % 2) for hour in range(6)))
    assert missing_bands(plot_over_time(counts)) == []


def test_a_line_without_any_count_has_no_band(hourly: Any, legend: Any) -> None:
    """Its name says so already, and the band would cover everything."""
    known = [("1", "impressions", "2026-03-01", hour, 1) for hour in range(3)]
    unknown = [("1", "favorites", "2026-03-01", hour, pd.NA) for hour in range(3)]
    ax = plot_over_time(hourly(*known, *unknown))
    assert missing_bands(ax) == []
    assert "favorites (no counts)" in legend(ax)


def test_a_line_each_type_summed_over_posts(rows: pd.DataFrame, ys: Any) -> None:
    """10 + 1, 20, a gap where there is no hour, 5; favorites has one hour."""
    drawn = ys(plot_over_time(rows))
    assert drawn["impressions"][:2] == [11, 20]
    assert np.isnan(drawn["impressions"][2])
    assert drawn["impressions"][3] == 5
    assert drawn["favorites"][0] == 3
    assert np.isnan(drawn["favorites"][1:]).all()


def test_a_line_each_post_largest_first(rows: pd.DataFrame, ys: Any) -> None:
    """<NA> is a gap and no zero."""
    counts = rows[rows["engagement_type"] == "impressions"]
    drawn = ys(plot_over_time(counts, by="post_id"))
    assert list(drawn) == ["1", "2"]
    assert drawn["2"][0] == 1
    assert np.isnan(drawn["2"][1])


def test_one_type_by_its_name(rows: pd.DataFrame, ys: Any) -> None:
    """A frame of several types need not be filtered first."""
    ax = plot_over_time(rows, by="post_id", engagement_type="impressions")
    assert ys(ax)["1"][:2] == [10, 20]
    assert ax.get_ylabel() == "impressions per hour"


def test_labels_with_units(rows: pd.DataFrame) -> None:
    """What, per what, in which time zone."""
    ax = plot_over_time(rows)
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("counts per hour", "time (UTC)")
    daily = rows.drop(columns="hour").drop_duplicates(["post_id", "engagement_type", "day"])
    ax = plot_over_time(daily[daily["engagement_type"] == "impressions"])
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("impressions per day", "time (UTC)")


@pytest.mark.parametrize(
    ("first", "expected"),
    [("2026-03-27T23:00", [24, 23, 24]), ("2026-10-23T22:00", [24, 25, 24])],
)
def test_days_where_the_clocks_change(
    hourly: Any, ys: Any, first: str, expected: list[int]
) -> None:
    """With 1 an hour, Berlin's days count their hours: 23 in March, 25 in October."""
    counts = every_hour(hourly, first, sum(expected))
    ax = plot_over_time(counts, every="D", tz="Europe/Berlin")
    assert ys(ax)["impressions"] == expected
    zone = ZoneInfo("Europe/Berlin")
    starts = [dates.num2date(x).astimezone(zone) for x in ax.lines[0].get_xdata()]
    assert [start.hour for start in starts] == [0, 0, 0]
    assert ax.get_xlabel() == "time (Europe/Berlin)"
    assert circles(ax) == []


def test_ticks_are_local_midnights(hourly: Any) -> None:
    """Before and after the change to summer time."""
    counts = every_hour(hourly, "2026-03-27T12:00", 96)
    ax = plot_over_time(counts, tz="Europe/Berlin")
    zone = ZoneInfo("Europe/Berlin")
    ticks = [dates.num2date(tick).astimezone(zone) for tick in ax.get_xticks()]
    assert [(tick.day, tick.hour) for tick in ticks][1:4] == [(29, 0), (30, 0), (31, 0)]
    assert {tick.utcoffset() for tick in ticks} == {timedelta(hours=1), timedelta(hours=2)}
    labels = ax.xaxis.get_major_formatter().format_ticks(ax.get_xticks())
    assert labels[1:4] == ["29", "30", "31"]


def test_partial_days_at_the_edges(hourly: Any, legend: Any) -> None:
    """60 hours from noon: half a day, two whole ones, and nothing else is marked."""
    ax = plot_over_time(every_hour(hourly, "2026-03-01T12:00", 60), every="D")
    assert circles(ax) == [(datetime(2026, 3, 1, tzinfo=UTC), 12)]
    assert legend(ax) == ["impressions", "partial day"]
    assert ax.lines[0].get_markevery() == [1, 2]


def test_days_that_may_be_partial(legend: Any) -> None:
    """Counts by day do not tell whether the edges are whole; with the window they do."""
    days = {f"2026-03-0{day}": "7" for day in range(1, 6)}
    counts = ep.flatten_json({"g": {"impressions": days}})
    ax = plot_over_time(counts)
    assert [at.day for at, _ in circles(ax)] == [1, 5]
    assert legend(ax) == ["impressions (perhaps partial)", "perhaps a partial day"]
    sure = plot_over_time(counts, window=("2026-03-01", "2026-03-06"))
    assert circles(sure) == []
    assert legend(sure) == []


def test_a_line_that_is_partial_throughout(hourly: Any, legend: Any) -> None:
    """Not a circle each, which would hide it, but a word; its two ends are marked."""
    counts = hourly(
        *(("1", "impressions", f"2026-03-{day:02d}", 5, 7) for day in range(1, 29)),
    )
    ax = plot_over_time(counts, every="D")
    assert legend(ax) == ["impressions (partial)", "partial day"]
    assert [at.day for at, _ in circles(ax)] == [1, 28]


def test_weeks_and_months(hourly: Any, ys: Any) -> None:
    """From Monday, March 2nd, two weeks of 168 hours."""
    counts = every_hour(hourly, "2026-03-02T00:00", 336)
    ax = plot_over_time(counts, every="W")
    assert ys(ax)["impressions"] == [168, 168]
    assert ax.get_ylabel() == "impressions per week"
    assert plot_over_time(counts, every="MS").get_ylabel() == "impressions per month"


def test_more_posts_than_colours(hourly: Any, ys: Any, legend: Any) -> None:
    """Seven lines and one grey one, which sums up the 18 smallest."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 26)])
    ax = plot_over_time(counts, by="post_id")
    drawn = ys(ax)
    assert list(drawn) == ["25", "24", "23", "22", "21", "20", "19", "18 others"]
    assert drawn["18 others"] == [sum(range(1, 19))]
    assert ax.lines[-1].get_color() == "#8C8C8C"
    assert legend(ax) == [*list(drawn)[:-1], "18 others (sum)"]


def test_eight_posts_have_lines_of_their_own(hourly: Any, ys: Any) -> None:
    """Nobody is called "1 others"; the eighth has another line style."""
    counts = hourly(*[(str(n), "impressions", "2026-03-01", 5, n) for n in range(1, 9)])
    ax = plot_over_time(counts, by="post_id")
    assert sorted(ys(ax)) == [str(n) for n in range(1, 9)]
    looks = {(line.get_color(), line.get_linestyle()) for line in ax.lines}
    assert len(looks) == 8
    assert len({colour for colour, _ in looks}) == 7


def test_all_types_have_lines_of_their_own(hourly: Any) -> None:
    """Types are not summed up, since they do not add up: 17 lines, no two alike."""
    kinds = [str(kind) for kind in ep.SERIES_TYPES]
    counts = hourly(*[("1", kind, "2026-03-01", 5, n) for n, kind in enumerate(kinds)])
    ax = plot_over_time(counts)
    assert sorted(line.get_gid() for line in ax.lines) == sorted(kinds)
    looks = {
        (line.get_color(), line.get_linestyle(), str(line._unscaled_dash_pattern))
        for line in ax.lines
    }
    assert len(looks) == len(kinds)


@pytest.mark.slow
def test_a_legend_leaves_room_for_the_picture(hourly: Any, legend: Any) -> None:
    """On a small one it names the first lines, and says how many more there are."""
    kinds = [str(kind) for kind in ep.SERIES_TYPES]
    counts = hourly(*[("1", kind, "2026-03-01", 5, n) for n, kind in enumerate(kinds)])
    figure = Figure(figsize=(3, 2), layout="constrained")
    ax = plot_over_time(counts, ax=figure.subplots())
    figure.draw_without_rendering()
    named = legend(ax)
    assert named[:-1] == [str(kind) for kind in kinds][: len(named) - 1]
    assert named[-1] == f"and {len(kinds) - len(named) + 1} more"
    assert ax.get_window_extent().height > 0.2 * figure.bbox.height


def test_a_column_of_ones_own(rows: pd.DataFrame, ys: Any) -> None:
    """What was merged to the counts may be what is compared."""
    counts = rows[rows["engagement_type"] == "impressions"]
    counts = counts.assign(campaign=counts["post_id"].map({"1": "spring", "2": "autumn"}))
    drawn = ys(plot_over_time(counts, by="campaign"))
    assert list(drawn) == ["spring", "autumn"]
    assert drawn["spring"][:2] == [10, 20]


@pytest.mark.slow
def test_posts_by_their_words(rows: pd.DataFrame, ys: Any, legend: Any) -> None:
    """Names in the legend; in the gid the ID."""
    posts = pd.DataFrame({"post_id": ["2", "1"], "text": ["Two for $5", "مساء الخير 🎉"]})
    counts = rows[rows["engagement_type"] == "impressions"]
    ax = plot_over_time(counts, by="post_id", posts=posts)
    assert list(ys(ax)) == ["1", "2"]
    assert "مساء الخير" in legend(ax)[0]
    assert legend(ax)[1] == "Two for $5"
    ax = plot_over_time(counts, by="post_id", posts=posts[["post_id"]])
    assert legend(ax)[:2] == ["1", "2"]


def test_a_post_without_any_count_is_named(hourly: Any, legend: Any) -> None:
    """It was asked for, so it is in the legend, and says why it has no line."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 5, 3), ("2", "impressions", "2026-03-01", 5, pd.NA)
    )
    assert legend(plot_over_time(counts, by="post_id")) == ["1", "2 (no counts)"]


def test_a_point_between_gaps_is_seen(hourly: Any) -> None:
    """A line has no length there; so it has a dot, though there are many points."""
    counts = every_hour(hourly, "2026-03-01T00:00", 60).drop(index=[40, 42])
    line = plot_over_time(counts).lines[0]
    assert line.get_marker() == "o"
    assert line.get_markevery() == [41]


def test_ten_thousand_hours(hourly: Any) -> None:
    """By day unless somebody asks: 417 points, and thin lines where hours are requested."""
    counts = every_hour(hourly, "2026-01-01T00:00", 10_000)
    ax = plot_over_time(counts)
    assert len(ax.lines[0].get_ydata()) == 417
    assert ax.get_ylabel() == "impressions per day"
    assert len(ax.get_xticks()) <= 8
    hours = plot_over_time(counts, every="h")
    assert len(hours.lines[0].get_ydata()) == 10_000
    assert hours.lines[0].get_linewidth() < 1


def test_draws_where_it_is_told(rows: pd.DataFrame) -> None:
    """On given Axes, without pyplot: no figure of its own."""
    ax = Figure().subplots()
    assert plot_over_time(rows, ax=ax) is ax
    assert plt.get_fignums() == []


def test_two_pictures_on_the_same_axes(hourly: Any) -> None:
    """The limits hold both."""
    ax = plot_over_time(hourly(("1", "favorites", "2026-03-01", 5, 900)))
    plot_over_time(hourly(("1", "favorites", "2026-03-03", 5, 3)), ax=ax)
    left, right = (dates.num2date(x) for x in ax.get_xlim())
    assert (left.day, right.day) == (1, 3)
    assert ax.get_ylim()[1] > 900


def test_line_keywords(rows: pd.DataFrame) -> None:
    """The words that matplotlib has for lines are passed on, the short ones too."""
    ax = plot_over_time(rows, linewidth=5, linestyle="--")
    assert {(line.get_linewidth(), line.get_linestyle()) for line in ax.lines} == {(5, "--")}
    ax = plot_over_time(rows, lw=5, ls="--", c="red")
    assert {line.get_color() for line in ax.lines} == {"red"}


def test_one_point(rows: pd.DataFrame) -> None:
    """The axis spans hours, not years."""
    ax = plot_over_time(rows.iloc[:1])
    left, right = (dates.num2date(x) for x in ax.get_xlim())
    assert round((right - left).total_seconds()) == 2 * 3600


def test_two_days_have_two_ticks(hourly: Any) -> None:
    """One tick a day up to eight days."""
    counts = hourly(
        ("1", "impressions", "2026-03-01", 0, 1), ("1", "impressions", "2026-03-02", 21, 1)
    )
    ax = plot_over_time(counts)
    ticks = [dates.num2date(t) for t in ax.get_xticks()]
    assert [(t.day, t.hour) for t in ticks] == [(1, 0), (2, 0)]


def test_28_hours_have_ticks_between_midnights(hourly: Any) -> None:
    """One tick would not tell the scale."""
    ax = plot_over_time(every_hour(hourly, "2026-03-01T08:00", 28))
    assert len(ax.get_xticks()) >= 3


def test_negative_counts_are_shown(hourly: Any, rows: pd.DataFrame) -> None:
    """Unlikes: the axis goes below 0; without them it starts there."""
    below = plot_over_time(hourly(("1", "favorites", "2026-03-01", 5, -3)))
    assert below.get_ylim()[0] < -3
    assert plot_over_time(rows).get_ylim()[0] == 0


def test_nothing_but_zeros(hourly: Any) -> None:
    """A true zero is drawn, on an axis that does not go below it."""
    ax = plot_over_time(hourly(("1", "favorites", "2026-03-01", 5, 0)))
    assert ax.lines[0].get_ydata().tolist() == [0]
    assert ax.get_ylim() == (0, 1)


def test_names_are_never_mathematics(hourly: Any) -> None:
    """An unknown type with $ and _ stands in the legend as it is."""
    counts = hourly(("1", "_$x^2$", "2026-03-01", 5, 3), ("1", "impressions", "2026-03-01", 5, 3))
    legend = plot_over_time(counts).get_legend()
    assert legend is not None
    texts = {text.get_text(): text.get_parse_math() for text in legend.get_texts()}
    assert texts["_$x^2$"] is False
    assert len(texts) == 2


@pytest.mark.parametrize(
    ("change", "words", "complaint"),
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
def test_refused(rows: pd.DataFrame, change: Any, words: dict[str, Any], complaint: str) -> None:
    """Counts without time, several types in a line, a column that is none; and no figure."""
    with pytest.raises(ep.FrameError, match=complaint):
        plot_over_time(change(rows), **words)
    assert plt.get_fignums() == []


def test_a_line_begins_with_its_post(life: Any, ys: Any) -> None:
    """Zeros of the hours before a post existed are not drawn; those after it are."""
    early = life("2026-03-01 05:20", [4, 0, 9, 0])
    late = life("2026-03-01 07:40", [6, 0], serial=1)
    before = late.assign(hour=late["hour"] - 2, count=pd.array([0, 0], dtype="Int64"))
    counts = pd.concat([early, before, late], ignore_index=True)
    counts.attrs = early.attrs
    ax = ep.plot_over_time(counts, by="post_id")
    assert sorted(ys(ax).values(), key=len) == [[6, 0], [4, 0, 9, 0]]


def test_a_count_before_its_post_is_drawn(life: Any, ys: Any) -> None:
    """An ID that is wrong about its time hides nothing."""
    late = life("2026-03-01 07:40", [6, 0])
    counts = pd.concat([late.assign(hour=late["hour"] - 2), late], ignore_index=True)
    ax = ep.plot_over_time(counts, by="post_id")
    assert [*ys(ax).values()] == [[6, 0, 6, 0]]


def test_a_group_begins_with_its_oldest_post(life: Any, ys: Any) -> None:
    """As does a type."""
    old = life("2026-03-01 06:00", [0, 2, 0])
    new = life("2026-03-01 07:40", [6, 0], serial=1)
    before = old.assign(hour=old["hour"] - 3, count=pd.array([0, 0, 0], dtype="Int64"))
    counts = pd.concat([before, old, new], ignore_index=True)
    assert [*ys(ep.plot_over_time(counts)).values()] == [[0, 8, 0]]


def test_a_colour_reaches_the_partial_circles(hourly: Any) -> None:
    """One colour for all that belongs to the line."""
    counts = hourly(
        *[("7", "impressions", f"2026-03-0{day}", hour, 5) for day in (1, 2) for hour in range(24)],
        ("7", "impressions", "2026-03-03", 0, 5),
    )
    ax = ep.plot_over_time(counts, every="D", color="#009E73")
    (circles,) = [other for other in ax.collections if other.get_gid() == "partial"]
    assert {to_hex(colour) for colour in circles.get_edgecolors()} == {"#009e73"}


@pytest.mark.slow
def test_posts_without_a_value_have_a_line_of_their_own() -> None:
    """It is not the sum of several lines, as its label would say."""
    counts = ep.flatten_json(
        {"g": {post: {"favorites": {"2026-03-01": "5"}} for post in ("7", "8")}}
    )
    posts = pd.DataFrame({"post_id": ["7"], "kind": ["reply"]})
    ax = ep.plot_over_time(counts, by="kind", posts=posts)
    labels = [text.get_text() for text in ax.figure.findobj(Text)]
    assert any(label.startswith("<NA>") for label in labels)
    assert not any("(sum)" in label for label in labels)
