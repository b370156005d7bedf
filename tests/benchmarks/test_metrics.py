"""Time and memory of the metrics, compared with a bare groupby on the same keys.

::

    python -m pytest tests/benchmarks/test_metrics.py -o addopts= --benchmark-only
    METRICS_ROWS=10000000 python -m pytest tests/benchmarks/test_metrics.py -o addopts=

``METRICS_ROWS`` is the size of the frame, a million by default. In brackets after each time,
pytest-benchmark prints its ratio to the fastest of the group. The reference of a group is
``bare``, and a metric may take three times as long. ``test_growth`` shows that the time is
linear in the rows. ``test_at_most_twice_the_frame_of_additional_memory`` tests the limit on
memory (``--benchmark-only`` leaves it out).
"""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Callable
from timeit import repeat
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from engagement_pandas import metrics
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES

ROWS: Final = int(os.environ.get("METRICS_ROWS", "1000000"))
HOURS: Final = 28 * 24
TYPES: Final = [str(name) for name in SERIES_TYPES[:8]]
MEMORY: Final = 2.0

Metric = Callable[[pd.DataFrame], Any]


def frame(rows: int, types: list[str] = TYPES) -> pd.DataFrame:
    """Return tidy counts as flatten does: sorted, four weeks by hour from the creation on."""
    posts = max(rows // (HOURS * len(types)), 2)
    rng = np.random.default_rng(20260301)
    created = np.sort(1_772_323_200_000 + rng.integers(0, 3_600_000, posts))
    names = [str(((int(ms) - 1288834974657) << 22) + n) for n, ms in enumerate(created)]
    series = posts * len(types)
    hour = np.tile(1_772_323_200 // 3600 + np.arange(HOURS), series)
    post = np.repeat(np.arange(posts), HOURS * len(types))
    engagement_type = np.tile(np.repeat(np.arange(len(types), dtype=np.int8), HOURS), posts)
    size = rng.lognormal(7, 1, series)
    share = np.diff(1 - 2.0 ** (-np.arange(HOURS + 1) / 4))
    dtype = pd.CategoricalDtype(pd.Index(types, dtype=TEXT))
    return pd.DataFrame(
        {
            "post_id": pd.Series(names, dtype=TEXT).take(post).reset_index(drop=True),
            "engagement_type": pd.Categorical.from_codes(engagement_type, dtype=dtype),
            "day": (hour // 24).astype("datetime64[D]").astype("datetime64[us]"),
            "hour": (hour % 24).astype("int8"),
            "count": pd.array(rng.poisson(np.outer(size, share)).ravel(), dtype="Int64"),
        }
    )


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    """Make the frame once."""
    return frame(ROWS)


@pytest.fixture(scope="module")
def pair() -> pd.DataFrame:
    """Return a frame of the two types of a rate only, the worst case."""
    return frame(ROWS, TYPES[:2])


def bare(*keys: str) -> Metric:
    """Return the groupby of pandas."""
    return lambda counts: counts.groupby(list(keys), observed=True)["count"].sum()


def local_days(counts: pd.DataFrame) -> pd.DataFrame:
    """Sum by days of another time zone than UTC."""
    return metrics.over_time(counts, every="D", tz="America/New_York")


METRICS: Final[dict[str, tuple[Metric, Metric]]] = {
    "engagement_rate": (metrics.engagement_rate, bare("post_id", "engagement_type")),
    "engagement_rate_of_all": (
        lambda counts: metrics.engagement_rate(counts, by=None),
        bare("engagement_type"),
    ),
    "over_time_by_hour": (
        lambda counts: metrics.over_time(counts, every="h"),
        bare("engagement_type", "day", "hour"),
    ),
    "over_time_by_day": (local_days, bare("engagement_type", "day")),
    "over_time_by_post": (
        lambda counts: metrics.over_time(counts, every="W", by=["post_id", "engagement_type"]),
        bare("post_id", "engagement_type", "day"),
    ),
    "top_posts": (metrics.top_posts, bare("post_id", "engagement_type")),
    "top_posts_by_rate": (
        lambda counts: metrics.top_posts(counts, by="rate"),
        bare("post_id", "engagement_type"),
    ),
    "summarise": (metrics.summarise, bare("post_id", "engagement_type")),
    "wide": (metrics.wide, bare("post_id", "day", "hour")),
    "half_life": (metrics.half_life, bare("post_id", "engagement_type")),
}
LINEAR_METRICS: Final[dict[str, Metric]] = {
    "by_age": metrics.by_age,
    "cumulative": metrics.cumulative,
    "age": metrics.age,
}


def peak_memory(metric: Metric, counts: pd.DataFrame) -> int:
    """Return the peak of additional bytes allocated by numpy and Python."""
    gc.collect()
    tracemalloc.start()
    try:
        metric(counts)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("frame_name", ["counts", "pair"])
def test_at_most_twice_the_frame_of_additional_memory(
    name: str, frame_name: str, request: pytest.FixtureRequest
) -> None:
    """The input frame is not counted; Arrow's own memory pool is negligible."""
    counts = request.getfixturevalue(frame_name)
    frame_bytes = int(counts.memory_usage(deep=True).sum())
    assert peak_memory(METRICS[name][0], counts) <= MEMORY * frame_bytes + 2**20


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("frame_name", ["counts", "pair"])
def test_metric(benchmark: Any, name: str, frame_name: str, request: pytest.FixtureRequest) -> None:
    """Each metric that sums, on all types and on the two of the rate."""
    counts = request.getfixturevalue(frame_name)
    benchmark.group = f"{name} of {frame_name}"
    benchmark.pedantic(METRICS[name][0], args=(counts,), rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("frame_name", ["counts", "pair"])
def test_bare(benchmark: Any, name: str, frame_name: str, request: pytest.FixtureRequest) -> None:
    """The reference is pandas' groupby on the same keys."""
    counts = request.getfixturevalue(frame_name)
    benchmark.group = f"{name} of {frame_name}"
    benchmark.pedantic(METRICS[name][1], args=(counts,), rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("rows", [ROWS // 4, ROWS // 2, ROWS])
@pytest.mark.parametrize("name", LINEAR_METRICS)
def test_growth(benchmark: Any, name: str, rows: int) -> None:
    """Each metric that follows posts, at three sizes."""
    benchmark.group = name
    benchmark.pedantic(LINEAR_METRICS[name], args=(frame(rows),), rounds=3, warmup_rounds=1)


def test_the_cast_takes_less_than_2_percent_of_over_time() -> None:
    """The cast of a tidy frame is done by every function."""
    counts = frame(100_000)
    cast = min(repeat(lambda: as_counts(counts), number=100, repeat=5)) / 100
    metric = min(repeat(lambda: metrics.over_time(counts), number=5, repeat=5)) / 5
    assert cast < 0.02 * metric
