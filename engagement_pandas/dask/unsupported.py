"""The metrics that do not work on dask, with the reasons and an alternative."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from engagement_pandas.errors import FrameError

ELSEWHERE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "age": "is told of rows, not of sums",
        "benchmark": "needs every post's whole life",
        "best_times": "draws posts anew",
        "by_age": "needs each post's whole life",
        "compare": "draws posts anew",
        "cumulative": "needs each post's whole life",
        "half_life": "needs each post's whole life",
        "latest": "needs all snapshots of a post",
        "rate_by_age": "needs each post's whole life",
        "standing": "needs every post's whole life",
        "summarise": "has half-lives and percentiles, which need every post's whole life",
        "tall": "is told of rows, not of sums",
        "wide": "is told of rows, not of sums",
    }
)
"""Reason why each of these metrics raises a ``FrameError``, by name."""


def refuse(name: str, *_: object, **__: object) -> NoReturn:
    """Raise an error for a metric that does not work on dask, with an alternative.

    >>> refuse("half_life")
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: half_life() needs each post's whole life, ...
    """
    msg = (
        f"{name}() {ELSEWHERE[name]}, and does not work on dask; compute some posts first: "
        f"engagement_pandas.{name}(counts[counts['post_id'].isin(posts)].compute())"
    )
    raise FrameError(msg)
