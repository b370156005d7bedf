"""The metrics that do not work on dask, with the reasons and an alternative."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from engagement_pandas.errors import FrameError

ELSEWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "adjusted_comparison": "compares posts",
        "age": "works on rows, not on sums",
        "benchmark": "needs every post's complete life",
        "best_times": "resamples posts",
        "breakouts": "needs each post's complete life",
        "by_age": "needs each post's complete life",
        "compare": "resamples posts",
        "concentration": "needs the sum of each post",
        "cumulative": "needs each post's complete life",
        "forecast": "needs each post's complete life",
        "funnel": "needs both counts of each post and hour",
        "growth": "needs each post's complete life",
        "half_life": "needs each post's complete life",
        "latest": "needs all snapshots of a post",
        "median_half_life": "needs each post's complete life",
        "power": "needs the spread between posts",
        "rate_by_age": "needs each post's complete life",
        "standing": "needs every post's complete life",
        "summarise": "has half-lives and percentiles, which need every post's complete life",
        "tall": "works on rows, not on sums",
        "type_correlation": "needs the sum of each post",
        "versus_previous": "compares days that over_time() returns",
        "wide": "works on rows, not on sums",
    }
)
"""Reason why each of these metrics raises a ``FrameError``, by name."""


def refuse(name: str, *_: object, **__: object) -> NoReturn:
    """Raise an error for a metric that does not work on dask, with an alternative.

    >>> refuse("half_life")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: half_life() needs each post's complete life, ...
    """
    msg = (
        f"{name}() {ELSEWHERE[name]}, and does not work on dask; compute some posts first: "
        f"engagement_pandas.{name}(counts[counts['post_id'].isin(posts)].compute())"
    )
    raise FrameError(msg)
