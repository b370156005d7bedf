"""Simulated posts with known parameters, and hand-made frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from engagement_pandas.frame.contract import COUNT_COLUMNS, TEXT, in_order

ONE_SNAPSHOT = tuple(name for name in COUNT_COLUMNS if name not in ("retrieved_at", "source"))
"""The columns of counts from a single retrieval."""

EPOCH_MS = 1288834974657
HOUR_MS = 3_600_000
MARCH = 1_772_323_200_000  # 2026-03-01T00:00:00Z


def tidy(rows: Sequence[tuple[Any, ...]], *columns: str) -> pd.DataFrame:
    """Return tidy counts from rows; by default post, type, day, hour, count."""
    names = list(columns) or list(ONE_SNAPSHOT)
    frame = pd.DataFrame(rows, columns=names).astype({name: COUNT_COLUMNS[name] for name in names})
    names_present = in_order(str(name) for name in frame["engagement_type"].unique())
    ordered = frame["engagement_type"].cat.set_categories(pd.Index(names_present, dtype=TEXT))
    frame = frame.assign(engagement_type=ordered)
    if {"day", "hour"} <= set(names):
        frame.attrs["endpoint"] = "historical"  # whose hours are complete
    return frame


def id_at(time: str, low: int = 0) -> str:
    """Return the ID of a post created at a given time."""
    return str(((pd.Timestamp(time).value // 10**6 - EPOCH_MS) << 22) + low)


def ids_at(times_ms: Any) -> list[str]:
    """Return distinct IDs of posts created at given times, in ms since 1970."""
    return [str(((int(ms) - EPOCH_MS) << 22) + i) for i, ms in enumerate(times_ms)]


def exponential(hours: Any, half_life: Any) -> Any:
    """Return the share reached with exponential growth."""
    return 1 - 2.0 ** (-np.asarray(hours) / half_life)


def log_logistic(hours: Any, half_life: Any, shape: float = 1.25) -> Any:
    """Return the share reached with log-logistic growth: fast at first, with a long tail."""
    grown = np.asarray(hours) ** shape
    return grown / (grown + np.asarray(half_life) ** shape)


def hourly(  # noqa: PLR0913  each has a default
    created_ms: Any,
    sizes: Mapping[str, Any],
    rng: np.random.Generator,
    *,
    hours: int = 168,
    growth: Callable[[Any, Any], Any] = exponential,
    half_life: Any = 80 / 60,
) -> pd.DataFrame:
    """Simulate tidy hourly counts: Poisson numbers along a growth curve since posting."""
    created = np.asarray(created_ms, dtype=np.int64)
    first = created // HOUR_MS
    edges = np.maximum((first[:, None] + np.arange(hours + 1)) * HOUR_MS - created[:, None], 0)
    half = np.broadcast_to(half_life, created.shape)[:, None]
    share = np.diff(growth(edges / HOUR_MS, half), axis=1)
    start = first[:, None] + np.arange(hours)
    ids = np.repeat(np.array(ids_at(created)), hours)
    parts = []
    for name in in_order(sizes):
        size = np.broadcast_to(sizes[name], created.shape)[:, None]
        parts.append(
            pd.DataFrame(
                {
                    "post_id": pd.Series(ids, dtype=TEXT),
                    "engagement_type": name,
                    "day": (start // 24).ravel().astype("datetime64[D]").astype("datetime64[us]"),
                    "hour": (start % 24).ravel().astype("int8"),
                    "count": pd.array(rng.poisson(size * share).ravel(), dtype="Int64"),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    dtype = pd.CategoricalDtype(pd.Index(in_order(sizes), dtype=TEXT))
    frame = frame.astype({"engagement_type": dtype})
    frame.attrs["endpoint"] = "historical"  # whose hours are complete
    return frame.sort_values(list(ONE_SNAPSHOT)[:-1], ignore_index=True)


def totals(created_ms: Any, sizes: Mapping[str, Any]) -> pd.DataFrame:
    """Return tidy totals by post."""
    ids = ids_at(created_ms)
    rows = [
        (post, name, int(size))
        for name in in_order(sizes)
        for post, size in zip(ids, sizes[name], strict=True)
    ]
    frame = tidy(rows, "post_id", "engagement_type", "count")
    return frame.sort_values(["post_id", "engagement_type"], ignore_index=True)
