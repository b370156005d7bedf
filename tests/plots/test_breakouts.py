"""The plot of breakouts: the hours of an account, and its marks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from simulation.worlds import account

from engagement_pandas import plots
from engagement_pandas.metrics import breakouts, over_time
from engagement_pandas.plots import headline, post_colours

plot_breakouts: Any = plots.plot_breakouts


@pytest.fixture(scope="module")
def busy() -> pd.DataFrame:
    """Simulate a busy hour, a viral post and a shift."""
    effects: Any = {"burst": (14 * 24 + 15, 6.0), "runaway": 1000.0, "level": 4.0}
    return account(np.random.default_rng(4), **effects)


@pytest.mark.slow
def test_breakouts_are_marked(busy: pd.DataFrame, legend: Callable[..., list[str]]) -> None:
    """A dot has the colour of the post and the height of the hour; a shift is a line."""
    ax = plot_breakouts(busy)
    events = breakouts(busy)
    assert sorted(events["what"]) == ["hour", "post", "shift"]
    assert len(legend(ax)) == 3
    hours = over_time(busy, every="h").set_index("start")["count"]
    rows = events[events["what"] != "shift"]
    for (_, row), dot in zip(rows.iterrows(), ax.collections, strict=True):
        assert dot.get_gid() == row["post_id"]
        assert dot.get_offsets()[0, 1] == hours[hours.index <= row["start"]].iloc[-1]
        assert to_hex(dot.get_facecolors()[0]).upper() == post_colours(busy)[row["post_id"]]
    assert [line.get_gid() for line in ax.lines] == ["impressions", "shift"]


@pytest.mark.slow
def test_the_headline_counts_the_breakouts(busy: pd.DataFrame) -> None:
    """It also has the probability of a breakout by chance."""
    assert headline(plot_breakouts(busy)) == (
        "1 hour, 1 post and a shift of the level stand out; by chance alone, 5 % of such "
        "analyses name one"
    )
    calm = account(np.random.default_rng(4))
    assert headline(plot_breakouts(calm)).startswith("nothing stands out; ")
    assert plot_breakouts(calm).get_legend() is None


def test_the_headline_of_uneven_posts() -> None:
    """With sizes of Pareto's tail, it states that the error rate of posts is higher."""
    uneven = account(np.random.default_rng(4), pareto=True, runaway=1000.0)
    assert headline(plot_breakouts(uneven)).endswith(
        "name one, and more where posts are as uneven as these"
    )


def test_too_few_posts_are_not_compared(busy: pd.DataFrame) -> None:
    """The headline says so for fewer than 20 posts."""
    few = busy[busy["post_id"].isin(busy["post_id"].unique()[:19])]
    assert headline(plot_breakouts(few)).endswith("not compared, there are fewer than 20")
