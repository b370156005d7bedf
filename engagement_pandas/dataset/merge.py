"""Merge repeated readings: decide which reading is kept, and which hours changed.

A *reading* is a count with its retrieval time. The later of two readings of the same hour is
kept, but a missing count never replaces a number. So readings may be merged in any order, and
more than once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import API_COLUMNS, TEXT, check_counts, timestamps, to_iso_utc

KEY: Final = ("post_id", "engagement_type", "day", "hour")
"""Columns that identify a count."""

REVISION_COLUMNS: Final = (*KEY, "count_before", "count", "retrieved_before", "retrieved_at")
"""Columns of the log of hours whose count changed after they were first read."""

_CURE: Final = "a data set stores counts of historical(), grouped by post, type, day and hour"
_MICRO: Final = "datetime64[us, UTC]"


@dataclass(frozen=True)
class MergeResult:
    """Result of merging new readings into stored ones.

    ``rows`` are all stored and new rows, each hour once; ``added`` are those of hours that were
    not stored before. ``renewed`` are the days in which a stored row was replaced.
    ``revisions`` are the hours whose count has changed.
    """

    rows: pd.DataFrame
    added: pd.DataFrame
    renewed: npt.NDArray[np.datetime64]
    revisions: pd.DataFrame


def as_readings(counts: Any) -> pd.DataFrame:
    """Return counts with the retrieval time of each; raise if they are not hourly counts.

    Hourly counts are tidy counts by post, type, day and hour. Their retrieval time is in the
    column ``retrieved_at``, or else in ``attrs["retrieved_at"]``, as set by ``flatten``.
    """
    counts = as_counts(counts)
    check_counts(counts)
    missing = [name for name in KEY if name not in counts]
    if missing:
        msg = f"the counts lack {missing}; {_CURE}"
        raise FrameError(msg)
    if "source" in counts:
        msg = f"the counts are of {list(counts['source'].cat.categories)}; {_CURE}"
        raise FrameError(msg)
    endpoint = counts.attrs.get("endpoint", "historical")
    if endpoint != "historical":
        msg = f"the counts are from /{endpoint}, not from whole hours; {_CURE}"
        raise FrameError(msg)
    if "retrieved_at" not in counts:
        if "retrieved_at" not in counts.attrs:
            msg = (
                "the counts have no retrieval time; set counts.attrs['retrieved_at'], or use "
                "flatten(responses, retrieved_at=True)"
            )
            raise FrameError(msg)
        moment = pd.Timestamp(to_iso_utc(counts.attrs["retrieved_at"])).as_unit("us")
        counts = counts.assign(retrieved_at=pd.Series(moment, counts.index, dtype=_MICRO))
    readings: pd.DataFrame = counts[list(API_COLUMNS)].reset_index(drop=True)
    early = readings["retrieved_at"] < timestamps(readings) + pd.Timedelta(hours=1)
    if early.any():
        row = readings[early].iloc[0]
        msg = (
            f"hour {row['hour']} of {row['day']:%Y-%m-%d} was retrieved at {row['retrieved_at']}, "
            "before it had ended; request counts up to the last complete hour"
        )
        raise FrameError(msg)
    return readings


def moment_of(counts: pd.DataFrame) -> datetime:
    """Return the single retrieval time of counts."""
    moments: Any = counts["retrieved_at"].unique() if "retrieved_at" in counts else []
    if len(moments) > 1:
        msg = (
            f"the counts were retrieved from {min(moments)} to {max(moments)}, but the omissions "
            "have no retrieval time; use omissions(responses, retrieved_at=True)"
        )
        raise FrameError(msg)
    if not len(moments) and "retrieved_at" not in counts.attrs:
        msg = "the omissions have no retrieval time; use omissions(responses, retrieved_at=True)"
        raise FrameError(msg)
    moment = moments[0] if len(moments) else counts.attrs["retrieved_at"]
    return datetime.fromisoformat(to_iso_utc(moment))


def split_by_reading(readings: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield readings in parts with each hour at most once, earlier readings first."""
    if not readings.duplicated(list(KEY)).any():
        yield readings
        return
    ordered = readings.sort_values("retrieved_at", kind="stable")
    turn = ordered.groupby(list(KEY), observed=True).cumcount()
    for number in range(int(turn.max()) + 1):
        yield ordered[turn == number]


def merge_readings(stored: pd.DataFrame, fresh: pd.DataFrame) -> MergeResult:
    """Merge new readings into stored ones.

    Both are counts with ``retrieved_at``, each hour at most once.

    >>> import engagement_pandas as ep
    >>> def read(count, at):
    ...     body = {"g": {"7": {"replies": {"2026-03-01": {"09": count}}}}}
    ...     counts = ep.flatten_json(body)
    ...     counts.attrs["retrieved_at"] = at
    ...     return as_readings(counts)
    >>> first, second = read("5", "2026-03-01T10:05:00Z"), read("6", "2026-03-01T11:05:00Z")
    >>> merge_readings(first, second).revisions[["count_before", "count"]].to_numpy().tolist()
    [[5, 6]]
    >>> merge_readings(second, first).revisions.empty
    True
    """
    old_at, new_at = _matched(stored, fresh)
    added = fresh.drop(index=fresh.index[new_at]) if len(new_at) else fresh
    old, new = stored.iloc[old_at], fresh.iloc[new_at]
    before, after = (part["retrieved_at"].to_numpy("datetime64[us]") for part in (old, new))
    old_known, new_known = (part["count"].notna().to_numpy() for part in (old, new))
    old_count, new_count = (part["count"].fillna(0).to_numpy() for part in (old, new))
    differs = (old_known != new_known) | (old_count != new_count)
    _check_simultaneous(old, new, differs & (before == after))
    # The later reading replaces the earlier one, but a missing count never replaces a number.
    replaces = (new_known & ~old_known) | ((old_known == new_known) & (after > before))
    # A number that was retrieved before the stored <NA> is not a change.
    revised = replaces & differs & (after > before)
    revisions = (
        new[revised]
        .assign(
            count_before=old["count"].array[revised],
            retrieved_before=old["retrieved_at"].array[revised],
        )[list(REVISION_COLUMNS)]
        .reset_index(drop=True)
    )
    kept = np.ones(len(stored), bool)
    kept[old_at[replaces]] = False
    rows = fresh if stored.empty else stacked([stored[kept], new[replaces], added])
    return MergeResult(rows, added, np.unique(new["day"].to_numpy()[replaces]), revisions)


def _check_simultaneous(old: pd.DataFrame, new: pd.DataFrame, wrong: npt.NDArray[np.bool_]) -> None:
    """Raise if an hour has two different counts with the same retrieval time."""
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        row = new.iloc[first]
        msg = (
            f"{row[list(KEY)].astype(str).to_dict()} was retrieved at {row['retrieved_at']} as "
            f"{old['count'].iloc[first]} and as {row['count']}; keep the right one"
        )
        raise FrameError(msg)


def merge_all_readings(stored: pd.DataFrame, parts: Sequence[pd.DataFrame]) -> MergeResult:
    """Merge new readings into stored ones, one part after another."""
    steps = [merge_readings(stored, parts[0])]
    if len(parts) == 1:
        return steps[0]
    for fresh in parts[1:]:
        steps.append(merge_readings(steps[-1].rows, fresh))
    rows = steps[-1].rows
    _, known = _matched(stored, rows)
    return MergeResult(
        rows,
        added=rows.drop(index=rows.index[known]),
        renewed=np.unique(np.concatenate([step.renewed for step in steps])),
        revisions=pd.concat([step.revisions for step in steps], ignore_index=True),
    )


def stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate rows, with types as text, since their categories differ."""
    return pd.concat([part.astype({"engagement_type": TEXT}) for part in parts], ignore_index=True)


def _matched(
    stored: pd.DataFrame, fresh: pd.DataFrame
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the row numbers, in both frames, of the hours that both have."""
    if stored.empty:  # as for new days
        return np.empty(0, np.int64), np.empty(0, np.int64)
    posts = pd.Index(fresh["post_id"].unique())
    types = pd.Index(fresh["engagement_type"].unique()).astype(TEXT)
    hours = [_hours(part) for part in (stored, fresh)]
    least = min((int(part.min()) for part in hours if len(part)), default=0)
    span = max((int(part.max()) for part in hours if len(part)), default=0) - least + 1
    keys = []
    for part, hour in zip((stored, fresh), hours, strict=True):
        post = _places(posts, part["post_id"])
        code = _places(types, part["engagement_type"].astype(TEXT))
        key = (post * len(types) + code) * span + hour - least
        keys.append(np.where((post < 0) | (code < 0), -1, key))
    order = np.argsort(keys[0], kind="stable")
    position = np.minimum(np.searchsorted(keys[0], keys[1], sorter=order), len(order) - 1)
    old = order[position]
    new = np.flatnonzero(keys[0][old] == keys[1])
    return old[new], new


def _places(names: pd.Index, texts: pd.Series) -> npt.NDArray[np.int64]:
    codes, seen = pd.factorize(texts)
    return np.append(names.get_indexer(pd.Index(seen)), -1)[codes].astype(np.int64)


def _hours(part: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return hours since 1970, UTC."""
    days = part["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return days * 24 + part["hour"].to_numpy().astype(np.int64)
