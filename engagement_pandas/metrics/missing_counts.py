"""How many counts a sum lacks: unknown counts, and rows that do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from engagement_pandas.metrics.coverage import hours
from engagement_pandas.metrics.expected_counts import ExpectedCounts, Places, refuse_more, tallied


def missing_counts(  # noqa: PLR0913
    counts: pd.DataFrame,
    names: Sequence[str],
    table: pd.DataFrame,
    code: Places,
    known: Any,
    *,
    posts: Any = None,
    span: tuple[int, int] | None = None,
) -> Any:
    """Return how many counts each sum lacks: unknown counts, and rows that do not exist.

    Each post is expected to have all hours (or days), from the first in the counts to the last,
    for each engagement type in them. ``table`` has the values of the keys ``names``, and
    ``code`` the index of each row in it; -1 for rows that are not summed. ``known`` states
    which rows are summed. ``posts`` are further posts that are expected, and ``span`` the first
    hour and the end in hours since 1970, UTC, if not those of the counts. The result is ``<NA>``
    if a key is a day or an hour.
    """
    if {"day", "hour"} & set(names):
        return pd.array([pd.NA] * len(table), dtype="Int64")
    expectation = ExpectedCounts.of(counts, names, posts)
    if "day" in counts.columns and len(counts):
        starts = hours(counts)
        known = known * expectation.alive(starts)
        bounds = np.array(span or (starts.min(), starts.max() + expectation.step))
    else:
        there = counts["hour"].nunique() if "hour" in counts.columns else 1
        bounds = np.array([0, there])
        expectation = replace(expectation, born=np.full(len(expectation.born), -np.inf), step=1)
        known = known if expectation.summed is None else known * expectation.summed
    found = tallied(code, known * (code >= 0), len(table))
    expected = expectation.expected(bounds)[expectation.of_keys(table), 0]
    refuse_more(found, expected)
    return pd.array(expected - found, dtype="Int64")
