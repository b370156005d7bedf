"""Which engagement types may be summed or compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.metrics.age import made_hour
from engagement_pandas.metrics.checks import known_type, require_columns, source_meaning
from engagement_pandas.metrics.coverage import HOUR_US, covered
from engagement_pandas.vocabulary.endpoints import ENDPOINTS, Endpoint
from engagement_pandas.vocabulary.engagement_types import ENGAGEMENT_TYPES

_FACTS: Final = {str(name): facts for name, facts in ENGAGEMENT_TYPES.items()}
_UNKNOWN: Final = "what it counts is not known, and others may count it too"


def check_addable(types: Iterable[str]) -> None:
    """Raise if engagement types may not be summed.

    Parameters
    ----------
    types : iterable of str
        Engagement types. A single type may always be summed over posts and hours.

    Notes
    -----
    The field ``alone`` of ``ENGAGEMENT_TYPES`` decides. *Engagements* include the other
    interactions and exceed their sum (X's documentation); a video view is also an
    impression.

    Examples
    --------
    >>> check_addable(["favorites", "retweets"])
    >>> check_addable(["engagements", "favorites"])
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: 'engagements' and ['favorites'] are not added: ...
    """
    names = list(dict.fromkeys(str(name) for name in types))
    for name in names:
        others = [other for other in names if other != name]
        reason = _FACTS[name].alone if name in _FACTS else _UNKNOWN
        if others and reason:
            msg = f"{name!r} and {others} are not added: {reason}; keep types apart, or choose one"
            raise FrameError(msg)


def check_comparable(a: pd.DataFrame, b: pd.DataFrame, types: Iterable[str] | None = None) -> None:
    """Raise if counts have different meanings and may not be compared or joined.

    Parameters
    ----------
    a, b : DataFrame
        Tidy counts. ``attrs["endpoint"]`` states their source, or else their columns do:
        only a time series has days and hours. Counts by post alone may come from either,
        and are accepted. A time series that begins after the creation of one of its posts is
        not compared with totals.
    types : iterable of str, optional
        The engagement types to check; by default those in both.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> series = ep.flatten_json({"g": {"1": {"video_views": {"2026-03-01": "5"}}}})
    >>> totals = ep.flatten_json({"g": {"2": {"video_views": "7"}}})
    >>> totals.attrs["endpoint"] = "totals"
    >>> check_comparable(series, totals)
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: 'video_views' of /totals are not compared with ...
    """
    a, b = as_counts(a), as_counts(b)
    require_columns(a)
    require_columns(b)
    sources = [_source(counts) for counts in (a, b)]
    if sources[0] != sources[1] and len(a) and len(b):
        msg = (
            f"counts of {source_meaning(sources[0])} are not compared with those of "
            f"{source_meaning(sources[1])}; take both from one source"
        )
        raise FrameError(msg)
    series = _is_series(a), _is_series(b)
    if None in series or series[0] == series[1]:
        return
    if types is None:
        of_a = {str(name) for name in a["engagement_type"].unique()}
        names = [str(name) for name in b["engagement_type"].unique() if str(name) in of_a]
    else:
        names = [known_type(a, name) for name in types]
    for name in names:
        facts = _FACTS.get(name)
        if facts is not None and not facts.one_meaning:
            msg = (
                f"{name!r} of /totals are not compared with those of the time series: "
                f"{facts.meaning}; take both from the same endpoint"
            )
            raise FrameError(msg)
    _check_lifetimes(a if series[0] else b)


def _check_lifetimes(counts: pd.DataFrame) -> None:
    """Raise if a time series begins after the creation of a post, since totals do not."""
    window = covered(counts)
    if window is None or "post_id" not in counts.columns:
        return
    posts = pd.Index(counts["post_id"].unique())
    early = made_hour(posts) < window[0]
    if early.any():
        start = pd.Timestamp(window[0] * HOUR_US, unit="us")
        msg = (
            f"counts from {start:%Y-%m-%d %H:%M} UTC on are not compared with totals, since post "
            f"{posts[early][0]} was created before; take both from the same endpoint"
        )
        raise FrameError(msg)


def _source(counts: pd.DataFrame) -> str:
    """Return the source of counts; empty if it is an endpoint or unknown."""
    if "source" not in counts.columns or not len(counts):
        return ""
    return str(counts["source"].iloc[0])


def _is_series(counts: pd.DataFrame) -> bool | None:
    """Return whether counts are of a time series; None if unknown."""
    endpoint = counts.attrs.get("endpoint")
    if endpoint in {str(known) for known in Endpoint}:
        return ENDPOINTS[Endpoint(endpoint)].time_series
    return True if {"day", "hour"} & set(counts.columns) else None
