"""Two strips of posts and a difference."""

from __future__ import annotations

import re
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.metrics import compare
from engagement_pandas.plots.style import group_colours

plot_compare: Any = plots.plot_compare
"""Its artists can do more than matplotlib's annotations know."""


def posts(first: int, rates: list[int]) -> pd.DataFrame:
    """Make totals: 1,000 impressions a post, and so many engagements."""
    bodies = {
        str(first + place): {"impressions": "1000", "engagements": str(rate)}
        for place, rate in enumerate(rates)
    }
    return ep.flatten_json({"g": bodies})


A = posts(100, [50, 51, 52, 53, 54, 55])
B = posts(200, [20, 21, 22, 23, 24, 25])


def rows_of(ax: Any) -> list[str]:
    """Return the names beside the rows, from the top."""
    return [label.get_text() for label in ax.get_yticklabels()]


def line_of(ax: Any, gid: str | None) -> list[float]:
    """Return the x values of the ends of a line; the whiskers have no gid."""
    (line,) = [each for each in ax.collections if each.get_gid() == gid]
    return list(line.get_segments()[0][:, 0])


def dots_of(ax: Any, gid: str) -> list[float]:
    """Return the x values of the posts of a set."""
    (dots,) = [each for each in ax.collections if each.get_gid() == f"posts:{gid}"]
    return list(dots.get_offsets()[:, 0])


@pytest.mark.slow
def test_both_rates_and_their_difference() -> None:
    """315 and 135 of 6,000: 5.25 % and 2.25 %; the difference is seen from b's rate."""
    ax = plot_compare(A, B, at=None)
    assert line_of(ax, "rate:a") == [0.0525] * 2
    assert line_of(ax, "rate:b") == line_of(ax, "equal") == [0.0225] * 2
    assert dots_of(ax, "a") == [0.05, 0.051, 0.052, 0.053, 0.054, 0.055]
    (dot,) = [line for line in ax.lines if line.get_gid() == "difference"]
    assert dot.get_xdata()[0] == 0.0525
    assert rows_of(ax) == ["a\n6 posts", "b\n6 posts", "difference\n95 % interval"]
    label = ax.get_xlabel().replace("\n", " ")
    assert label == "engagements over impressions; dashed: no difference"


@pytest.mark.slow
def test_the_interval_is_that_of_the_metric() -> None:
    """Its whiskers end at b's rate, plus low and high."""
    result = compare(A, B, at=None, seed=3).iloc[0]
    ax = plot_compare(A, B, at=None, seed=3)
    ends = [0.0225 + result["low"], 0.0225 + result["high"]]
    assert line_of(ax, None) == pytest.approx(ends)
    title = ep.headline(ax)
    assert title == result["finding"]
    assert title.startswith("the rate of a is 3 percentage points higher than that of b, 2")


def test_no_difference() -> None:
    """The same posts under other IDs: 0, and what would have been found."""
    ax = plot_compare(A, posts(300, [50, 51, 52, 53, 54, 55]), at=None)
    title = ep.headline(ax)
    assert "0 percentage points" in title
    assert re.search(r"no difference found; a difference of 0\.\d+ points would be found", title)


def test_few_posts_have_no_interval() -> None:
    """Four on a side do not tell how much posts differ."""
    ax = plot_compare(posts(100, [50, 51, 52, 53]), B, at=None)
    assert "not enough posts for an interval" in ep.headline(ax)
    assert None not in {each.get_gid() for each in ax.collections}


def test_counts_are_never_below_zero() -> None:
    """Means of 2.5 and 5.7 with an interval that goes below: it is cut at zero."""
    ax = plot_compare(
        posts(100, [1, 2, 3, 1, 1, 7]), posts(200, [1, 2, 3, 4, 5, 19]),
        by="engagements", at=None, statistic="mean",
    )  # fmt: skip
    assert line_of(ax, None)[0] == 0
    assert ax.get_xlim()[0] > 0
    assert ax.get_xscale() == "log"


@pytest.mark.slow
def test_posts_without_counts_are_at_zero() -> None:
    """A logarithmic axis has no zero, so this one is linear below 1."""
    ax = plot_compare(
        posts(100, [0, 5, 6, 7, 8]), posts(200, [5, 5, 6, 7, 8]), by="engagements", at=None
    )
    assert dots_of(ax, "a") == [0, 5, 6, 7, 8]
    assert ax.get_xscale() == "symlog"
    assert ax.get_xlim()[0] < 0


@pytest.mark.slow
def test_a_rate_of_few_impressions_does_not_flatten_the_others() -> None:
    """1 of 1 is 100 %: beyond the axis, which is said."""
    single = ep.flatten_json({"g": {"300": {"impressions": "1", "engagements": "1"}}})
    ax = plot_compare(pd.concat([A, single], ignore_index=True), B, at=None)
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlim()[1] < 0.1
    assert ax.get_xlabel().endswith("\nbeyond the axis: 1 post")
    (dots,) = [each for each in ax.collections if each.get_gid() == "posts:a"]
    *large, small = dots.get_sizes()
    assert set(large) == {66}
    assert small < 7


@pytest.mark.slow
def test_a_given_colour_reaches_posts_and_line() -> None:
    """By any of matplotlib's words."""
    for words in ({"color": "red"}, {"c": "red"}, {"facecolor": "red"}):
        ax = plot_compare(A, B, at=None, **words)
        parts = {each.get_gid(): each for each in ax.collections}
        assert to_hex(parts["posts:a"].get_facecolors()[0]) == "#ff0000"
        assert to_hex(parts["rate:a"].get_colors()[0]) == "#ff0000"


@pytest.mark.slow
def test_a_group_has_its_colour() -> None:
    """That of lines over time by the same column."""
    counts = pd.concat([A.assign(handle="x"), B.assign(handle="y")], ignore_index=True)
    ax = plot_compare(counts, by="handle", at=None)
    drawn = [each for each in ax.collections if each.get_gid() in ("rate:a", "rate:b")]
    colours = group_colours(counts["handle"])
    assert [to_hex(each.get_colors()[0]).upper() for each in drawn] == list(colours.values())


@pytest.mark.slow
def test_counts_at_an_age(life: Any) -> None:
    """Two hours after posting; the youngest post is left out, and that is said."""
    a = pd.concat([life("2026-03-01T10:00:00", [n, n, n], serial=n) for n in range(1, 7)])
    b = pd.concat([life("2026-03-01T10:00:00", [9, 9, 9], serial=n) for n in range(11, 17)])
    young = life("2026-03-01T12:00:00", [9], serial=20)
    ax = plot_compare(a, pd.concat([b, young]), by="impressions", at=2, statistic="mean")
    assert (line_of(ax, "mean:a"), line_of(ax, "mean:b")) == ([7, 7], [18, 18])
    assert ax.get_xlabel().replace("\n", " ") == (
        "impressions per post; lines: the mean (log scale), 2 hours after posting; "
        "dashed: no difference left out: 0 and 1 posts, too young or with gaps"
    )
    assert "the mean post of a has 11 fewer than that of b" in ep.headline(ax)
    assert sorted(dots_of(ax, "a")) == [2, 4, 6, 8, 10, 12]


@pytest.mark.slow
def test_typical_posts() -> None:
    """On a logarithmic axis: every post is a dot, and a line marks the typical one."""
    ax = plot_compare(A, B, by="engagements", at=None, names=("new ones", "old"))
    assert ax.get_xscale() == "log"
    assert ep.headline(ax).startswith("a typical post of “new ones” gets 2.3 times")
    assert rows_of(ax)[:2] == ["new ones\n6 posts", "old\n6 posts"]
    typical = compare(A, B, by="engagements", at=None).iloc[0]
    assert line_of(ax, "typical:a") == pytest.approx([typical["a"]] * 2)
    assert line_of(ax, "typical:b") == pytest.approx([typical["b"]] * 2)
    ends = [(1 + typical["b"]) * typical[end] - 1 for end in ("low", "high")]
    assert line_of(ax, None) == pytest.approx(ends)


@pytest.mark.slow
def test_a_column_of_three_values() -> None:
    """One row for each; the title names those that differ, and the correction."""
    frames = [A, B, posts(300, [21, 22, 23, 24, 25, 26])]
    counts = pd.concat(
        [frame.assign(handle=name) for frame, name in zip(frames, "xyz", strict=True)],
        ignore_index=True,
    )
    ax = plot_compare(counts, by="handle", of="engagements", at=None)
    assert rows_of(ax) == ["x\n6 posts", "y\n6 posts", "z\n6 posts"]
    title = ep.headline(ax)
    assert title.startswith("a typical post of x gets 2.2 times as much as one of the others")
    assert title.endswith("of 3 sets against the others (Holm's correction)")


@pytest.mark.slow
def test_names() -> None:
    """What the sets are called, without what the font lacks."""
    ax = plot_compare(A, B, at=None, names=("$5 offers 🎉", "🎉"))
    assert [row.split("\n")[0] for row in rows_of(ax)[:2]] == ["$5 offers", "b"]
    assert ep.headline(ax).startswith("the rate of “$5 offers” is")


def test_nothing_to_compare() -> None:
    """One side empty: the other is drawn, and there is no difference to speak of."""
    ax = plot_compare(A, B.iloc[:0], at=None)
    assert "nothing to compare" in ep.headline(ax)
    assert rows_of(ax)[1] == "b\n0 posts"


@pytest.mark.parametrize("names", ["ab", ("a",), ("a", 2)])
def test_names_refused(names: Any) -> None:
    """Two texts, and nothing else."""
    with pytest.raises(ep.FrameError, match="names is"):
        plot_compare(A, B, at=None, names=names)


def test_refused() -> None:
    """As the metric does, before there is a figure."""
    with pytest.raises(ep.FrameError, match="in both sets"):
        plot_compare(A, A, at=None)
    assert plt.get_fignums() == []


def test_a_mean_below_zero_is_drawn() -> None:
    """Unlikes: the interval is clipped at zero, and does not reach below the value's own side."""

    def posts(first: int, count: int) -> pd.DataFrame:
        bodies = {str(first + n): {"favorites": str(count + n)} for n in range(6)}
        return ep.flatten_json({"g": bodies})

    ep.plot_compare(posts(100, -20), posts(200, -5), by="favorites", statistic="mean", at=None)
