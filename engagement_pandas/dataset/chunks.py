"""Select stored counts, and the files that contain them."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from typing import Any

import pandas as pd

from engagement_pandas.dataset.arrow import as_contract, column, is_in, read_rows
from engagement_pandas.dataset.delta_table import Table
from engagement_pandas.dataset.merge import KEY
from engagement_pandas.dataset.snapshot import DataFile
from engagement_pandas.frame.contract import empty_counts, timestamps
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.request.type_names import parse_engagement_types
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

    @property
    def rows(self) -> Any:
        """The filter expression, by complete days; None if all rows match."""
        conditions = []
        if self.since is not None:
            conditions.append(column("day") >= self.since.date())
        if self.until is not None:
            conditions.append(column("day") <= self.until.date())
        if self.post_ids is not None:
            conditions.append(is_in("post_id", self.post_ids))
        if self.engagement_types is not None:
            conditions.append(is_in("engagement_type", self.engagement_types))
        return reduce(operator.and_, conditions) if conditions else None

    def counts(self, table: Table, files: Iterable[DataFile]) -> pd.DataFrame:
        """Return the matching counts in the form of the contract."""
        found = read_rows(table, files, self.rows)
        if found.empty:
            return empty_counts(KEY)
        begins = timestamps(found)
        if self.since is not None:
            begins = begins[begins >= pd.Timestamp(self.since)]
        if self.until is not None:
            begins = begins[begins < pd.Timestamp(self.until)]
        return as_contract(found.loc[begins.index])


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
    batch: list[DataFile] = []
    size = 0
    for file in sorted(table.chosen(files, wanted.rows), key=lambda file: file.path):
        if batch and size + file.rows > most:
            yield Chunk(table, tuple(batch), wanted)
            batch, size = [], 0
        batch.append(file)
        size += file.rows
    if batch:
        yield Chunk(table, tuple(batch), wanted)
