"""Age of a post: the time since it was created, which its ID encodes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import TEXT, check_rows
from engagement_pandas.metrics.checks import need_columns
from engagement_pandas.metrics.coverage import CURE, HOUR_US, covered, hours, moment, span
from engagement_pandas.request.post_ids import FIRST_SNOWFLAKE, SNOWFLAKE_EPOCH
from engagement_pandas.vocabulary.limits import MAX_ID_DIGITS

_EPOCH_MS: Final = round(SNOWFLAKE_EPOCH.timestamp() * 1000)
_NO_TIME: Final = np.iinfo(np.int64).min


def made_at(post_ids: pd.Series) -> pd.Series:
    """Return the creation time of posts, read from their IDs.

    Times are to the millisecond; ``NaT`` for IDs from before 2010-11-04, which hold no time.
    The Series is named ``created_at`` and has the same index.
    """
    codes, names = pd.factorize(post_ids)
    moments = (_milliseconds(pd.Index(names)) * 1000)[codes] if len(names) else codes
    known = (
        np.where((moments < 0) | (codes < 0), _NO_TIME, moments)
        .astype("int64")
        .view("datetime64[us]")
    )
    return pd.Series(known, post_ids.index, name="created_at").dt.tz_localize("UTC")


def made_hour(post_ids: pd.Index) -> NDArray[np.float64]:
    """Return creation times in hours since 1970, UTC; NaN if the ID holds no time.

    >>> made_hour(pd.Index(["1060976163948904448"], dtype=TEXT)).round(3).tolist()
    [428275.39]
    """
    moments = _milliseconds(post_ids)
    return np.where(moments < 0, np.nan, moments / (HOUR_US / 1000))


def age(counts: pd.DataFrame) -> pd.Series:
    """Return the age of the post at the end of each count's hour or day.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``.

    Returns
    -------
    Series
        ``Float64``, hours, named ``age``, with the index of ``counts``: from the creation
        time in the post's ID to the end of the row's hour, or of its day if counts are by
        day. In the last bucket, age runs to the end of the window in ``attrs``, and is
        ``<NA>`` if ``attrs`` have none. Without a ``day`` column, age runs to that end in
        every row, or to the row's own ``retrieved_at`` if there is such a column. Ages are
        0 or negative in hours that ended before the post was created. ``<NA>`` for IDs
        that hold no time. If ``attrs["retrieved_at_known_to"]`` is ``"day"``, as for exports
        whose file names state the time, ages may be a day too high.

    Raises
    ------
    FrameError
        If counts have no ``post_id``, or neither ``day`` nor an end of the window.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"start": "2018-11-09T19:00:00Z", "end": "2018-11-09T20:00:00Z",
    ...         "g": {"1060976163948904448": {"impressions": {"2018-11-09": {"19": "5"}}}}}
    >>> age(ep.flatten_json(body)).round(2).to_list()
    [0.61]
    """
    counts = as_counts(counts)
    need_columns(counts, "post_id")
    posts = check_rows(counts)["post_id"].cat
    made = made_hour(posts.categories)[posts.codes]
    if "day" in counts.columns:
        starts = hours(counts)
        cover = span(counts, starts)
        ends = cover.ends(starts, starts + cover.step)
    else:
        ends = _read_at(counts)
    return pd.Series(pd.array(ends - made, dtype="Float64"), counts.index, name="age")


def oldest(counts: pd.DataFrame) -> pd.Series:
    """Return the :func:`age` of each post at the end of its last count; ``<NA>`` if unknown.

    The counts are from :func:`~engagement_pandas.metrics.checks.require_columns`.
    """
    posts = counts["post_id"].cat
    if "day" in counts.columns:
        starts = hours(counts)
        cover = span(counts, starts)
        last = _largest(starts, posts)
        ends = cover.ends(last, last + cover.step)
    else:
        ends = _largest(_read_at(counts), posts)
    ages = pd.array(ends - made_hour(posts.categories), dtype="Float64")
    return pd.Series(ages, posts.categories, name="age")


def _largest(moments: NDArray[Any], posts: Any) -> NDArray[Any]:
    """Return the last of the moments of each post."""
    last = np.full(len(posts.categories), moments.min(initial=0), dtype=moments.dtype)
    np.maximum.at(last, posts.codes.to_numpy(), moments)
    return last


def _read_at(counts: pd.DataFrame) -> NDArray[np.float64]:
    """Return the time up to which each row of counts without days counts, in hours since 1970."""
    if "retrieved_at" in counts.columns:
        moments = counts["retrieved_at"].dt.tz_localize(None).to_numpy()
        return np.asarray(moments.view("int64") / HOUR_US)
    window = covered(counts)
    end = moment(counts, "retrieved_at") if window is None else window[1]
    if end is None:
        msg = f"counts with the columns {list(counts.columns)} have no day; {CURE}"
        raise FrameError(msg)
    return np.full(len(counts), end)


def _milliseconds(post_ids: pd.Index) -> NDArray[np.int64]:
    """Return creation times in ms since 1970; -1 if the ID holds no time."""
    if not len(post_ids):
        return np.empty(0, dtype=np.int64)
    texts = pd.Series(post_ids, dtype=TEXT)
    invalid = texts[~texts.str.fullmatch(rf"[0-9]{{1,{MAX_ID_DIGITS}}}").astype("bool")]
    if len(invalid):
        msg = f"{invalid.iloc[0]!r} is not a post ID; give 1 to {MAX_ID_DIGITS} digits as text"
        raise FrameError(msg)
    numbers = np.array([int(text) for text in texts], dtype=np.uint64)
    ticks = (numbers >> np.uint64(22)).astype(np.int64) + _EPOCH_MS
    return np.where(numbers < FIRST_SNOWFLAKE, -1, ticks)
