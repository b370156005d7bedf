"""Select stored counts, and the files that contain them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from engagement_pandas.dataset.arrow import as_contract, hours_of, matching_table
from engagement_pandas.dataset.delta_table import Table
from engagement_pandas.dataset.matching_rows import TextFilter
from engagement_pandas.dataset.snapshot import DataFile, batches
from engagement_pandas.request.engagement_types import parse_engagement_types
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.request.window import to_utc
from engagement_pandas.vocabulary.endpoints import Endpoint

Moment = str | date


@dataclass(frozen=True)
class RowFilter:
    """A filter of counts; None sets no bound.

    ``since`` and ``until`` are half-open, UTC; hours that start within them.
    """

    since: datetime | None = None
    until: datetime | None = None
    post_ids: tuple[str, ...] | None = None
    engagement_types: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        since: Moment | None,
        until: Moment | None,
        post_ids: Iterable[Any] | None,
        engagement_types: Iterable[str] | None,
    ) -> RowFilter:
        """Parse the arguments of a filter."""
        types = None
        if engagement_types is not None:
            types = tuple(map(str, parse_engagement_types(engagement_types, Endpoint.HISTORICAL)))
        return cls(
            None if since is None else to_utc(since, "since"),
            None if until is None else to_utc(until, "until"),
            None if post_ids is None else tuple(parse_post_ids(post_ids)),
            types,
        )

    def files(self, files: Iterable[DataFile]) -> list[DataFile]:
        """Return the files of the days that match."""
        first = date.min if self.since is None else self.since.date()
        last = date.max if self.until is None else self.until.date()
        return [file for file in files if file.day is not None and first <= file.day <= last]

    def counts(self, table: Table, files: Iterable[DataFile]) -> pd.DataFrame:
        """Return the matching counts in the form of the contract."""
        import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

        texts = {"post_id": self.post_ids, "engagement_type": self.engagement_types}
        filters = [TextFilter(name, known) for name, known in texts.items() if known is not None]
        rows = matching_table(table, self.files(files), filters)
        for bound, matches in ((self.since, np.greater_equal), (self.until, np.less)):
            if bound is not None and rows.num_rows:
                moment = np.datetime64(bound.replace(tzinfo=None))
                rows = rows.filter(pa.array(matches(hours_of(rows), moment)))
        return as_contract(rows)


@dataclass(frozen=True)
class Chunk:
    """Some files of a data set; a chunk can be sent to other processes that see the files.

    It excludes counts that are appended later. There is at least one file; ``wanted`` is the
    filter of their rows.
    """

    table: Table
    files: tuple[DataFile, ...]
    wanted: RowFilter

    def read(self) -> pd.DataFrame:
        """Return the matching counts in these files, as :meth:`Dataset.read` does.

        Returns
        -------
        DataFrame
            Tidy counts by post, type, day and hour (counts per hour, UTC).
        """
        return self.wanted.counts(self.table, self.files)


def chunks(
    table: Table, files: Iterable[DataFile], wanted: RowFilter, most: int
) -> Iterator[Chunk]:
    """Divide the matching files into chunks, ordered by day.

    A chunk has at most ``most`` counts; exceeded only if a single file has more.
    """
    ordered = sorted(wanted.files(files), key=lambda file: file.path)
    return (Chunk(table, tuple(batch), wanted) for batch in batches(ordered, most))
