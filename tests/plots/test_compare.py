"""The plot of a comparison: two strips of posts and a difference."""

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
from engagement_pandas.plots.colours import group_colours

plot_compare: Any = plots.plot_compare
"""Typed as Any, since matplotlib's annotations lack methods of artists."""


def posts(first: int, rates: list[int]) -> pd.DataFrame:
    """Return totals of posts with 1,000 impressions and these engagements."""
    bodies = {
        str(first + i): {"impressions": "1000", "engagements": str(rate)}
        for i, rate in enumerate(rates)
    }
    return ep.flatten_json({"g": bodies})


A = posts(100, [50, 51, 52, 53, 54, 55])
B = posts(200, [20, 21, 22, 23, 24, 25])


def rows_of(ax: Any) -> list[str]:
    """Return the names of the rows, from the top."""
    return [label.get_text() for label in ax.get_yticklabels()]


def line_of(ax: Any, gid: str | None) -> list[float]:
    """Return the x values of the ends of a line; whiskers have no gid."""
    (line,) = [collection for collection in ax.collections if collection.get_gid() == gid]
    return list(line.get_segments()[0][:, 0])


def dots_of(ax: Any, gid: str) -> list[float]:
    """Return the x values of the posts of a set."""
    (dots,) = [
        collection for collection in ax.collections if collection.get_gid() == f"posts:{gid}"
    ]
    return list(dots.get_offsets()[:, 0])


@pytest.mark.slow
def test_the_rates_and_their_difference_are_drawn() -> None:
    """315 and 135 of 6,000 are 5.25 % and 2.25 %; the difference begins at b's rate."""
    ax = plot_compare(A, B, at=None)
    assert line_of(ax, "rate:a") == [0.0525] * 2
    assert line_of(ax, "rate:b") == line_of(ax, "equal") == [0.0225] * 2
    assert dots_of(ax, "a") == [0.05, 0.051, 0.052, 0.053, 0.054, 0.055]
    (dot,) = [line for line in ax.lines if line.get_gid() == "difference"]
    assert dot.get_xdata()[0] == 0.0525
    assert rows_of(ax) == ["a\n6 posts", "b\n6 posts", "difference\n95 % interval"]
    label = ax.get_xlabel().replace("\n", " ")
    assert (
        label
        == "engagements over impressions; larger dots: more impressions; dashed: no difference"
    )


@pytest.mark.slow
def test_the_interval_is_that_of_the_metric() -> None:
    """Its whiskers end at b's rate plus low and high."""
    result = compare(A, B, at=None, seed=3).iloc[0]
    ax = plot_compare(A, B, at=None, seed=3)
    ends = [0.0225 + result["low"], 0.0225 + result["high"]]
    assert line_of(ax, None) == pytest.approx(ends)
    title = ep.headline(ax)
    assert title == result["finding"]
    assert title.startswith("the rate of a is 3 percentage points higher than that of b, 2")


@pytest.mark.slow
def test_equal_sets_have_the_detectable_difference() -> None:
    """Both sets have the same counts under different IDs."""
    ax = plot_compare(A, posts(300, [50, 51, 52, 53, 54, 55]), at=None)
    title = ep.headline(ax)
    assert "0 percentage points" in title
    assert re.search(r"no difference found; a difference of 0\.\d+ points would be found", title)


def test_few_posts_have_no_interval() -> None:
    """Four posts on a side are too few."""
    ax = plot_compare(posts(100, [50, 51, 52, 53]), B, at=None)
    assert "not enough posts for an interval" in ep.headline(ax)
    assert rows_of(ax)[-1] == "difference"
    assert None not in {collection.get_gid() for collection in ax.collections}


def test_an_interval_of_counts_is_cut_at_zero() -> None:
    """Means of 2.5 and 5.7 have an interval below zero."""
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
def test_a_rate_of_few_impressions_is_outside_the_axis() -> None:
    """1 of 1 is 100 %; the label counts such posts."""
    single = ep.flatten_json({"g": {"300": {"impressions": "1", "engagements": "1"}}})
    ax = plot_compare(pd.concat([A, single], ignore_index=True), B, at=None)
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlim()[1] < 0.1
    assert ax.get_xlabel().endswith("\nbeyond the axis: 1 post")
    (dots,) = [collection for collection in ax.collections if collection.get_gid() == "posts:a"]
    *large, small = dots.get_sizes()
    assert set(large) == {66}
    assert small < 7


@pytest.mark.slow
def test_a_colour_applies_to_posts_and_line() -> None:
    """All of matplotlib's keywords are accepted."""
    for arguments in ({"color": "red"}, {"c": "red"}, {"facecolor": "red"}):
        ax = plot_compare(A, B, at=None, **arguments)
        parts = {collection.get_gid(): collection for collection in ax.collections}
        assert to_hex(parts["posts:a"].get_facecolors()[0]) == "#ff0000"
        assert to_hex(parts["rate:a"].get_colors()[0]) == "#ff0000"


@pytest.mark.slow
def test_a_group_has_its_colour_of_other_charts() -> None:
    """Lines over time by this column have it too."""
    counts = pd.concat([A.assign(handle="x"), B.assign(handle="y")], ignore_index=True)
    ax = plot_compare(counts, by="handle", at=None)
    drawn = [
        collection for collection in ax.collections if collection.get_gid() in ("rate:a", "rate:b")
    ]
    colours = group_colours(counts["handle"])
    assert [to_hex(collection.get_colors()[0]).upper() for collection in drawn] == list(
        colours.values()
    )


@pytest.mark.slow
def test_posts_too_young_are_counted_in_the_label(life: Any) -> None:
    """Posts are compared two hours after posting."""
    a = pd.concat([life("2026-03-01T10:00:00", [n, n, n], serial=n) for n in range(1, 7)])
    b = pd.concat([life("2026-03-01T10:00:00", [9, 9, 9], serial=n) for n in range(11, 17)])
    young = life("2026-03-01T12:00:00", [9], serial=20)
    ax = plot_compare(a, pd.concat([b, young]), by="impressions", at=2, statistic="mean")
    assert (line_of(ax, "mean:a"), line_of(ax, "mean:b")) == ([7, 7], [18, 18])
    assert ax.get_xlabel().replace("\n", " ") == (
        "impressions per post, log scale; lines: mean, 2 hours after posting; "
        "dashed: no difference left out: 1 post of b, too young or with gaps"
    )
    assert "the mean post of a has 11 fewer than that of b" in ep.headline(ax)
    assert sorted(dots_of(ax, "a")) == [2, 4, 6, 8, 10, 12]


@pytest.mark.slow
def test_typical_posts_have_a_logarithmic_axis() -> None:
    """Each post is a dot, and a line marks the typical one."""
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
def test_a_column_with_three_values_has_three_rows() -> None:
    """The headline has the sets that differ, and the correction."""
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
    label = ax.get_xlabel().replace("\n", " ")
    assert "; bars: 95 % interval; dashed: no difference" in label


def test_three_sets_of_few_posts_have_no_verdict() -> None:
    """With one post each, nothing was looked for, so nothing was not found."""
    frames = [posts(100, [50]), posts(200, [20]), posts(300, [21])]
    counts = pd.concat(
        [frame.assign(handle=name) for frame, name in zip(frames, "xyz", strict=True)],
        ignore_index=True,
    )
    ax = plot_compare(counts, by="handle", of="engagements", at=None)
    assert ep.headline(ax) == "not enough posts to compare any of 3 sets with the others"
    assert "bars" not in ax.get_xlabel()


@pytest.mark.slow
def test_names_of_sets_are_in_the_headline() -> None:
    """Characters without a glyph are left out."""
    ax = plot_compare(A, B, at=None, names=("$5 offers 🎉", "🎉"))
    assert [row.split("\n")[0] for row in rows_of(ax)[:2]] == ["$5 offers", "b"]
    assert ep.headline(ax).startswith("the rate of “$5 offers” is")


def test_an_empty_set_has_no_difference() -> None:
    """The other set is drawn."""
    ax = plot_compare(A, B.iloc[:0], at=None)
    assert "nothing to compare" in ep.headline(ax)
    assert rows_of(ax)[1] == "b\n0 posts"


@pytest.mark.parametrize("names", ["ab", ("a",), ("a", 2)])
def test_invalid_names_are_refused(names: Any) -> None:
    """Two texts are required."""
    with pytest.raises(ep.FrameError, match="names is"):
        plot_compare(A, B, at=None, names=names)


def test_invalid_sets_are_refused_without_a_figure() -> None:
    """The error is that of the metric."""
    with pytest.raises(ep.FrameError, match="in both sets"):
        plot_compare(A, A, at=None)
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_a_negative_mean_is_drawn() -> None:
    """The interval of unlikes is cut at zero on the value's side."""

    def posts(first: int, count: int) -> pd.DataFrame:
        bodies = {str(first + n): {"favorites": str(count + n)} for n in range(6)}
        return ep.flatten_json({"g": bodies})

    ep.plot_compare(posts(100, -20), posts(200, -5), by="favorites", statistic="mean", at=None)


@pytest.mark.slow
def test_names_of_rows_have_no_characters_that_the_font_lacks() -> None:
    """A name of which nothing is left is a question mark, as in a legend; no box is drawn."""
    three = pd.concat([A, B, posts(300, [30, 31, 32, 33, 34, 35])], ignore_index=True)
    kinds = {"1": "bakery", "2": "\N{KATAKANA LETTER PA}\N{KATAKANA LETTER N}", "3": "railway"}
    three["handle"] = three["post_id"].str[0].map(kinds)
    ax = plot_compare(three, by="handle", of="impressions", at=None)
    assert rows_of(ax) == ["bakery\n6 posts", "railway\n6 posts", "?\n6 posts"]
