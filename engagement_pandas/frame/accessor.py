"""``counts.engagement``: the metrics and plots as methods of a frame of counts.

A thin wrapper: ``counts.engagement.half_life(shares=[0.5])`` is ``ep.half_life(counts,
shares=[0.5])``. It is registered when any function that returns counts is first used.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from importlib import import_module
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts
from engagement_pandas.frame.contract import COUNT_COLUMNS, check_columns

METHODS: Final = (
    "adjusted_comparison",
    "age",
    "benchmark",
    "best_times",
    "breakouts",
    "by_age",
    "compare",
    "concentration",
    "cumulative",
    "engagement_rate",
    "forecast",
    "funnel",
    "growth",
    "half_life",
    "latest",
    "median_half_life",
    "over_time",
    "plot_adjusted_comparison",
    "plot_best_times",
    "plot_breakouts",
    "plot_by_age",
    "plot_by_type",
    "plot_compare",
    "plot_concentration",
    "plot_cumulative",
    "plot_forecast",
    "plot_funnel",
    "plot_growth",
    "plot_half_life",
    "plot_over_time",
    "plot_rate_by_age",
    "plot_rate_over_time",
    "plot_running_total",
    "plot_top_posts",
    "plot_type_correlation",
    "plot_versus_previous",
    "power",
    "rate_by_age",
    "rate_over_time",
    "report",
    "running_total",
    "standing",
    "summarise",
    "timestamps",
    "top_posts",
    "type_correlation",
    "versus_previous",
    "wide",
    "write_csv",
    "write_parquet",
)
"""Methods of ``counts.engagement``: functions of :mod:`engagement_pandas`."""


class NotCounts(FrameError, AttributeError):
    """The frame is not tidy counts. pandas expects an ``AttributeError`` from accessors."""


@pd.api.extensions.register_dataframe_accessor("engagement")
class Engagement:
    """The metrics and plots of a frame of counts, each with the frame as its first argument.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts. Columns and dtypes are checked, not values.

    Raises
    ------
    FrameError
        If the frame is not tidy counts.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"123": {"impressions": "40", "engagements": "2"}}})
    >>> float(counts.engagement.engagement_rate()["rate"].iloc[0])
    0.05
    """

    def __init__(self, counts: pd.DataFrame) -> None:
        try:
            counts = as_counts(counts)
            known = counts.loc[:, counts.columns.isin(COUNT_COLUMNS)]
            order = [name for name in COUNT_COLUMNS if name in known.columns]
            check_columns(known[order])  # further columns may serve as keys
        except FrameError as error:
            raise NotCounts(str(error)) from error
        self._counts = counts

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in METHODS:
            msg = f"counts.engagement has no {name!r}; choose from {sorted(METHODS)}"
            raise AttributeError(msg)
        function = getattr(import_module("engagement_pandas"), name)
        return update_wrapper(partial(function, self._counts), function)

    def __dir__(self) -> list[str]:
        return sorted(METHODS)
