"""Snapshots: responses to the same request at several times, kept separate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from engagement_pandas.errors import RequestError
from engagement_pandas.flattening.count_arrays import CountArrays, bucket_range
from engagement_pandas.flattening.time_buckets import Integers
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class Times:
    """The times of retrieval of some counts, which are sorted by them through their buckets.

    ``known`` are the different times in order. A bucket of the n-th time is its own bucket,
    less ``least``, plus n times ``width``.
    """

    known: tuple[datetime, ...]
    least: int
    width: int

    @classmethod
    def of(cls, parts: Sequence[CountArrays], retrieved: Sequence[datetime]) -> Times:
        """Return the times of parts, and the range of their buckets."""
        least, last = bucket_range([part for part in parts if len(part)])
        return cls(tuple(sorted(set(retrieved))), least, last - least + 1)

    def number(self, part: CountArrays, retrieved: Mapping[str, datetime]) -> CountArrays:
        """Return a part with the time at which each post was retrieved in the buckets."""
        places = [self.known.index(retrieved[post]) for post in part.posts]
        firsts = np.array(places, np.int64) * self.width - self.least
        return replace(part, bucket=part.bucket + firsts[part.post])

    def split(self, bucket: Integers) -> tuple[Any, Integers]:
        """Return the time of each count, and its own bucket."""
        number = bucket // self.width
        known = pd.DatetimeIndex(self.known).as_unit("us").array
        return known.take(number), bucket - (number * self.width - self.least)


def refuse_sums(response: EngagementResponse, grouping: Grouping) -> None:
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
            f"without {names} a count is a sum over answers, which were retrieved at different "
            f"times; group by {names} too, or leave out retrieved_at"
        )
        raise RequestError(msg)
