"""Plots of forecasts for young posts, and of consecutive periods."""

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
from engagement_pandas.plots.colours import REST, type_colours

plot_forecast: Any = plots.plot_forecast
plot_versus_previous: Any = plots.plot_versus_previous


def simulated_posts(first: int, number: int, hours: int) -> Any:
    """Simulate posts created three hours apart, with this number of hours each."""
    created = MARCH + (first * 24 + np.arange(number) * 3) * HOUR_MS
    rng = np.random.default_rng(first)
    return hourly(created, {"impressions": 3000}, rng, hours=hours, half_life=5)


@pytest.mark.slow
def test_dots_are_at_the_forecasts_and_counts() -> None:
    """A filled dot is the forecast, a hollow one the count; the largest is first."""
    young, cohort = simulated_posts(30, 4, 8), simulated_posts(0, 30, 170)
    ax = plot_forecast(young, cohort=cohort)
    table = forecast(young, cohort=cohort).sort_values("forecast", ascending=False)
    for gid, column in (("forecast", "forecast"), ("so far", "count")):
        (dots,) = [collection for collection in ax.collections if collection.get_gid() == gid]
        assert dots.get_offsets()[:, 0].tolist() == pytest.approx(table[column].to_list())
    assert ax.get_xlabel() == "impressions, 168 hours after posting (log scale)"
    assert ax.get_xscale() == "log"


def shades_of(ax: Any, gid: str) -> list[str]:
    """Return the colours of the dots, from the top."""
    (dots,) = [collection for collection in ax.collections if collection.get_gid() == gid]
    colours = dots.get_facecolors() if gid == "forecast" else dots.get_edgecolors()
    return [to_hex(colour).upper() for colour in colours]


@pytest.mark.slow
def test_a_highlighted_post_has_its_colour() -> None:
    """Otherwise all dots have the colour of the type."""
    young, cohort = simulated_posts(30, 4, 8), simulated_posts(0, 30, 170)
    common = type_colours(["impressions"])["impressions"]
    assert set(shades_of(plot_forecast(young, cohort=cohort), "forecast")) == {common}
    ids = forecast(young, cohort=cohort).sort_values("forecast", ascending=False)["post_id"]
    ax = plot_forecast(young, cohort=cohort, highlight=ids.iloc[1])
    expected = [REST, post_colours(young)[ids.iloc[1]], REST, REST]
    assert shades_of(ax, "forecast") == shades_of(ax, "so far") == expected


def test_a_colour_applies_to_dots_and_interval() -> None:
    """The keyword is matplotlib's."""
    ax = plot_forecast(simulated_posts(30, 4, 8), cohort=simulated_posts(0, 30, 170), c="red")
    assert set(shades_of(ax, "forecast")) == set(shades_of(ax, "so far")) == {"#FF0000"}
    (bars,) = [
        collection for collection in ax.collections if isinstance(collection, LineCollection)
    ]
    assert to_hex(bars.get_colors()[0]) == "#ff0000"


def test_posts_without_a_forecast_are_counted() -> None:
    """They have no row, and the message has their number."""
    ax = plot_forecast(simulated_posts(0, 30, 170), cohort=simulated_posts(40, 30, 170))
    assert "of 30 posts, none" in ax.texts[0].get_text()


def test_a_bar_is_the_change_between_periods() -> None:
    """Its text has both counts."""
    counts = simulated_posts(0, 80, 170)
    row = versus_previous(counts, days=4).iloc[0]
    ax = plot_versus_previous(counts, days=4)
    assert [bar.get_width() for bar in ax.patches] == [row["change"]]
    assert f"{row['count']:,} after {row['previous']:,}" in ax.texts[0].get_text()


@pytest.mark.slow
def test_at_most_25_forecasts_are_drawn() -> None:
    """A highlighted post has one more row, and the label counts the others."""
    young, cohort = simulated_posts(30, 40, 60), simulated_posts(0, 30, 170)
    table = forecast(young, cohort=cohort).dropna(subset="forecast")
    falling = table.sort_values("forecast", ascending=False)
    last = falling["post_id"].iloc[-1]
    ax = plot_forecast(young, cohort=cohort, highlight=last)
    (dots,) = [collection for collection in ax.collections if collection.get_gid() == "forecast"]
    drawn = [*falling["forecast"].head(25), falling["forecast"].iloc[-1]]
    assert dots.get_offsets()[:, 0].tolist() == pytest.approx(drawn)
    others = f"not shown: {len(table) - 26} lower forecasts"
    assert others in " ".join(ax.get_xlabel().split())


def weeks_of(hourly: Any, **sizes: tuple[int, int]) -> Any:
    """Make counts of two weeks, one count each, by type."""
    days = ("2026-03-01", "2026-03-08", "2026-03-15")
    return hourly(
        *(
            ("1", kind, day, 5, count)
            for kind, (before, after) in sizes.items()
            for day, count in zip(days, (before, after, 0), strict=True)
        )
    )


def test_a_giant_change_does_not_flatten_the_others(hourly: Any) -> None:
    """1 to 38 is +3,700 %: its bar ends at +300 % with an arrow, and the label has the number."""
    ax = plot_versus_previous(
        weeks_of(hourly, impressions=(200, 100), favorites=(20, 30), hashtag_clicks=(1, 38))
    )
    widths = {bar.get_gid(): bar.get_width() for bar in ax.patches}
    assert widths == {"impressions": -0.5, "favorites": 0.5, "hashtag_clicks": 3}
    assert "→ +3,700 %: 38 after 1" in [text.get_text() for text in ax.texts]
    assert "arrow: beyond the axis" in ax.get_xlabel()
    assert max(ax.get_xticks()) <= 3


def test_the_axis_has_no_fall_of_more_than_all(hourly: Any) -> None:
    """Fewer counts than none occur only where a bar goes farther."""
    ax = plot_versus_previous(weeks_of(hourly, impressions=(100, 1), favorites=(5, 0)))
    assert min(ax.get_xticks()) >= -1


def test_counts_below_zero_have_a_minus_sign(hourly: Any) -> None:
    """More unlikes than likes: the same sign as of the change."""
    ax = plot_versus_previous(weeks_of(hourly, favorites=(20, -5)))
    assert ax.texts[0].get_text() == "\N{MINUS SIGN}125 %: \N{MINUS SIGN}5 after 20"


def test_no_share_is_above_100_percent(hourly: Any) -> None:
    """The room for labels at the right of the bars has no ticks."""
    counts = hourly(*[(str(n), "favorites", "2026-03-01", 5, n == 3) for n in range(9)])
    ax = plots.plot_concentration(counts)
    assert ax.patches[0].get_width() == 1
    assert max(ax.get_xticks()) == 1
    assert ax.get_xlim()[1] > 1
