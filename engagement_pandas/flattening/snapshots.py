"""Snapshots: responses to the same request at several times, kept separate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import pandas as pd

from engagement_pandas.errors import RequestError
from engagement_pandas.frame.contract import COUNT_COLUMNS, TEXT, in_order
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary import Dimension, Endpoint

_KEY: Final = "retrieved_at"


def with_retrieved_at(
    responses: Sequence[EngagementResponse],
    groupings: Sequence[Grouping],
    flatten_one: Callable[[EngagementResponse, Grouping], pd.DataFrame],
) -> pd.DataFrame:
    """Return the counts of each response with its retrieval time.

    ``groupings`` has the grouping to flatten for each response, and ``flatten_one`` returns the
    tidy counts of one response.
    """
    for response, grouping in zip(responses, groupings, strict=True):
        _refuse_sums(response, grouping)
    parts = [
        flatten_one(response, grouping).assign(
            **{_KEY: pd.Timestamp(response.retrieved_at).as_unit("us")}
        )
        for response, grouping in zip(responses, groupings, strict=True)
    ]
    kinds = in_order({str(name) for part in parts for name in part["engagement_type"].unique()})
    dtype = pd.CategoricalDtype(pd.Index(kinds, dtype=TEXT))
    order = [name for name in COUNT_COLUMNS if name in parts[0].columns]
    counts = pd.concat(
        [
            part.astype({"engagement_type": dtype, _KEY: COUNT_COLUMNS[_KEY]})[order]
            for part in parts
        ],
        ignore_index=True,
    )
    twice = counts.duplicated(order[:-1])
    if twice.any():
        row = counts.loc[twice, order[:-1]].iloc[0].astype(str).to_dict()
        msg = f"two responses of the same moment hold {row}; keep one of them"
        raise RequestError(msg)
    return counts.sort_values(order[:-1], ignore_index=True)


def _refuse_sums(response: EngagementResponse, grouping: Grouping) -> None:
    """Raise if counts are sums over responses, since each response has its own time."""
    missing = [Dimension.POST_ID] if Dimension.POST_ID not in grouping.dimensions else []
    if (
        response.request.endpoint is Endpoint.HISTORICAL
        and Dimension.DAY not in grouping.dimensions
    ):
        missing.append(Dimension.DAY)
    if missing:
        names = " and ".join(repr(str(name)) for name in missing)
        msg = (
            f"without {names} a count is a sum over answers, which came at different moments; "
            f"group by {names} too, or leave out retrieved_at"
        )
        raise RequestError(msg)
