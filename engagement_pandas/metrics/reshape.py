"""Reshape counts: one column for each engagement type, and back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import (
    COUNT_COLUMNS,
    TEXT,
    check_counts,
    empty_counts,
    in_order,
)
from engagement_pandas.metrics.checks import is_of_types
from engagement_pandas.metrics.group_sums import coded

_KEYS = [name for name in COUNT_COLUMNS if name not in ("engagement_type", "count")]


def wide(counts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per post, day and hour, and one column per engagement type.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts, of any grouping.

    Returns
    -------
    DataFrame
        ``post_id``, ``retrieved_at``, ``day`` and ``hour`` as far as present, with their
        dtypes and sorted by them, and an ``Int64`` column for each type, in vocabulary
        order: counts in that bucket. ``<NA>`` if a count is unknown or has no row.
        ``attrs`` are kept.

    Raises
    ------
    FrameError
        If the counts are not tidy or repeat a key, or a type is named like a key.

    See Also
    --------
    tall : the inverse

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"123": {"impressions": "90", "favorites": "7"}, "45": {"impressions": "8"}}}
    >>> wide(ep.flatten_json(body))
      post_id  impressions  favorites
    0     123           90          7
    1      45            8       <NA>
    """
    counts = check_counts(as_counts(counts))
    keys = [name for name in _KEYS if name in counts]
    types = in_order(counts["engagement_type"].unique())
    taken = sorted({*types} & {*COUNT_COLUMNS})
    if taken:
        msg = f"the engagement type {taken[0]!r} clashes with a column name; rename it first"
        raise FrameError(msg)
    places, frame = coded(counts, keys)
    frame = frame.iloc[: len(counts)]
    number = counts["count"].to_numpy(dtype="int64", na_value=0)
    known = counts["count"].notna().to_numpy()
    for name in types:
        rows = is_of_types(counts, [name])
        column, missing = np.zeros(len(frame), dtype=np.int64), np.ones(len(frame), dtype=np.bool_)
        column[places[rows]] = number[rows]
        missing[places[rows & known]] = False
        frame[name] = pd.arrays.IntegerArray(column, missing)
    frame.columns = pd.Index([*keys, *types], dtype=empty_counts().columns.dtype)  # as of counts
    frame.attrs = dict(counts.attrs)
    return frame


def tall(frame: pd.DataFrame) -> pd.DataFrame:
    """Return tidy counts: one row per post, engagement type, day and hour.

    Parameters
    ----------
    frame : DataFrame
        As returned by :func:`wide`: every column but ``post_id``,
        ``retrieved_at``, ``day`` and ``hour`` is an engagement type.

    Returns
    -------
    DataFrame
        Tidy counts, with the contract's order and dtypes. One row for each key and type, so
        rows that :func:`wide` did not find come back as ``<NA>``, which means the same.

    Raises
    ------
    FrameError
        If a column has another dtype, or a key occurs twice.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"123": {"impressions": "90", "favorites": "7"}}})
    >>> tall(wide(counts)).equals(counts)
    True
    """
    if not isinstance(frame, pd.DataFrame):
        msg = f"a wide frame is a DataFrame, not a {type(frame).__name__}; see wide()"
        raise FrameError(msg)
    keys = [name for name in _KEYS if name in frame]
    types = in_order(name for name in frame.columns if name not in keys)
    for name in types:
        if str(frame[name].dtype) != COUNT_COLUMNS["count"]:
            msg = f"{name!r} is {frame[name].dtype}, not Int64; drop it, or take counts_from(frame)"
            raise FrameError(msg)
    if not types or frame.empty:
        counts = empty_counts(keys)
    else:
        categories = pd.CategoricalDtype(pd.Index(types, dtype=TEXT))
        parts = [
            frame[keys].assign(
                engagement_type=pd.Categorical.from_codes([place] * len(frame), dtype=categories),
                count=frame[name],
            )
            for place, name in enumerate(types)
        ]
        order = [name for name in COUNT_COLUMNS if name in {*keys, "engagement_type", "count"}]
        counts = pd.concat(parts)[order].sort_values(order[:-1], ignore_index=True)
    counts.attrs = dict(frame.attrs)
    check_counts(counts)
    return counts
