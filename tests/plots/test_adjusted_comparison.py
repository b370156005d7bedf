"""The forest plot of adjusted ratios."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from metrics.test_adjusted_comparison import by_hours, six, tags

from engagement_pandas import plots
from engagement_pandas.metrics import adjusted_comparison
from engagement_pandas.plots import headline
from engagement_pandas.plots.colours import group_colours

plot: Any = plots.plot_adjusted_comparison


@pytest.mark.slow
def test_dots_and_circles_are_at_the_ratios() -> None:
    """Each group has a row, the highest ratio first; a line at 1 means no difference."""
    counts, posts = six(factor=3.0)
    table = adjusted_comparison(counts, posts, at=None).sort_values("ratio", ascending=False)
    ax = plot(counts, posts, at=None)
    drawn = {line.get_gid(): line for line in ax.lines if line.get_gid()}
    for row, (_, result) in enumerate(table.iterrows()):
        for estimate, value in (
            ("adjusted", result["ratio"]),
            ("unadjusted", result["unadjusted"]),
        ):
            line = drawn[f"{estimate}:{result['group']}"]
            assert (line.get_xdata()[0], line.get_ydata()[0]) == (value, row)
    assert drawn["equal"].get_xdata()[0] == 1
    assert ax.get_xscale() == "log"
    names = [label.get_text().split("\n") for label in ax.get_yticklabels()]
    assert names == [[group, "30 posts"] for group in table["group"]]


@pytest.mark.slow
def test_a_group_has_its_colour_of_other_charts() -> None:
    """The colour follows from its name."""
    counts, posts = six()
    ax = plot(counts, posts, at=None)
    colours = group_colours(posts["handle"])
    for line in ax.lines:
        estimate, _, name = str(line.get_gid()).partition(":")
        if estimate == "adjusted":
            assert line.get_color() == colours[name]


@pytest.mark.slow
def test_the_headline_has_the_finding() -> None:
    """It names the account that differs, or none, and the number of groups."""
    finding = headline(plot(*six(factor=3.0), at=None))
    assert finding.startswith("a typical post of account_2 gets ")
    assert finding.endswith("of 6 groups against the others (Holm's correction)")
    finding = headline(plot(*six(), at=None))
    assert finding == "no difference found, of 6 groups against the others (Holm's correction)"
    finding = headline(plot(*by_hours(), size=None, at=None))
    assert finding == adjusted_comparison(*by_hours(), size=None, at=None)["finding"].item()


def test_groups_that_are_not_compared_are_named() -> None:
    """They are in the label; the legend has the variables of the adjustment."""
    counts, posts = tags()
    posts["tag"] = [["rare"] if n < 4 else t for n, t in enumerate(posts["tag"])]
    ax = plot(counts, posts, by="tag", at=None)
    label = " ".join(ax.get_xlabel().split())
    keys = [text.get_text() for text in ax.get_legend().get_texts()]
    assert keys == ["adjusted for handle, hour and weekday, 95 % interval", "not adjusted"]
    assert "1 group not compared: rare" in label
    assert len(ax.get_yticklabels()) == 2


@pytest.mark.slow
def test_long_intervals_are_cut_off() -> None:
    """An uninformative interval does not compress the others."""
    counts, posts = six()
    few = posts[posts["handle"].isin(["account_0", "account_1"])].groupby("handle").head(10)
    arguments: dict[str, Any] = {"exponent": 1, "at": None, "confidence": 1 - 1e-12}
    row = adjusted_comparison(counts, few, **arguments).iloc[0]
    assert row["high"] > 100_000
    ax = plot(counts, few, **arguments)
    low, high = ax.get_xlim()
    assert 0.001 < low < row["ratio"] < high < 100
    note = "intervals without an end mark go beyond the axis"
    assert note in ax.get_xlabel().replace("\n", " ")
    assert note not in plot(*six(), at=None).get_xlabel().replace("\n", " ")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(8, 4), (4, 3)])
def test_texts_fit_into_small_axes(size: tuple[float, float]) -> None:
    """Names may have other scripts and dollar signs."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy

    counts, posts = six()
    renamed = posts.assign(handle=posts["handle"].replace({"account_1": "\u6295\u7a3f $x$"}))
    figure = Figure(figsize=size, layout="constrained")
    ax = plot(counts, pd.DataFrame(renamed), at=None, ax=figure.subplots())
    figure.draw_without_rendering()
    assert headline(ax)


def test_texts_fit_on_half_of_a_grid_without_a_layout() -> None:
    """Nothing is cut off at the bottom, or at the left where handles have up to 15 letters."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy

    counts, posts = six(factor=3.0)
    posts["handle"] = posts["handle"].replace({"account_1": "MuseumOfModernA"})
    figure = Figure(figsize=(12, 4.5))
    ax = plot(counts, posts, at=None, ax=figure.subplots(1, 2)[0])
    ax.set_title("Our accounts")
    figure.draw_without_rendering()
    texts = [ax.xaxis.label, ax.title, *ax.get_yticklabels(), *ax.get_legend().get_texts()]
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.y1 <= figure.bbox.height, text


def test_the_headline_names_each_further_group_shortly() -> None:
    """Its first sentence has what is compared; the interval follows each ratio."""
    counts, posts = six(factor=5.0)
    factor = counts["post_id"].isin(posts["post_id"][posts["handle"] == "account_4"]) * 4 + 1
    counts["count"] = counts["count"] * factor
    lines = headline(plot(counts, posts, exponent=1, at=None)).split("; ")
    assert lines[0].startswith("a typical post of account_")
    assert re.match(r"account_[24] \d\.\d times, \d\.\d to \d+", lines[1])
