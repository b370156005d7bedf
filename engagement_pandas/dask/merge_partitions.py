"""Reduce and merge partitions, and find the window that all of them cover."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import dask.dataframe as dd
import pandas as pd
from dask.dataframe.dispatch import concat
from dask.delayed import Delayed, delayed

from engagement_pandas.flattening.covered_window import common_window, union_window
from engagement_pandas.flattening.flatten import ANSWERED
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary.endpoints import Endpoint

STRETCHES: Final = "engagement_pandas.stretches"
"""Key in ``attrs`` of a partition: the windows of its responses, and posts if they matter."""

_FAN_IN: Final = 8
_Reduce = Callable[[pd.DataFrame], pd.DataFrame]


def merge_partitions(counts: dd.DataFrame, reduce: _Reduce) -> Delayed:
    """Reduce each partition, and merge the results, a few at a time."""
    parts = [delayed(_reduced)([part], reduce) for part in counts.to_delayed()]
    while len(parts) > 1:
        groups = [parts[place : place + _FAN_IN] for place in range(0, len(parts), _FAN_IN)]
        parts = [delayed(_reduced)(group, reduce) for group in groups]
    merged: Delayed = parts[0]
    return merged


def _reduced(frames: Sequence[pd.DataFrame], reduce: _Reduce) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    reduced = reduce(filled[0] if len(filled) == 1 else concat(filled))
    reduced.attrs = _joined([frame.attrs for frame in frames if len(frame) or frame.attrs])
    return reduced


def _joined(given: Sequence[dict[Any, Any]]) -> dict[Any, Any]:
    """Return the ``attrs`` shared by all partitions, with the earliest retrieval time."""
    if not given:
        return {}
    same = {
        name: value
        for name, value in given[0].items()
        if all(name in attrs and attrs[name] == value for attrs in given)
    }
    if all("retrieved_at" in attrs for attrs in given):
        same["retrieved_at"] = min((attrs["retrieved_at"] for attrs in given), key=_moment)
    if all(STRETCHES in attrs for attrs in given):
        same[STRETCHES] = [stretch for attrs in given for stretch in attrs[STRETCHES]]
    elif (
        same.get("endpoint") == Endpoint.LAST_28_HOURS
        and {"start", "end"} - set(same)
        and any("end" in attrs for attrs in given)
    ):
        ends = [(_moment(a["start"]), _moment(a["end"])) for a in given if "end" in a]
        both = common_window(ends) if len(ends) == len(given) else None
        if both is None:  # the common end is not known to the second
            del same["endpoint"]
        else:
            same |= both
    return same


def _moment(value: Any) -> datetime:
    return pd.Timestamp(value).to_pydatetime()


def stretches(responses: Iterable[EngagementResponse], *, hourly: bool) -> dict[str, Any]:
    """Return the windows of responses for ``attrs``; empty if requests have no window."""
    answered = [response for response in responses if response.status == ANSWERED]
    found = [
        [
            window.start.isoformat(),
            window.end.isoformat(),
            [] if hourly else list(response.request.post_ids),
        ]
        for response in answered
        if (window := response.request.window) is not None
    ]
    return {STRETCHES: found} if len(found) == len(answered) else {}


def common_coverage(attrs: dict[Any, Any]) -> dict[Any, Any]:
    """Return ``attrs`` with the common coverage of all windows."""
    own = dict(attrs)
    given = own.pop(STRETCHES, None)
    if given is None:
        return own
    own.pop("start", None)
    own.pop("end", None)
    windows = [(_moment(start), _moment(end), posts) for start, end, posts in given]
    return own | (union_window(windows) if windows else {})
