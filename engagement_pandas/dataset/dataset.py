"""Stored counts that stay current: appended as often as one likes, seen old or new.

::

    engagement.ds/
        counts/        a Delta table: post_id, engagement_type, retrieved_at, day, hour, count;
                       Parquet files in a folder a day
        omissions/     another: what has no count, why, and since when
        revisions/     another: hours that changed after they were first read
        raw/           the answers as they came, where ``sync`` keeps them

The last thing written is one small file in the log of ``counts``, which also says which
versions of the other two belong to it. So all three change at once or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from engagement_pandas.dataset.arrow import column, is_in
from engagement_pandas.dataset.chunks import Chunk, Moment, RowFilter, chunks
from engagement_pandas.dataset.delta_table import KEPT_HOURS
from engagement_pandas.dataset.merge import KEY, as_readings, moment_of, split_by_reading
from engagement_pandas.dataset.omission_log import (
    OmissionSpan,
    as_frame,
    merge_adjacent,
    omission_spans,
)
from engagement_pandas.dataset.retries import retry_on_conflict
from engagement_pandas.dataset.snapshot import DataFile
from engagement_pandas.dataset.storage import StorageOptions, checked_folder
from engagement_pandas.dataset.store import Appended, Store
from engagement_pandas.errors import FrameError
from engagement_pandas.frame.arguments import whole_number
from engagement_pandas.frame.categories import as_types
from engagement_pandas.frame.contract import TOLD

if TYPE_CHECKING:
    import pyarrow as pa

ROWS: Final = 1_000_000
"""Counts in a piece: some 50 MB as a frame."""


class Dataset:
    """Hourly counts in a folder of Parquet files, a Delta table that other engines read too.

    Parameters
    ----------
    path : str or path
        A folder, made with the first append, or an address that ``deltalake`` knows, such
        as ``s3://bucket/engagement``.
    storage_options : mapping of str to str, optional
        Keys and the like for the store, as ``deltalake`` takes them. They are not pickled: a
        data set that is sent to other processes has them from the environment there.

    Raises
    ------
    DatasetError
        Where the path is a file. On first use, where ``deltalake`` is not installed (the extra
        ``dataset``) or does not know such a store, or the folder cannot be read or written.
    DamagedDataset
        On first use, where a file was changed or lost since it was written.

    Notes
    -----
    Of two readings of an hour the later holds; but a number is not given up for ``<NA>``.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> march = ep.Window.covering("2026-03-01", "2026-03-08")
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     posts = demo.posts["post_id"][:4]
    ...     asked = ep.historical(posts, engagement_types=["replies"], window=march)
    ...     counts = ep.flatten(demo.client.fetch(asked))
    ...     dataset = Dataset(folder)
    ...     dataset.append(counts), dataset.append(counts)
    ...     dataset.read(since="2026-03-02", until="2026-03-03").shape
    (Appended(added=672, revised=0), Appended(added=0, revised=0))
    (96, 5)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        storage_options: dict[str, str] | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self._options = StorageOptions(storage_options)
        if self.local:
            checked_folder(self.path)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_store"}

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return "://" not in self.path

    @cached_property
    def _store(self) -> Store:
        home = checked_folder(self.path) if self.local else self.path.rstrip("/")
        return Store(home, self._options)

    def append(self, counts: pd.DataFrame, omissions: pd.DataFrame | None = None) -> Appended:
        """Add counts, and what was told with them of the rest; all of it or nothing.

        The same counts again change nothing. Counts of an hour that is there already are
        another reading of it: the later holds, and where it differs, that is a revision.

        Parameters
        ----------
        counts : DataFrame
            By post, type, day and hour, from ``historical()``, with the moment at which they
            were read: ``flatten(responses)`` or ``flatten(responses, retrieved_at=True)``.
        omissions : DataFrame, optional
            Of the same answers: ``omissions(responses)``, or with ``retrieved_at=True``
            where the counts were read at several moments.

        Raises
        ------
        FrameError
            Where they are something else: of ``/28hr``, whose first and last hour are
            partial, of hours that were not over when they were read, by day or by post;
            where an hour was read twice at the same moment, with two counts.
        DatasetError
            Where it cannot be written; the same again is safe then.
        """
        fresh = as_readings(counts)
        heard: list[OmissionSpan] = []
        if omissions is not None and len(omissions):
            told = None if "retrieved_at" in omissions else moment_of(counts)
            heard = omission_spans(omissions, told)
        return retry_on_conflict(partial(self._store.append, list(split_by_reading(fresh)), heard))

    def read(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        *,
        post_ids: Iterable[Any] | None = None,
        engagement_types: Iterable[str] | None = None,
    ) -> pd.DataFrame:
        """Return counts.

        Parameters
        ----------
        since, until : str or date or datetime, optional
            Half-open, UTC; hours that begin in it. All of them by default.
        post_ids : iterable of str or int, optional
        engagement_types : iterable of str, optional

        Returns
        -------
        DataFrame
            Tidy counts by post, type, day and hour (counts per hour, UTC), as
            :func:`~engagement_pandas.flatten` has them; ``attrs["retrieved_at"]`` is the
            earliest moment at which any of them was read.

        Raises
        ------
        DatasetError
            Where it cannot be read.
        RequestError
            Where a time, an ID or an engagement type is none.
        """
        wanted = RowFilter.of(since, until, post_ids, engagement_types)
        return wanted.counts(self._store.counts, self._files())

    def pieces(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        *,
        post_ids: Iterable[Any] | None = None,
        engagement_types: Iterable[str] | None = None,
        rows: int = ROWS,
    ) -> list[Chunk]:
        """Return the same as :meth:`read`, in pieces that are read one by one.

        Parameters
        ----------
        since, until, post_ids, engagement_types
            As :meth:`read` has them.
        rows : int
            At most so many counts in the files of a piece; more only where one file has more.

        Returns
        -------
        list of Piece
            In the order of days. ``piece.read()`` returns tidy counts, for as long as the files
            are there; what is appended meanwhile is not in it.

        Raises
        ------
        DatasetError
            Where it cannot be read.
        RequestError
            Where a time, an ID or an engagement type is none.
        FrameError
            Where ``rows`` is no number of rows.

        Examples
        --------
        >>> sum(len(piece.read()) for piece in Dataset("nothing.ds").pieces())
        0
        """
        most = whole_number(rows, "rows", 1)
        wanted = RowFilter.of(since, until, post_ids, engagement_types)
        return list(chunks(self._store.counts, self._files(), wanted, most))

    def omissions(self) -> pd.DataFrame:
        """Return what has no count, and why.

        Returns
        -------
        DataFrame
            As :func:`~engagement_pandas.omissions` has them; neighbouring windows are one. A
            post that is counted again is no longer among them, nor are hours that have a count
            of a later reading.
        """
        never = datetime.min.replace(tzinfo=UTC)  # whenever each was read
        alike = [
            replace(one, first_retrieved_at=never, retrieved_at=never) for one in self.silences()
        ]
        return as_frame(merge_adjacent(alike))[list(TOLD)]

    def revisions(self) -> pd.DataFrame:
        """Return the log of hours that changed after they were first read.

        Returns
        -------
        DataFrame
            One row a change, oldest first: ``post_id``, ``engagement_type``, ``day``,
            ``hour``, ``count_before`` and ``count`` (counts per hour, UTC), and when they
            were read: ``retrieved_before`` and ``retrieved_at``.
        """
        frame = self._store.log(self._store.open())
        frame = frame.sort_values(["retrieved_at", *KEY], ignore_index=True)
        return frame.assign(engagement_type=as_types(frame["engagement_type"]))

    def silences(self) -> list[OmissionSpan]:
        """Return the omissions with the moments at which they were heard first and last."""
        return self._store.silences(self._store.open())

    def readings(self, since: datetime, post_ids: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """Yield which hours were read when, in pieces, without the counts.

        Parameters
        ----------
        since : datetime
            From the day of this moment on.
        post_ids : iterable of str
        """
        wanted = (column("day") >= since.date()) & is_in("post_id", post_ids)
        columns = ["post_id", "engagement_type", "retrieved_at", "day", "hour"]
        for rows in self._store.counts.rows(self._files(), wanted, columns):
            yield from rows.to_batches()

    @property
    def latest(self) -> datetime | None:
        """When the youngest of it was read, aware UTC; None where it is empty."""
        moments = [silence.retrieved_at for silence in self.silences()]
        moments += [file.read_until for file in self._files() if file.read_until is not None]
        return max(moments, default=None)

    @property
    def first_day(self) -> date | None:
        """The first UTC day with counts; None where it is empty."""
        return min((file.day for file in self._files() if file.day is not None), default=None)

    def _files(self) -> tuple[DataFile, ...]:
        """Return the files of the counts that count now."""
        counts = self._store.open()
        return () if counts is None else counts.files

    def files(self) -> list[str]:
        """Return the Parquet files that count now, for engines that do not read Delta tables.

        The day is in their paths, ``day=2026-03-01``, as Hive has it. Other files in the folder
        are of the past, or of no commit.
        """
        return [f"{self._store.counts.uri}/{file.path}" for file in self._files()]

    def verify(self) -> list[str]:
        """Read every file, and see whether it is what was written.

        Returns
        -------
        list of str
            The files without a checksum, of earlier versions of this package: what they hold
            is taken as it is. :meth:`compact` writes them with one.

        Raises
        ------
        DamagedDataset
            Where a file is lost or has changed; it is named, with the cure.
        DatasetError
            Where it cannot be read.

        Examples
        --------
        >>> Dataset("nothing.ds").verify()
        []
        """
        return self._store.verify()

    @contextmanager
    def rebuilding(self) -> Iterator[Dataset]:
        """Give an empty data set, which then takes the place of this one; for ``sync``.

        What was there is kept in the folder ``damaged``.
        """
        place = "rebuilding"
        self._store.storage.remove_folder(place)
        yield Dataset(f"{self._store.home}/{place}", storage_options=self._options.values())
        self._store.replace(place)

    def compact(self, kept_hours: int = KEPT_HOURS) -> None:
        """Put small files together, one a day, and take away those that no longer count.

        Parameters
        ----------
        kept_hours : int
            Files that are younger than these hours stay, for readers that are at them, and
            so that what was read a moment ago can be read again. Files of no commit stay for
            an hour in any case, for writers.

        Raises
        ------
        DatasetError
            Where it cannot be written.
        FrameError
            Where ``kept_hours`` is no number of hours.
        """
        if isinstance(kept_hours, bool) or not isinstance(kept_hours, int) or kept_hours < 0:
            msg = f"kept_hours is {kept_hours!r}; give whole hours, such as {KEPT_HOURS}"
            raise FrameError(msg)
        retry_on_conflict(partial(self._store.compact, kept_hours))

    def __repr__(self) -> str:
        return f"Dataset({self.path})"
