"""Stored responses and counts as dask DataFrames, and the metrics that can be summed on them.

::

    pip install 'engagement_pandas[dask]'

Requests are not distributed, since they share one rate limit. Flattening and metrics are::

    from dask.distributed import Client
    from engagement_pandas import dask as epd

    with Client(n_workers=2, threads_per_worker=1):
        counts = epd.flatten(archive)           # a dask DataFrame; nothing is read yet
        epd.over_time(counts)                   # a pandas DataFrame, as in memory

Flattening holds Python's interpreter lock: use processes, not threads. Tasks read files and
write nothing, so a task lost with its worker is repeated elsewhere.

=========================== ===========================================================
:func:`flatten`             counts of stored responses
:func:`omissions`           their omissions
:func:`append`              both, appended to an ``engagement_pandas.Dataset``
:func:`read`                counts of a data set
:func:`over_time`           sums
:func:`running_total`       sums
:func:`engagement_rate`     a ratio of sums
:func:`rate_over_time`      a ratio of sums
:func:`top_posts`           the top *n* by sums, or by ratios of sums
=========================== ===========================================================

The other metrics need all hours of a post at once, or resample posts. They are attributes of
this module that raise a ``FrameError`` with an alternative.

Imports ``dataset``, ``metrics``, ``flattening``, ``frame``, ``response``, ``request`` and the
ground.
"""

from __future__ import annotations

from functools import partial
from typing import Any

try:
    import dask.dataframe  # noqa: F401 - to name the missing package
except ModuleNotFoundError as error:
    msg = f"{error.name} is not installed; pip install 'engagement_pandas[dask]'"
    raise ModuleNotFoundError(msg, name=error.name) from error

from engagement_pandas.dask.dataset import append, read
from engagement_pandas.dask.flatten import flatten, omissions
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
