"""The week as a map."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import plots
from engagement_pandas.metrics import best_times

plot_best_times: Any = plots.plot_best_times
"""Its artists can do more than matplotlib's annotations know."""


def posted(post_made: Any, *posts: tuple[str, int]) -> pd.DataFrame:
    """Make totals of posts made at these moments: 1,000 impressions, so many engagements."""
    bodies = {
        post_made(moment, serial): {"impressions": "1000", "engagements": str(number)}
        for serial, (moment, number) in enumerate(posts)
    }
    return ep.flatten_json({"g": bodies})


MONDAY_NINE = "2026-03-02T09:15:00"
FLAT = [(MONDAY_NINE, 30)] * 4 + [("2026-03-04T17:40:00", 30)] * 2


def planted() -> list[tuple[str, int]]:
    """Return 40 hours of five weeks with a post each; one hour of the week is better."""
    spread = (-4, -2, 0, 2, 4)
    moments = pd.date_range("2026-03-02", periods=5, freq="7D")
    return [
        (
            f"{monday + pd.Timedelta(days=place % 5):%F}T{8 + place // 5:02d}:20:00",
            (120 if place == 7 else 30) + by,
        )
        for place in range(40)
        for monday, by in zip(moments, spread, strict=True)
    ]


def cells(ax: Any) -> dict[tuple[int, int], str]:
    """Return what stands in the cells, by weekday and hour."""
    return {
        (int(x), int(y)): text.get_text() for text in ax.texts for x, y in [text.get_position()]
    }


def mesh(ax: Any, gid: str) -> Any:
    """Return the cells of one kind, hour by weekday, masked where they are not."""
    (found,) = [each for each in ax.collections if each.get_gid() == gid]
    return np.ma.asarray(found.get_array()).reshape(24, 7)


def test_posts_stand_in_their_cells(post_made: Any) -> None:
    """Four posts on Monday after nine, two on Wednesday after five; n in the cells."""
    ax = plot_best_times(posted(post_made, *FLAT))
    assert cells(ax) == {(0, 9): "4", (2, 17): "2"}
    assert ax.yaxis_inverted()


@pytest.mark.slow
def test_few_posts_are_grey(post_made: Any) -> None:
    """Two are fewer than three: grey, not coloured."""
    ax = plot_best_times(posted(post_made, *FLAT))
    assert np.argwhere(~mesh(ax, "rate").mask).tolist() == [[9, 0]]
    assert np.argwhere(~mesh(ax, "few").mask).tolist() == [[17, 2]]
    assert ax.get_xlabel() == "weekday; in the cells, posts; grey: fewer than 3"
    every = plot_best_times(posted(post_made, *FLAT), minimum=1)
    assert mesh(every, "few").mask.all()


def test_local_time(post_made: Any) -> None:
    """23:30 UTC on Sunday is Monday, 0:30, in Berlin; the label names the zone."""
    counts = posted(post_made, ("2026-03-01T23:30:00", 30))
    ax = plot_best_times(counts, tz="Europe/Berlin")
    assert cells(ax) == {(0, 0): "1"}
    assert ax.get_ylabel() == "hour of posting (Europe/Berlin)"


def test_no_effect_is_not_enough_evidence(post_made: Any) -> None:
    """Nothing has a frame, and the title says so."""
    ax = plot_best_times(posted(post_made, *FLAT))
    assert ep.headline(ax) == "Best hour of posting: not enough evidence, from 6 posts in 2 threads"
    assert [patch.get_gid() for patch in ax.patches] == []


def test_a_planted_hour_is_found(post_made: Any) -> None:
    """Place 7 is Wednesday (the third of five days) after nine: framed and named."""
    ax = plot_best_times(posted(post_made, *planted()))
    title = ep.headline(ax)
    assert title == "Best hour of posting: Wednesday 09:00 to 10:00, from 200 posts"
    (best,) = [patch for patch in ax.patches if patch.get_gid() == "best"]
    assert best.get_xy() == (2, 9)


def every_day(better: Any) -> list[tuple[str, int]]:
    """Return posts of four weeks at nine hours a day; some have four times the engagements."""
    moments = pd.date_range("2026-03-02T09:20", periods=28, freq="D")
    return [
        (f"{moment + pd.Timedelta(hours=hour):%FT%T}", (120 if better(moment, hour) else 30) + n)
        for n, moment in enumerate(moments)
        for hour in range(9)
    ]


def bars_of(ax: Any) -> dict[int, str]:
    """Return the verdict of each bar, by its place."""
    return {round(bar.get_x() + bar.get_width() / 2): bar.get_gid() for bar in ax.patches}


@pytest.mark.slow
def test_an_hour_of_the_day_has_a_bar_per_hour(post_made: Any) -> None:
    """14:00 on every day is better: its bar alone is not pale, and is as high as the metric."""
    counts = posted(post_made, *every_day(lambda _, hour: hour == 5))
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


def test_a_weekday_has_a_bar_per_weekday(post_made: Any) -> None:
    """Saturdays are better, at any hour."""
    counts = posted(post_made, *every_day(lambda moment, _: moment.day_name() == "Saturday"))
    ax = plot_best_times(counts)
    assert ep.headline(ax).startswith("Best hour of posting: Saturday, at any hour")
    bars = bars_of(ax)
    assert [day for day, verdict in bars.items() if verdict == "best"] == [5]
    assert len(bars) == 7
    assert ax.get_xticklabels()[5].get_text() == "Sat"


@pytest.mark.slow
def test_colours_are_the_shrunk_rates(post_made: Any) -> None:
    """Cell by cell those of the metric."""
    counts = posted(post_made, *planted())
    shrunk = best_times(counts).set_index(["weekday", "hour"])["shrunk"]
    drawn = mesh(plot_best_times(counts), "rate")
    assert drawn[9, 2] == pytest.approx(shrunk["Wednesday", 9])
    assert drawn[8, 0] == pytest.approx(shrunk["Monday", 8])
    assert (~drawn.mask).sum() == 40


@pytest.mark.slow
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_without_evidence_nothing_glows(post_made: Any, style: str) -> None:
    """The colours are nearly one, and near the background, on white and on black."""
    noise = [(moment, 30 + 9 * (n % 7)) for n, (moment, _) in enumerate(planted())]
    with plt.style.context(style):
        ax = plot_best_times(posted(post_made, *noise))
    assert "not enough evidence" in ep.headline(ax)
    (found,) = [each for each in ax.collections if each.get_gid() == "rate"]
    shades = found.cmap(np.linspace(0, 1, 9))[:, :3] @ (0.299, 0.587, 0.114)
    assert shades.max() - shades.min() < 0.12
    assert np.abs(shades - (style == "default")).max() < 0.35


def test_counts(post_made: Any) -> None:
    """Engagements of a typical post: the colour bar has numbers and no per cent."""
    ax = plot_best_times(posted(post_made, *planted()), by="engagements", at=None)
    assert "Wednesday 09:00 to 10:00" in ep.headline(ax)
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "engagements of a typical post, shrunk"


def test_equal_rates_look_equal(post_made: Any) -> None:
    """Differences of nothing are not stretched over the whole map of colours."""
    ax = plot_best_times(posted(post_made, *FLAT))
    (found,) = [each for each in ax.collections if each.get_gid() == "rate"]
    low, high = found.get_clim()
    assert low <= 0.03 * 0.9 + 1e-9
    assert high >= 0.03 * 1.1 - 1e-9


def test_the_engagement_clock(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Named apart: by the hour in which people responded."""
    ax = plot_best_times(demo[0], clock="engagement", draws=100)
    assert ax.get_ylabel() == "hour of engagement (UTC)"
    assert ep.headline(ax).startswith("Best hour of engagement: ")


@pytest.mark.slow
def test_small_pictures_keep_their_numbers_apart(post_made: Any) -> None:
    """At half the width no number is wider than its cell."""
    counts = posted(
        post_made,
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


def test_refused(rows: pd.DataFrame) -> None:
    """As the metric does, before there is a figure."""
    with pytest.raises(ep.FrameError, match="clock is 'noon'"):
        plot_best_times(rows, clock="noon")
    assert plt.get_fignums() == []
