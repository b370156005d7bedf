"""The hours that counts cover: from the first row to the last, and which are whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.vocabulary import Endpoint
from engagement_pandas.wording import moment_text

HOUR_US: Final = 3_600_000_000
DAY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in hours since 1970, UTC, half-open.

    Attributes
    ----------
    first, last : int
        From the start of the first bucket to the end of the last.
    whole_from, whole_until : int
        Between these the buckets are known to be covered from end to end.
    until : float
        The moment of the last count: ``last``, or within the last bucket the retrieval.
    step : int
        Hours in a bucket: 1, or 24 where counts are by day.
    """

    first: int
    last: int
    whole_from: int
    whole_until: int
    until: float
    step: int


NOTHING: Final = Span(0, 0, 0, 0, 0.0, 1)
"""What an empty frame covers."""


def hours(counts: pd.DataFrame) -> NDArray[np.int64]:
    """Return the start of each row's bucket, in whole hours since 1970, UTC.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"1970-01-02": {"03": "5"}}}}
    >>> hours(ep.flatten_json(body)).tolist()
    [27]
    """
    starts = counts["day"].to_numpy().astype("datetime64[us]").view("int64") // HOUR_US
    if "hour" in counts.columns:
        starts += counts["hour"].to_numpy()
    return starts


def retrieved(counts: pd.DataFrame) -> float | None:
    """Return ``attrs["retrieved_at"]`` in hours since 1970, UTC; None where there is none.

    Raises
    ------
    FrameError
        Where it is no time, or has no time zone.

    Examples
    --------
    >>> frame = pd.DataFrame()
    >>> frame.attrs["retrieved_at"] = "1970-01-01T02:30:00Z"
    >>> retrieved(frame)
    2.5
    """
    moment = counts.attrs.get("retrieved_at")
    if moment is None:
        return None
    return datetime.fromisoformat(moment_text(moment)).timestamp() / 3600


def span(counts: pd.DataFrame, starts: NDArray[np.int64]) -> Span:
    """Return what the counts cover, as far as they tell themselves.

    Parameters
    ----------
    counts : DataFrame
        Not empty.
    starts : ndarray
        As :func:`hours` returns them.

    Notes
    -----
    The first and the last hour of ``/28hr`` are partial; days at the edges of a window
    hold only the hours inside it, and nothing in an answer says so (X's documentation).
    So the first and the last day of counts by day are not known to be whole. An hour in
    which the counts were retrieved had not ended.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"1970-01-02": {"03": "5", "04": "6"}}}}
    >>> counts = ep.flatten_json(body)
    >>> span(counts, hours(counts))
    Span(first=27, last=29, whole_from=27, whole_until=29, until=29, step=1)
    """
    step = 1 if "hour" in counts.columns else DAY_HOURS
    first, last = int(starts.min()), int(starts.max()) + step
    moment = retrieved(counts)
    within = moment is not None and last - step < moment < last
    partial = counts.attrs.get("endpoint") == Endpoint.LAST_28_HOURS or step == DAY_HOURS
    return Span(
        first=first,
        last=last,
        whole_from=first + step * partial,
        whole_until=last - step * (partial or within),
        until=moment if moment is not None and within else last,
        step=step,
    )


def given_span(window: Any, step: int) -> Span:
    """Return a window that somebody gives, as a span that is whole.

    Parameters
    ----------
    window : Window, or pair of datetime or str
        Half-open. Anything with ``start`` and ``end`` will do; times have a time zone,
        and bare dates are midnights, UTC.
    step : int
        Hours in a bucket of the counts.

    Raises
    ------
    FrameError
        Where it is none.

    Examples
    --------
    >>> given_span(("1970-01-02", "1970-01-03T06:30:00Z"), 1)
    Span(first=24, last=55, whole_from=24, whole_until=54, until=54.5, step=1)
    """
    try:
        start, end = (window.start, window.end) if hasattr(window, "start") else window
        bounds = [_hour(start), _hour(end)]
    except (TypeError, ValueError, AttributeError) as error:
        msg = (
            f"window is {window!r}; give a Window, or a pair of times with a time zone, such as "
            '("2026-03-01", "2026-04-12T09:00:00Z")'
        )
        raise FrameError(msg) from error
    if bounds[0] >= bounds[1]:
        msg = f"window {window!r} is empty; its end is exclusive and comes after its start"
        raise FrameError(msg)
    first, last = int(bounds[0] // step) * step, -int(-bounds[1] // step) * step
    return Span(
        first=first,
        last=last,
        whole_from=-int(-bounds[0] // step) * step,
        whole_until=int(bounds[1] // step) * step,
        until=bounds[1],
        step=step,
    )


def known_whole(
    full: NDArray[np.bool_],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    cover: Span,
    *,
    unsure: bool,
) -> Any:
    """Return which stretches of time are whole, as far as anybody knows.

    Parameters
    ----------
    full : ndarray of bool
        Whether each hour of the stretch has a count.
    begin, end : ndarray of int64
        Hours since 1970, UTC.
    cover : Span
    unsure : bool
        Whether the counts do not tell if their own edges are whole.

    Returns
    -------
    BooleanArray
        ``<NA>`` where it cannot be known.

    Examples
    --------
    >>> begin = np.array([0, 24, 48])
    >>> cover = Span(first=0, last=72, whole_from=24, whole_until=48, until=72, step=24)
    >>> full = np.array([True, True, True])
    >>> known_whole(full, begin, begin + 24, cover, unsure=True).tolist()
    [<NA>, True, <NA>]
    """
    sure = (begin >= cover.whole_from) & (end <= cover.whole_until)
    maybe = (begin >= cover.first) & (end <= cover.until)
    complete = pd.array(full & sure, dtype="boolean")
    complete[full & maybe & ~sure & unsure] = pd.NA
    return complete


def _hour(moment: Any) -> float:
    """Return a moment in hours since 1970, UTC."""
    stamp = pd.Timestamp(moment)
    if pd.isna(stamp):
        msg = "no moment"
        raise ValueError(msg)
    if stamp.tzinfo is None:
        if stamp != stamp.normalize():
            msg = "no time zone"
            raise ValueError(msg)
        stamp = stamp.tz_localize("UTC")
    return stamp.timestamp() / 3600
