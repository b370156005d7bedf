"""Which counts may be added or compared: the vocabulary's table, made to speak."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.metrics.checks import known_type, require_columns
from engagement_pandas.vocabulary import ENDPOINTS, ENGAGEMENT_TYPES, Endpoint

_FACTS: Final = {str(name): facts for name, facts in ENGAGEMENT_TYPES.items()}
_UNKNOWN: Final = "what it counts is not known, and others may count it too"


def check_addable(types: Iterable[str]) -> None:
    """Refuse a sum over engagement types that may not be added.

    Parameters
    ----------
    types : iterable of str
        Engagement types. One alone may always be added up, over posts and hours.

    Notes
    -----
    ``ENGAGEMENT_TYPES`` decides, by its field ``alone``. *Engagements* hold the other
    interactions, and are more than their sum (X's documentation); a view of a video is
    an impression too.

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
    """Refuse to compare or splice counts that mean different things.

    Parameters
    ----------
    a, b : DataFrame
        Tidy counts. Where they come from is told by ``attrs["endpoint"]``, or else by
        their columns: only a time series has days and hours. Counts by post alone may
        be either, and are let through.
    types : iterable of str, optional
        The engagement types that matter; by default those that both have.

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
    require_columns(a)
    require_columns(b)
    series = _is_series(a), _is_series(b)
    if None in series or series[0] == series[1]:
        return
    if types is None:
        of_a = {str(kind) for kind in a["engagement_type"].unique()}
        names = [str(kind) for kind in b["engagement_type"].unique() if str(kind) in of_a]
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


def _is_series(counts: pd.DataFrame) -> bool | None:
    """Whether counts are of a time series; None where nothing tells."""
    endpoint = counts.attrs.get("endpoint")
    if endpoint in {str(known) for known in Endpoint}:
        return ENDPOINTS[Endpoint(endpoint)].time_series
    return True if {"day", "hour"} & set(counts.columns) else None
