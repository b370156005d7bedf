"""Reshape counts: one column for each engagement type, and back."""

from __future__ import annotations

from typing import Any

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
    counts = as_counts(counts)
    check_counts(counts)
    keys = [name for name in _KEYS if name in counts]
    types = in_order(counts["engagement_type"].unique())
    taken = sorted({*types} & {*COUNT_COLUMNS})
    if taken:
        msg = f"the engagement type {taken[0]!r} clashes with a column name; rename it first"
        raise FrameError(msg)
    if keys:
        frame = counts[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    else:
        frame = pd.DataFrame(index=pd.RangeIndex(min(len(counts), 1)))
    places = pd.MultiIndex.from_frame(frame) if len(keys) > 1 else None
    for name in types:
        rows = counts[counts["engagement_type"] == name]
        frame[name] = _aligned(rows, frame, keys, places)
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


def _aligned(
    rows: pd.DataFrame, frame: pd.DataFrame, keys: list[str], places: pd.MultiIndex | None
) -> Any:
    """Return the counts of one type, aligned with the rows of a frame of keys."""
    if not keys:
        return rows["count"].array[:1]
    if places is None:
        return rows.set_index(keys[0])["count"].reindex(frame[keys[0]]).array
    return rows.set_index(keys)["count"].reindex(places).array
