"""Sums of counts by some columns, and how many counts each sum lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from engagement_pandas.metrics.checks import filter_types, known_type
from engagement_pandas.metrics.coverage import hours
from engagement_pandas.metrics.group_sums import added, coded
from engagement_pandas.metrics.roster import Places, Roster, refuse_more, tallied


def sum_counts(counts: pd.DataFrame, names: Sequence[str], types: Sequence[str]) -> pd.DataFrame:
    """Sum the counts of some types by some columns.

    The result has one row per combination, sorted: the columns, with their dtypes; an ``Int64``
    column for each type, ``<NA>`` if none of its counts is known; and ``missing`` (``Int64``):
    the number of counts of these types that are unknown or have no row, see :func:`missing_counts`.

    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"impressions": {"2026-03-01": "5"}}})
    >>> sum_counts(counts, ["day"], ["impressions", "favorites"])
             day  impressions  favorites  missing
    0 2026-03-01            5       <NA>     <NA>
    """
    wanted = list(dict.fromkeys(known_type(counts, name) for name in types))
    rows = filter_types(counts, wanted)
    codes, table = coded(rows, names)
    present = [str(kind) for kind in rows["engagement_type"].cat.categories]
    order = np.array([wanted.index(kind) if kind in wanted else -1 for kind in present])
    codes = codes * len(wanted)
    if present:
        codes += order[rows["engagement_type"].cat.codes.to_numpy()]
    sums = added(rows["count"], codes, len(table) * len(wanted)).array
    columns = {name: sums[place :: len(wanted)] for place, name in enumerate(wanted)}
    known = rows["count"].notna().to_numpy()
    return table.assign(
        **columns, missing=missing_counts(rows, names, table, codes // len(wanted), known)
    )


def missing_counts(
    counts: pd.DataFrame, names: Sequence[str], table: pd.DataFrame, code: Places, known: Any
) -> Any:
    """Return how many counts each sum lacks: unknown counts, and rows that do not exist.

    Each post is expected to have all hours (or days), from the first in the counts to the last,
    for each engagement type in them. ``table`` has the values of the keys ``names``, and
    ``code`` the index of each row in it; -1 for rows that are not summed. ``known`` states
    which rows are summed. The result is ``<NA>`` if a key is a day or an hour.
    """
    if {"day", "hour"} & set(names):
        return pd.array([pd.NA] * len(table), dtype="Int64")
    roster = Roster.of(counts, names)
    if "day" in counts.columns and len(counts):
        starts = hours(counts)
        known = known * roster.alive(starts)
        bounds = np.array([starts.min(), starts.max() + roster.step])
    else:
        there = counts["hour"].nunique() if "hour" in counts.columns else 1
        bounds = np.array([0, there])
        roster = replace(roster, born=np.full(len(roster.born), -np.inf), step=1)
        known = known if roster.summed is None else known * roster.summed
    found = tallied(np.maximum(code, 0), np.where(code < 0, 0, known), len(table))
    expected = roster.expected(bounds)[roster.of_keys(table), 0]
    refuse_more(found, expected)
    return pd.array(expected - found, dtype="Int64")
