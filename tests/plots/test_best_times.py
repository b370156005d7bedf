"""The map of best times, by weekday and hour."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.metrics import best_times
from engagement_pandas.plots.page_theme import SETTINGS

plot_best_times: Any = plots.plot_best_times
"""Typed as Any, since matplotlib's annotations lack methods of artists."""


def posted(post_id_at: Any, *posts: tuple[str, int]) -> pd.DataFrame:
    """Return totals of posts created then, with 1,000 impressions and these engagements."""
    bodies = {
        post_id_at(timestamp, serial): {"impressions": "1000", "engagements": str(number)}
        for serial, (timestamp, number) in enumerate(posts)
    }
    return ep.flatten_json({"g": bodies})


MONDAY_NINE = "2026-03-02T09:15:00"
FLAT = [(MONDAY_NINE, 30)] * 4 + [("2026-03-04T17:40:00", 30)] * 2


def planted() -> list[tuple[str, int]]:
    """Return posts at 40 hours of five weeks; one hour of the week is better."""
    offsets = (-4, -2, 0, 2, 4)
    timestamps = pd.date_range("2026-03-02", periods=5, freq="7D")
    return [
        (
            f"{monday + pd.Timedelta(days=i % 5):%F}T{8 + i // 5:02d}:20:00",
            (120 if i == 7 else 30) + offset,
        )
        for i in range(40)
        for monday, offset in zip(timestamps, offsets, strict=True)
    ]


def test_the_headline_names_what_was_tested(post_id_at: Any) -> None:
    """A test of the weekdays alone says nothing about hours."""
    ax = plot_best_times(posted(post_id_at, *FLAT), level="weekday")
    assert (
        ep.headline(ax) == "Best weekday of posting: not enough evidence, from 6 posts in 2 threads"
    )


def cells(ax: Any) -> dict[tuple[int, int], str]:
    """Return the texts of the cells, by weekday and hour."""
    return {
        (int(x), int(y)): text.get_text() for text in ax.texts for x, y in [text.get_position()]
    }


def mesh(ax: Any, gid: str) -> Any:
    """Return the cells of one group, hour by weekday, masked elsewhere."""
    (mesh_,) = [collection for collection in ax.collections if collection.get_gid() == gid]
    return np.ma.asarray(mesh_.get_array()).reshape(24, 7)


def test_cells_have_the_numbers_of_posts(post_id_at: Any) -> None:
    """Four posts are on Monday after nine, two on Wednesday after five."""
    ax = plot_best_times(posted(post_id_at, *FLAT))
    assert cells(ax) == {(0, 9): "4", (2, 17): "2"}
    assert ax.yaxis_inverted()


@pytest.mark.slow
def test_hours_with_few_posts_are_grey(post_id_at: Any) -> None:
    """Two posts are fewer than three."""
    ax = plot_best_times(posted(post_id_at, *FLAT))
    assert np.argwhere(~mesh(ax, "rate").mask).tolist() == [[9, 0]]
    assert np.argwhere(~mesh(ax, "few").mask).tolist() == [[17, 2]]
    assert ax.get_xlabel() == "weekday; in the cells, posts; grey: fewer than 3"
    with_minimum_1 = plot_best_times(posted(post_id_at, *FLAT), minimum=1)
    assert mesh(with_minimum_1, "few").mask.all()


def test_hours_are_local(post_id_at: Any) -> None:
    """23:30 UTC on Sunday is Monday, 0:30, in Berlin; the label has the zone."""
    counts = posted(post_id_at, ("2026-03-01T23:30:00", 30))
    ax = plot_best_times(counts, tz="Europe/Berlin")
    assert cells(ax) == {(0, 0): "1"}
    assert ax.get_ylabel() == "hour of posting (Europe/Berlin)"


def test_without_an_effect_the_headline_reports_no_evidence(post_id_at: Any) -> None:
    """No cell has a frame."""
    ax = plot_best_times(posted(post_id_at, *FLAT))
    assert ep.headline(ax) == "Best hour of posting: not enough evidence, from 6 posts in 2 threads"
    assert [patch.get_gid() for patch in ax.patches] == []


@pytest.mark.slow
def test_the_best_hour_has_a_frame(post_id_at: Any) -> None:
    """It is Wednesday after nine, and the headline names it."""
    ax = plot_best_times(posted(post_id_at, *planted()))
    title = ep.headline(ax)
    assert title == "Best hour of posting: Wednesday 09:00 to 10:00, from 200 posts"
    (best,) = [patch for patch in ax.patches if patch.get_gid() == "best"]
    assert best.get_xy() == (2, 9)


def every_day(is_better: Any) -> list[tuple[str, int]]:
    """Return posts of four weeks at nine hours a day; some have four times the engagements."""
    timestamps = pd.date_range("2026-03-02T09:20", periods=28, freq="D")
    return [
        (
            f"{timestamp + pd.Timedelta(hours=hour):%FT%T}",
            (120 if is_better(timestamp, hour) else 30) + n,
        )
        for n, timestamp in enumerate(timestamps)
        for hour in range(9)
    ]


def bars_of(ax: Any) -> dict[int, str]:
    """Return the verdict of each bar, by its position."""
    return {round(bar.get_x() + bar.get_width() / 2): bar.get_gid() for bar in ax.patches}


@pytest.mark.slow
def test_an_effect_of_the_hour_has_a_bar_per_hour(post_id_at: Any) -> None:
    """Only the bar of 14:00 is not pale; heights are those of the metric."""
    counts = posted(post_id_at, *every_day(lambda _, hour: hour == 5))
    ax = plot_best_times(counts)
    assert ep.headline(ax).startswith("Best hour of posting: 14:00 to 15:00, on any day")
    bars = bars_of(ax)
    assert [hour for hour, verdict in bars.items() if verdict == "best"] == [14]
    assert sorted(bars) == list(range(9, 18))
    shades = {bar.get_gid(): bar.get_alpha() for bar in ax.patches}
    assert shades == {"best": 1, "not enough evidence": 0.35}
    shrunk = best_times(counts).set_index(["weekday", "hour"])["shrunk"]["Monday"]
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == pytest.approx(shrunk.dropna().to_list())
    assert [text.get_text() for text in ax.texts] == ["28"] * 9


@pytest.mark.slow
def test_an_effect_of_the_weekday_has_a_bar_per_weekday(post_id_at: Any) -> None:
    """Saturdays are better, at any hour."""
    counts = posted(post_id_at, *every_day(lambda timestamp, _: timestamp.day_name() == "Saturday"))
    ax = plot_best_times(counts)
    assert ep.headline(ax).startswith("Best hour of posting: Saturday, at any hour")
    bars = bars_of(ax)
    assert [day for day, verdict in bars.items() if verdict == "best"] == [5]
    assert len(bars) == 7
    assert ax.get_xticklabels()[5].get_text() == "Sat"


@pytest.mark.slow
def test_colours_are_those_of_the_shrunk_rates(post_id_at: Any) -> None:
    """Each cell has the value of the metric."""
    counts = posted(post_id_at, *planted())
    shrunk = best_times(counts).set_index(["weekday", "hour"])["shrunk"]
    drawn = mesh(plot_best_times(counts), "rate")
    assert drawn[9, 2] == pytest.approx(shrunk["Wednesday", 9])
    assert drawn[8, 0] == pytest.approx(shrunk["Monday", 8])
    assert (~drawn.mask).sum() == 40


@pytest.mark.slow
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_without_evidence_colours_are_pale(post_id_at: Any, style: str) -> None:
    """They are nearly equal and near the background, white or black."""
    random_rates = [(timestamp, 30 + 9 * (n % 7)) for n, (timestamp, _) in enumerate(planted())]
    with plt.style.context(style):
        ax = plot_best_times(posted(post_id_at, *random_rates))
    assert "not enough evidence" in ep.headline(ax)
    (mesh_,) = [collection for collection in ax.collections if collection.get_gid() == "rate"]
    shades = mesh_.cmap(np.linspace(0, 1, 9))[:, :3] @ (0.299, 0.587, 0.114)
    assert shades.max() - shades.min() < 0.12
    assert np.abs(shades - (style == "default")).max() < 0.35


@pytest.mark.slow
def test_pale_cells_can_be_read_on_a_page_of_any_theme(post_id_at: Any) -> None:
    """Figures that follow the page have middle tones, and a colour bar without seams."""
    random_rates = [(timestamp, 30 + 9 * (n % 7)) for n, (timestamp, _) in enumerate(planted())]
    with plt.rc_context(SETTINGS):
        ax = plot_best_times(posted(post_id_at, *random_rates))
    (mesh_,) = [collection for collection in ax.collections if collection.get_gid() == "rate"]
    shades = mesh_.cmap(np.linspace(0, 1, 9))[:, :3] @ (0.299, 0.587, 0.114)
    assert (shades > 0.6).all()
    assert (shades < 0.8).all()
    ax.figure.draw_without_rendering()
    assert len(mesh_.colorbar.solids.get_edgecolor()) > 1


@pytest.mark.slow
def test_counts_have_a_colour_bar_without_percent(post_id_at: Any) -> None:
    """The values are engagements of a typical post."""
    ax = plot_best_times(posted(post_id_at, *planted()), by="engagements", at=None)
    assert "Wednesday 09:00 to 10:00" in ep.headline(ax)
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "engagements of a typical post, shrunk"


def test_equal_rates_have_equal_colours(post_id_at: Any) -> None:
    """The colour map has a minimum range."""
    ax = plot_best_times(posted(post_id_at, *FLAT))
    (mesh_,) = [collection for collection in ax.collections if collection.get_gid() == "rate"]
    low, high = mesh_.get_clim()
    assert low <= 0.03 * 0.9 + 1e-9
    assert high >= 0.03 * 1.1 - 1e-9


@pytest.mark.slow
def test_the_engagement_clock_has_its_own_labels(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Hours are those of the engagement."""
    ax = plot_best_times(demo[0], clock="engagement", draws=100)
    assert ax.get_ylabel() == "hour of engagement (UTC)"
    assert ep.headline(ax).startswith("Best hour of engagement: ")


@pytest.mark.slow
def test_numbers_fit_into_small_cells(post_id_at: Any) -> None:
    """The chart has half the width."""
    counts = posted(
        post_id_at,
        *[
            (f"2026-03-{d:02d}T{h:02d}:20:00", 30)
            for d in range(2, 9)
            for h in range(24)
            for _ in range(12)
        ],
    )
    figure, ax = plt.subplots(figsize=(4, 6), layout="constrained")
    plot_best_times(counts, draws=100, ax=ax)
    figure.draw_without_rendering()
    cell = ax.transData.transform([(0, 0), (1, 1)])
    width, height = abs(cell[1] - cell[0])
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 168
    assert max(box.width for box in boxes) < width
    assert max(box.height for box in boxes) < height * 1.25


def test_invalid_arguments_are_refused_without_a_figure(rows: pd.DataFrame) -> None:
    """The error is that of the metric."""
    with pytest.raises(ep.FrameError, match="clock is 'noon'"):
        plot_best_times(rows, clock="noon")
    assert plt.get_fignums() == []


@pytest.mark.slow
def test_the_label_of_the_colour_bar_is_within_its_row(post_id_at: Any) -> None:
    """In a grid, the label is as long as its chart is high, or shorter."""
    figure, axs = plt.subplots(2, 2, figsize=(14, 7.2), layout="constrained")
    plot_best_times(posted(post_id_at, *FLAT), ax=axs[1, 1])
    figure.draw_without_rendering()
    (bar,) = [ax for ax in figure.axes if ax.get_label() == "<colorbar>"]
    extent = bar.yaxis.label.get_window_extent()
    assert extent.y0 >= 0
    assert extent.height <= figure.bbox.height / 2
