"""What posts gained between readings: levels, gaps and falls."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib import dates
from matplotlib.colors import to_hex

import engagement_pandas as ep

MOMENTS = ("2026-03-01T00:00Z", "2026-03-03T00:00Z", "2026-03-04T00:00Z")


def read(*totals: dict[str, int | None], moments: tuple[str, ...] = MOMENTS) -> pd.DataFrame:
    """Return readings of the likes of posts, one for each mapping."""
    bodies = [
        {"data": [{"id": post, "public_metrics": {"like_count": n}} for post, n in each.items()]}
        for each in totals
    ]
    return pd.concat(
        ep.flatten_lookup(body, retrieved_at=moment)
        for body, moment in zip(bodies, moments, strict=False)
    )


def levels(ax: Any) -> dict[str, list[float]]:
    """Return the y values of each line."""
    return {line.get_gid(): line.get_ydata().tolist() for line in ax.lines}


def test_a_level_from_reading_to_reading() -> None:
    """Per day, whatever lies between two readings."""
    ax = ep.plot_growth(read({"7": 5}, {"7": 9}, {"7": 10}))
    assert levels(ax) == {"7": [2, 2, 1, 1]}
    first, *_, last = dates.num2date(ax.lines[0].get_xdata())
    assert (f"{first:%F}", f"{last:%F}") == ("2026-03-01", "2026-03-04")
    assert ax.get_ylabel() == "favorites gained per day"


def test_the_post_that_gained_most_is_first() -> None:
    """In the legend too."""
    ax = ep.plot_growth(read({"7": 5, "8": 1}, {"7": 6, "8": 9}))
    assert list(levels(ax)) == ["8", "7"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["8", "7"]


def test_a_fall_is_marked() -> None:
    """Below zero, in the middle of its interval, with a word for it."""
    ax = ep.plot_growth(read({"7": 5}, {"7": 3}))
    assert levels(ax) == {"7": [-1, -1]}
    (falls,) = [each for each in ax.collections if each.get_gid() == "fell"]
    ((x, y),) = falls.get_offsets()
    assert (f"{dates.num2date(x):%F}", y) == ("2026-03-02", -1)
    assert ax.get_legend().get_texts()[-1].get_text() == "the total fell"


def test_a_given_colour_reaches_the_triangle() -> None:
    """As it does the line."""
    ax = ep.plot_growth(read({"7": 5}, {"7": 3}), c="red")
    (falls,) = [each for each in ax.collections if each.get_gid() == "fell"]
    assert {to_hex(ax.lines[0].get_color()), to_hex(falls.get_facecolors()[0])} == {"#ff0000"}


def test_many_posts() -> None:
    """Seven have lines of their own, the others are grey."""
    ids = [str(n) for n in range(10, 20)]
    ax = ep.plot_growth(read(dict.fromkeys(ids, 0), {post: int(post) for post in ids}))
    assert len(ax.lines) == 7
    assert ax.get_legend().get_texts()[-1].get_text() == "3 others"


def test_posts_that_were_read_once() -> None:
    """The plot says so."""
    ax = ep.plot_growth(read({"7": 5}))
    assert [text.get_text() for text in ax.texts] == ["no post has two readings to compare"]


def test_several_types() -> None:
    """One must be named."""
    body = {"id": "7", "public_metrics": {"like_count": 1, "reply_count": 2}}
    counts = pd.concat(ep.flatten_lookup(body, retrieved_at=moment) for moment in MOMENTS)
    with pytest.raises(ep.FrameError, match="name one as engagement_type"):
        ep.plot_growth(counts)
    assert levels(ep.plot_growth(counts, engagement_type="replies")) == {"7": [0, 0, 0, 0]}
