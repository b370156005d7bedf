"""Frames by hand, posts with a time in their ID, and no figure left open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import engagement_pandas as ep

EPOCH_MS = 1_288_834_974_657
"""Of the IDs: 2010-11-04 01:42:54.657 UTC, as X's documentation has it."""


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    """Close whatever a test has drawn, and an example before it."""
    plt.close("all")
    yield
    plt.close("all")


def _hourly(*rows: tuple[str, str, str, int, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["post_id", "engagement_type", "day", "hour", "count"])
    frame.attrs["endpoint"] = "historical"  # whose hours are whole
    return frame.astype(
        {
            "post_id": "str",
            "engagement_type": "category",
            "day": "datetime64[us]",
            "hour": "int8",
            "count": "Int64",
        }
    )


@pytest.fixture(scope="session")
def hourly() -> Callable[..., pd.DataFrame]:
    """Make tidy counts by hand: post, type, day, hour, count."""
    return _hourly


@pytest.fixture
def rows() -> pd.DataFrame:
    """Two posts, two types, a gap and an unknown count."""
    return _hourly(
        ("1", "impressions", "2026-03-01", 22, 10),
        ("1", "impressions", "2026-03-01", 23, 20),
        ("1", "impressions", "2026-03-02", 1, 5),
        ("2", "impressions", "2026-03-01", 22, 1),
        ("2", "impressions", "2026-03-01", 23, pd.NA),
        ("1", "favorites", "2026-03-01", 22, 3),
    )


def _post_made(moment: str, serial: int = 0) -> str:
    made = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return str(((round(made.timestamp() * 1000) - EPOCH_MS) << 22) + serial)


@pytest.fixture(scope="session")
def post_made() -> Callable[..., str]:
    """Make the ID of a post from the moment it was made, UTC."""
    return _post_made


def _life(
    moment: str, numbers: list[Any], serial: int = 0, kind: str = "impressions"
) -> pd.DataFrame:
    start = datetime.fromisoformat(moment).replace(minute=0, second=0)
    hours = [start + timedelta(hours=place) for place in range(len(numbers))]
    post = _post_made(moment, serial)
    return _hourly(
        *((post, kind, f"{at:%F}", at.hour, n) for at, n in zip(hours, numbers, strict=True))
    )


@pytest.fixture(scope="session")
def life() -> Callable[..., pd.DataFrame]:
    """Make counts of one post, from the hour in which it was made."""
    return _life


@pytest.fixture(scope="session")
def demo() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return counts of the sandbox, a week of 25 posts, and what the posts say."""
    with ep.demo_client(now="2026-04-15T12:20:00Z") as running:
        posts = running.posts.tail(25)
        request = ep.historical(
            posts,
            engagement_types=["impressions", "engagements", "favorites"],
            window=ep.Window.covering("2026-04-08", "2026-04-15"),
        )
        return ep.flatten(running.client.fetch(request)), posts


def _ys(ax: Any) -> dict[str, list[float]]:
    return {line.get_gid(): list(line.get_ydata()) for line in ax.lines}


@pytest.fixture(scope="session")
def ys() -> Callable[[Any], dict[str, list[float]]]:
    """Return what each line of a picture draws, by its gid."""
    return _ys


def _legend(ax: Any) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


@pytest.fixture(scope="session")
def legend() -> Callable[[Any], list[str]]:
    """Return the names in the legend of a picture."""
    return _legend
