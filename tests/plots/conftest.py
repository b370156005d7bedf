"""Frames made by hand, IDs with a creation time, and a check that figures are closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.frame.contract import TEXT

EPOCH_MS = 1_288_834_974_657
"""The epoch of the IDs: 2010-11-04 01:42:54.657 UTC, from X's documentation."""


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    """Close the figures of a test, and those of earlier examples."""
    plt.close("all")
    yield
    plt.close("all")


def _hourly(*rows: tuple[str, str, str, int, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["post_id", "engagement_type", "day", "hour", "count"])
    frame.attrs["endpoint"] = "historical"  # whose hours are complete
    return frame.astype(
        {
            "post_id": TEXT,
            "engagement_type": "category",
            "day": "datetime64[us]",
            "hour": "int8",
            "count": "Int64",
        }
    )


@pytest.fixture(scope="session")
def hourly() -> Callable[..., pd.DataFrame]:
    """Return a function that makes tidy counts: post, type, day, hour, count."""
    return _hourly


@pytest.fixture
def rows() -> pd.DataFrame:
    """Return counts of two posts and two types, with a gap and an unknown count."""
    return _hourly(
        ("1", "impressions", "2026-03-01", 22, 10),
        ("1", "impressions", "2026-03-01", 23, 20),
        ("1", "impressions", "2026-03-02", 1, 5),
        ("2", "impressions", "2026-03-01", 22, 1),
        ("2", "impressions", "2026-03-01", 23, pd.NA),
        ("1", "favorites", "2026-03-01", 22, 3),
    )


def _post_id_at(timestamp: str, serial: int = 0) -> str:
    created = datetime.fromisoformat(timestamp).replace(tzinfo=UTC)
    return str(((round(created.timestamp() * 1000) - EPOCH_MS) << 22) + serial)


@pytest.fixture(scope="session")
def post_id_at() -> Callable[..., str]:
    """Return a function that makes the ID of a post from its creation time, UTC."""
    return _post_id_at


def _life(
    timestamp: str, numbers: list[Any], serial: int = 0, engagement_type: str = "impressions"
) -> pd.DataFrame:
    start = datetime.fromisoformat(timestamp).replace(minute=0, second=0)
    hours = [start + timedelta(hours=i) for i in range(len(numbers))]
    post = _post_id_at(timestamp, serial)
    return _hourly(
        *(
            (post, engagement_type, f"{at:%F}", at.hour, n)
            for at, n in zip(hours, numbers, strict=True)
        )
    )


@pytest.fixture(scope="session")
def life() -> Callable[..., pd.DataFrame]:
    """Return a function that makes counts of one post, from the hour of its creation."""
    return _life


@pytest.fixture(scope="session")
def demo() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return counts of 25 posts of the sandbox for a week, and the posts."""
    with ep.demo_client(now="2026-04-15T12:20:00Z") as sandbox:
        posts = sandbox.posts.tail(25)
        request = ep.historical(
            posts,
            engagement_types=["impressions", "engagements", "favorites"],
            window=ep.Window.covering("2026-04-08", "2026-04-15"),
        )
        return ep.flatten(sandbox.client.fetch(request)), posts


def _ys(ax: Any) -> dict[str, list[float]]:
    return {line.get_gid(): list(line.get_ydata()) for line in ax.lines}


@pytest.fixture(scope="session")
def ys() -> Callable[[Any], dict[str, list[float]]]:
    """Return a function that returns the y values of each line, by its gid."""
    return _ys


def _legend(ax: Any) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


@pytest.fixture(scope="session")
def legend() -> Callable[[Any], list[str]]:
    """Return a function that returns the names in a legend."""
    return _legend
