"""Two bars and a difference."""

from __future__ import annotations

import re
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.metrics import compare

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


def test_both_rates_and_their_difference() -> None:
    """315 and 135 of 6,000: 5.25 % and 2.25 %, 3 points apart."""
    ax = plot_compare(A, B, at=None)
    assert [bar.get_width() for bar in ax.patches] == [0.0525, 0.0225]
    (dot,) = [line for line in ax.lines if line.get_gid() == "difference"]
    assert dot.get_xdata()[0] == pytest.approx(0.03)
    assert rows_of(ax) == ["a\n6 posts", "b\n6 posts", "difference\n95 % interval"]
    assert ax.get_xlabel() == "engagements over impressions"


def test_the_interval_is_that_of_the_metric() -> None:
    """Its whiskers end at low and high."""
    result = compare(A, B, at=None, seed=3).iloc[0]
    ax = plot_compare(A, B, at=None, seed=3)
    (ends,) = [each.get_segments()[0][:, 0] for each in ax.collections]
    assert ends.tolist() == pytest.approx([result["low"], result["high"]])
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
    assert list(ax.collections) == []


def test_counts_at_an_age(life: Any) -> None:
    """Two hours after posting; the youngest post is left out, and that is said."""
    a = pd.concat([life("2026-03-01T10:00:00", [n, n, n], serial=n) for n in range(1, 7)])
    b = pd.concat([life("2026-03-01T10:00:00", [9, 9, 9], serial=n) for n in range(11, 17)])
    young = life("2026-03-01T12:00:00", [9], serial=20)
    ax = plot_compare(a, pd.concat([b, young]), by="impressions", at=2, statistic="mean")
    assert [bar.get_width() for bar in ax.patches] == [7, 18]
    assert ax.get_xlabel().split("\n") == [
        "impressions per post; bars: the mean, 2 hours after posting",
        "left out: 0 and 1 posts, too young or with gaps",
    ]
    assert "the mean post of a has 11 fewer than that of b" in ep.headline(ax)
    (dots,) = [each for each in ax.collections if each.get_gid() == "posts:a"]
    assert sorted(dots.get_offsets()[:, 0]) == [2, 4, 6, 8, 10, 12]


def test_typical_posts() -> None:
    """On a logarithmic axis: every post is a dot, and a line marks the typical one."""
    ax = plot_compare(A, B, by="engagements", at=None, names=("new ones", "old"))
    assert ax.get_xscale() == "symlog"
    assert ep.headline(ax).startswith("a typical post of “new ones” gets 2.3 times")
    assert rows_of(ax) == ["new ones\n6 posts", "old\n6 posts"]
    lines = [each for each in ax.collections if each.get_gid().startswith("typical:")]
    typical = compare(A, B, by="engagements", at=None).iloc[0]
    ends = [line.get_segments()[0][0][0] for line in lines]
    assert ends == pytest.approx([typical["a"], typical["b"]])


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
