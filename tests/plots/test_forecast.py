"""Young posts and what will become of them; periods side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from support.simulated import HOUR_MS, MARCH, hourly

from engagement_pandas import plots
from engagement_pandas.metrics import forecast, versus_previous
from engagement_pandas.plots import post_colours
from engagement_pandas.plots.style import REST, type_colours

plot_forecast: Any = plots.plot_forecast
plot_versus_previous: Any = plots.plot_versus_previous


def lives(first: int, number: int, hours: int) -> Any:
    """Simulate posts, made three hours after each other, and known for so many hours."""
    made = MARCH + (first * 24 + np.arange(number) * 3) * HOUR_MS
    rng = np.random.default_rng(first)
    return hourly(made, {"impressions": 3000}, rng, hours=hours, half_life=5)


@pytest.mark.slow
def test_the_numbers_are_the_metrics() -> None:
    """A dot for the forecast and a hollow one for the count so far, the largest first."""
    young, cohort = lives(30, 4, 8), lives(0, 30, 170)
    ax = plot_forecast(young, cohort=cohort)
    table = forecast(young, cohort=cohort).sort_values("forecast", ascending=False)
    for gid, column in (("forecast", "forecast"), ("so far", "count")):
        (dots,) = [each for each in ax.collections if each.get_gid() == gid]
        assert dots.get_offsets()[:, 0].tolist() == pytest.approx(table[column].to_list())
    assert ax.get_xlabel() == "impressions, 168 hours after posting (log scale)"
    assert ax.get_xscale() == "log"


def shades_of(ax: Any, gid: str) -> list[str]:
    """Return the colours of the dots, from the top."""
    (dots,) = [each for each in ax.collections if each.get_gid() == gid]
    found = dots.get_facecolors() if gid == "forecast" else dots.get_edgecolors()
    return [to_hex(colour).upper() for colour in found]


@pytest.mark.slow
def test_one_colour_with_a_post_picked_out() -> None:
    """That of the type; with a highlighted post, grey but for that post."""
    young, cohort = lives(30, 4, 8), lives(0, 30, 170)
    common = type_colours(["impressions"])["impressions"]
    assert set(shades_of(plot_forecast(young, cohort=cohort), "forecast")) == {common}
    ids = forecast(young, cohort=cohort).sort_values("forecast", ascending=False)["post_id"]
    ax = plot_forecast(young, cohort=cohort, highlight=ids.iloc[1])
    expected = [REST, post_colours(young)[ids.iloc[1]], REST, REST]
    assert shades_of(ax, "forecast") == shades_of(ax, "so far") == expected


def test_a_given_colour_reaches_everything() -> None:
    """Both dots and the interval."""
    ax = plot_forecast(lives(30, 4, 8), cohort=lives(0, 30, 170), c="red")
    assert set(shades_of(ax, "forecast")) == set(shades_of(ax, "so far")) == {"#FF0000"}
    (bars,) = [each for each in ax.collections if isinstance(each, LineCollection)]
    assert to_hex(bars.get_colors()[0]) == "#ff0000"


def test_posts_without_a_forecast_are_counted() -> None:
    """They have no row, and the title has their number."""
    ax = plot_forecast(lives(0, 30, 170), cohort=lives(40, 30, 170))
    assert "of 30 posts, none" in ax.texts[0].get_text()


def test_periods() -> None:
    """The change of the metric, with both counts."""
    counts = lives(0, 80, 170)
    row = versus_previous(counts, days=4).iloc[0]
    ax = plot_versus_previous(counts, days=4)
    assert [bar.get_width() for bar in ax.patches] == [row["change"]]
    assert f"{row['count']:,} after {row['previous']:,}" in ax.texts[0].get_text()


@pytest.mark.slow
def test_the_highest_of_many_forecasts_are_drawn() -> None:
    """25 rows can be read; a highlighted post has one more, and the others are counted."""
    young, cohort = lives(30, 40, 60), lives(0, 30, 170)
    table = forecast(young, cohort=cohort).dropna(subset="forecast")
    falling = table.sort_values("forecast", ascending=False)
    last = falling["post_id"].iloc[-1]
    ax = plot_forecast(young, cohort=cohort, highlight=last)
    (dots,) = [each for each in ax.collections if each.get_gid() == "forecast"]
    shown = [*falling["forecast"].head(25), falling["forecast"].iloc[-1]]
    assert dots.get_offsets()[:, 0].tolist() == pytest.approx(shown)
    others = f"not shown: {len(table) - 26} lower forecasts"
    assert others in " ".join(ax.get_xlabel().split())
