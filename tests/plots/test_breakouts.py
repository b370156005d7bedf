"""The hours of an account, and what stands out of them."""

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
    """Simulate an hour, a post and a shift."""
    words: Any = {"burst": (14 * 24 + 15, 6.0), "runaway": 1000.0, "level": 4.0}
    return account(np.random.default_rng(4), **words)


@pytest.mark.slow
def test_what_stands_out_is_marked(busy: pd.DataFrame, legend: Callable[..., list[str]]) -> None:
    """A dot in the colour of the post at the height of the hour; a line for the shift."""
    ax = plot_breakouts(busy)
    found = breakouts(busy)
    assert sorted(found["what"]) == ["hour", "post", "shift"]
    assert len(legend(ax)) == 3
    hours = over_time(busy, every="h").set_index("start")["count"]
    rows = found[found["what"] != "shift"]
    for (_, row), dot in zip(rows.iterrows(), ax.collections, strict=True):
        assert dot.get_gid() == row["post_id"]
        assert dot.get_offsets()[0, 1] == hours[hours.index <= row["start"]].iloc[-1]
        assert to_hex(dot.get_facecolors()[0]).upper() == post_colours(busy)[row["post_id"]]
    assert [line.get_gid() for line in ax.lines] == ["impressions", "shift"]


@pytest.mark.slow
def test_the_headline(busy: pd.DataFrame) -> None:
    """How many of each, and how often chance alone names one."""
    assert headline(plot_breakouts(busy)) == (
        "1 hour, 1 post and a shift of the level stand out; without a breakout, 5 % of such "
        "analyses name one"
    )
    calm = account(np.random.default_rng(4))
    assert headline(plot_breakouts(calm)).startswith("nothing stands out; ")
    assert plot_breakouts(calm).get_legend() is None


def test_the_headline_of_uneven_posts() -> None:
    """With sizes of Pareto's tail, the headline says that the error rate of posts is higher."""
    uneven = account(np.random.default_rng(4), pareto=True, runaway=1000.0)
    assert headline(plot_breakouts(uneven)).endswith(
        "name one, and more of those with sizes as uneven as here name a post"
    )


def test_what_was_not_compared(busy: pd.DataFrame) -> None:
    """Of fewer than 20 posts, the headline says that posts were not compared."""
    few = busy[busy["post_id"].isin(busy["post_id"].unique()[:19])]
    assert headline(plot_breakouts(few)).endswith("not compared, there are fewer than 20")
