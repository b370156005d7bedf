"""Beyond one machine: stored answers and counts as dask DataFrames, and what adds up on them.

::

    pip install 'engagement_pandas[dask]'

Asking is not distributed: the quota is one. Flattening and analysing what was answered is::

    from dask.distributed import Client
    from engagement_pandas import dask as epd

    with Client(n_workers=2, threads_per_worker=1):
        counts = epd.flatten(archive)           # a dask DataFrame; nothing is read yet
        epd.over_time(counts)                   # a frame: what it would be in memory

Flattening is Python and holds the interpreter's lock: take processes, not threads. A task
reads files and writes nothing, so one that is lost with its worker is done again elsewhere.

=========================== ===========================================================
:func:`flatten`             counts of stored answers
:func:`omissions`           their silences
:func:`append`              both into an ``engagement_pandas.Dataset``
:func:`read`                counts of a data set
:func:`over_time`           sums
:func:`running_total`       sums
:func:`engagement_rate`     a ratio of sums
:func:`rate_over_time`      a ratio of sums
:func:`top_posts`           the top *n* of sums, or of ratios of them
=========================== ===========================================================

The other metrics need all hours of a post at once, or draw posts anew. They are here by
name, and raise a ``FrameError`` that says what to do instead.

Imports ``dataset``, ``metrics``, ``flattening``, ``frame``, ``response``, ``request`` and the
ground.
"""

from __future__ import annotations

from functools import partial
from typing import Any

try:
    import dask.dataframe  # noqa: F401 - to say what is missing
except ModuleNotFoundError as error:
    msg = f"there is no {error.name}; pip install 'engagement_pandas[dask]'"
    raise ModuleNotFoundError(msg, name=error.name) from error

from engagement_pandas.dask.answers import flatten, omissions
from engagement_pandas.dask.dataset import append, read
from engagement_pandas.dask.metrics import (
    engagement_rate,
    over_time,
    rate_over_time,
    running_total,
    top_posts,
)
from engagement_pandas.dask.unsupported import ELSEWHERE, refuse


def __getattr__(name: str) -> Any:
    if name in ELSEWHERE:
        return partial(refuse, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


__all__ = [
    "append",
    "engagement_rate",
    "flatten",
    "omissions",
    "over_time",
    "rate_over_time",
    "read",
    "running_total",
    "top_posts",
]
