"""Plots of growth between readings: levels, gaps and decreases."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib import dates
from matplotlib.colors import to_hex

import engagement_pandas as ep

TIMES = ("2026-03-01T00:00Z", "2026-03-03T00:00Z", "2026-03-04T00:00Z")


def readings(*totals: dict[str, int | None], times: tuple[str, ...] = TIMES) -> pd.DataFrame:
    """Return readings of the likes of posts, one for each mapping."""
    bodies = [
        {"data": [{"id": post, "public_metrics": {"like_count": n}} for post, n in counts.items()]}
        for counts in totals
    ]
    return pd.concat(
        ep.flatten_lookup(body, retrieved_at=time)
        for body, time in zip(bodies, times, strict=False)
    )


def levels(ax: Any) -> dict[str, list[float]]:
    """Return the y values of each line."""
    return {line.get_gid(): line.get_ydata().tolist() for line in ax.lines}


def test_growth_is_a_level_between_readings() -> None:
    """Its unit is counts per day, for any interval."""
    ax = ep.plot_growth(readings({"7": 5}, {"7": 9}, {"7": 10}))
    assert levels(ax) == {"7": [2, 2, 1, 1]}
    first, *_, last = dates.num2date(ax.lines[0].get_xdata())
    assert (f"{first:%F}", f"{last:%F}") == ("2026-03-01", "2026-03-04")
    assert ax.get_ylabel() == "favorites gained per day"


def test_the_post_with_most_growth_is_first() -> None:
    """The legend has this order too."""
    ax = ep.plot_growth(readings({"7": 5, "8": 1}, {"7": 6, "8": 9}))
    assert list(levels(ax)) == ["8", "7"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["8", "7"]


def test_a_decrease_is_marked() -> None:
    """The mark is below zero, in the middle of the interval, and in the legend."""
    ax = ep.plot_growth(readings({"7": 5}, {"7": 3}))
    assert levels(ax) == {"7": [-1, -1]}
    (falls,) = [collection for collection in ax.collections if collection.get_gid() == "fell"]
    ((x, y),) = falls.get_offsets()
    assert (f"{dates.num2date(x):%F}", y) == ("2026-03-02", -1)
    assert ax.get_legend().get_texts()[-1].get_text() == "the total fell"


def test_a_colour_applies_to_the_triangle() -> None:
    """It applies to the line too."""
    ax = ep.plot_growth(readings({"7": 5}, {"7": 3}), c="red")
    (falls,) = [collection for collection in ax.collections if collection.get_gid() == "fell"]
    assert {to_hex(ax.lines[0].get_color()), to_hex(falls.get_facecolors()[0])} == {"#ff0000"}


def test_seven_posts_have_coloured_lines() -> None:
    """The others are grey."""
    ids = [str(n) for n in range(10, 20)]
    ax = ep.plot_growth(readings(dict.fromkeys(ids, 0), {post: int(post) for post in ids}))
    assert len(ax.lines) == 7
    assert ax.get_legend().get_texts()[-1].get_text() == "3 others"


def test_posts_with_one_reading_have_a_message() -> None:
    """There is no growth to draw."""
    ax = ep.plot_growth(readings({"7": 5}))
    assert [text.get_text() for text in ax.texts] == ["no post has two readings to compare"]


def test_several_types_are_refused() -> None:
    """The error asks for one type."""
    body = {"id": "7", "public_metrics": {"like_count": 1, "reply_count": 2}}
    counts = pd.concat(ep.flatten_lookup(body, retrieved_at=time) for time in TIMES)
    with pytest.raises(ep.FrameError, match="name one as engagement_type"):
        ep.plot_growth(counts)
    assert levels(ep.plot_growth(counts, engagement_type="replies")) == {"7": [0, 0, 0, 0]}
