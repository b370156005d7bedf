"""Stored counts with atomic appends, a log of revisions, and readers that see one version.

::

    engagement.ds/
        counts/        a Delta table: post_id, engagement_type, retrieved_at, day, hour, count;
                       Parquet files in one folder per day
        omissions/     another: what has no count, why, and since when
        revisions/     another: hours whose count changed after they were first read
        raw/           the raw responses, if ``sync`` keeps them here

The last file written is a small entry in the log of ``counts``, which also names the matching
versions of the other two tables. So changes to all three are atomic.
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

from engagement_pandas.dataset.chunks import Chunk, Moment, RowFilter, chunks
from engagement_pandas.dataset.commit_conflicts import retry_on_conflict
from engagement_pandas.dataset.delta_table import KEPT_HOURS
from engagement_pandas.dataset.merge import KEY, as_readings, moment_of, split_by_reading
from engagement_pandas.dataset.omission_log import (
    OmissionSpan,
    as_frame,
    merge_adjacent,
    omission_spans,
)
from engagement_pandas.dataset.runs import Appended, runs_of
from engagement_pandas.dataset.snapshot import DataFile
from engagement_pandas.dataset.storage import StorageOptions, checked_folder
from engagement_pandas.dataset.tables import Tables
from engagement_pandas.errors import FrameError
from engagement_pandas.frame.categories import as_types
from engagement_pandas.frame.contract import REQUIRED_OMISSION_COLUMNS
from engagement_pandas.frame.number_checks import whole_number
from engagement_pandas.request.window import to_utc
from engagement_pandas.text import html_facts

if TYPE_CHECKING:
    import pyarrow as pa

_COMMITS: Final = 4

ROWS: Final = 1_000_000
"""Counts in a chunk: about 50 MB as a frame."""


class Dataset:
    """Hourly counts in a folder of Parquet files: a Delta table that other engines can read.

    Parameters
    ----------
    path : str or path
        A folder, created by the first append (if relative, to the present working folder), or
        a URL supported by ``deltalake``, such as ``s3://bucket/engagement``.
    storage_options : mapping of str to str, optional
        Options for the store, such as keys, as for ``deltalake``. They are not pickled: in
        other processes, a data set takes them from the environment.

    Raises
    ------
    DatasetError
        If the path is empty, or a file. On first use, if ``deltalake`` is not installed (the extra
        ``dataset``) or does not support the store, or the folder cannot be read or written.
    DamagedDataset
        On first use, if a file was changed or lost since it was written.

    Notes
    -----
    The later reading of an hour replaces the earlier, but ``<NA>`` never replaces a number.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> march = ep.Window.covering("2026-03-01", "2026-03-08")
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     posts = demo.posts["post_id"][:4]
    ...     request = ep.historical(posts, engagement_types=["replies"], window=march)
    ...     counts = ep.flatten(demo.client.fetch(request))
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
        # Absolute, so that it is the same folder in another process or working directory.
        self._home = checked_folder(self.path) if self.local else self.path.rstrip("/")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_tables"}

    @property
    def local(self) -> bool:
        """Whether the data set is in a local folder."""
        return "://" not in self.path

    @cached_property
    def _tables(self) -> Tables:
        return Tables(self._home, self._options)

    def append(
        self,
        counts: pd.DataFrame,
        omissions: pd.DataFrame | None = None,
        *,
        run: datetime | None = None,
    ) -> Appended:
        """Append counts, and the omissions retrieved with them, atomically.

        Appending the same counts again changes nothing. Counts of an hour that is already
        stored are another reading: the later replaces the earlier, and a different count is
        logged as a revision.

        Parameters
        ----------
        counts : DataFrame
            By post, type, day and hour, from ``historical()``, with their retrieval time:
            ``flatten(responses)`` or ``flatten(responses, retrieved_at=True)``.
        omissions : DataFrame, optional
            From the same responses: ``omissions(responses)``, or with ``retrieved_at=True``
            if the counts were retrieved at several times.
        run : datetime, optional
            Start of the run that this is part of, aware, for :meth:`runs`.

        Raises
        ------
        FrameError
            For other counts: of ``/28hr``, whose first and last hour are partial; of hours
            that had not ended when they were retrieved; by day or by post; or if an hour has
            two different counts with the same retrieval time.
        InvalidWindow
            If ``run`` is not an aware time.
        DatasetError
            If the data set cannot be written; it is then safe to repeat the call.
        """
        fresh = as_readings(counts)
        spans: list[OmissionSpan] = []
        if omissions is not None and len(omissions):
            retrieved = None if "retrieved_at" in omissions else moment_of(counts)
            spans = omission_spans(omissions, retrieved)
        run = None if run is None else to_utc(run, "run")
        parts = list(split_by_reading(fresh))
        return retry_on_conflict(partial(self._tables.append, parts, spans, run))

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
            Half-open, UTC; hours that start within it. All by default.
        post_ids : iterable of str or int, optional
        engagement_types : iterable of str, optional

        Returns
        -------
        DataFrame
            Tidy counts by post, type, day and hour (counts per hour, UTC), as returned by
            :func:`~engagement_pandas.flatten`; ``attrs["retrieved_at"]`` is the earliest
            retrieval time of any of them.

        Raises
        ------
        DatasetError
            If the data set cannot be read.
        RequestError
            For an invalid time, ID or engagement type.
        """
        wanted = RowFilter.of(since, until, post_ids, engagement_types)
        return wanted.counts(self._tables.counts, self._files())

    def pieces(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        *,
        post_ids: Iterable[Any] | None = None,
        engagement_types: Iterable[str] | None = None,
        rows: int = ROWS,
    ) -> list[Chunk]:
        """Return the same as :meth:`read`, in chunks that are read one at a time.

        Parameters
        ----------
        since, until, post_ids, engagement_types
            As for :meth:`read`.
        rows : int
            Maximum counts in the files of a chunk; exceeded only if a single file has more.

        Returns
        -------
        list of Chunk
            Ordered by day. ``chunk.read()`` returns tidy counts, as long as the files exist;
            it excludes counts that are appended later.

        Raises
        ------
        DatasetError
            If the data set cannot be read.
        RequestError
            For an invalid time, ID or engagement type.
        FrameError
            If ``rows`` is not a positive whole number.

        Examples
        --------
        >>> sum(len(piece.read()) for piece in Dataset("nothing.ds").pieces())
        0
        """
        most = whole_number(rows, "rows", 1)
        wanted = RowFilter.of(since, until, post_ids, engagement_types)
        return list(chunks(self._tables.counts, self._files(), wanted, most))

    def omissions(self) -> pd.DataFrame:
        """Return what has no count, and why.

        Returns
        -------
        DataFrame
            As returned by :func:`~engagement_pandas.omissions`, with adjacent windows
            merged. Posts that are counted again are no longer included, nor are hours with a
            count from a later reading.
        """
        never = datetime.min.replace(tzinfo=UTC)  # ignore the retrieval times when merging
        spans = [
            replace(span, first_retrieved_at=never, retrieved_at=never)
            for span in self.omission_spans()
        ]
        return as_frame(merge_adjacent(spans))[list(REQUIRED_OMISSION_COLUMNS)]

    def revisions(self) -> pd.DataFrame:
        """Return the log of hours whose count changed after they were first read.

        Returns
        -------
        DataFrame
            One row per change, oldest first: ``post_id``, ``engagement_type``, ``day``,
            ``hour``, ``count_before`` and ``count`` (counts per hour, UTC), and their
            retrieval times: ``retrieved_before`` and ``retrieved_at``.
        """
        frame = self._tables.log(self._tables.current())
        frame = frame.sort_values(["retrieved_at", *KEY], ignore_index=True)
        return frame.assign(engagement_type=as_types(frame["engagement_type"]))

    def runs(self, last: int = 20) -> pd.DataFrame:
        """Return what the last runs of ``sync`` stored, from the log of the counts.

        Parameters
        ----------
        last : int
            Maximum number of runs. The log keeps at least the last 1,000 commits.

        Returns
        -------
        DataFrame
            One row per run, latest first: ``started`` and ``stored`` (``datetime64[us, UTC]``;
            the start of the run, and its last commit), ``added`` and ``revised`` (``int64``):
            new counts, and counts that changed. A run that stored nothing has no row.

        Raises
        ------
        DatasetError
            If the data set cannot be read.
        FrameError
            If ``last`` is not a positive whole number.

        Examples
        --------
        >>> list(Dataset("nothing.ds").runs())
        ['started', 'stored', 'added', 'revised']
        """
        limit = commits = whole_number(last, "last", 1)
        counts = self._tables.open()
        found: list[dict[str, Any]] = []
        runs = runs_of(found)
        while counts is not None and len(runs) <= last and len(found) < counts.version + 1:
            commits *= _COMMITS  # a run has several commits; the log may be long
            found = self._tables.counts.history(counts, commits)
            runs = runs_of(found)
            if len(found) < commits:
                break
        return runs.head(limit)

    def omission_spans(self) -> list[OmissionSpan]:
        """Return the omissions with their first and last retrieval times."""
        return self._tables.omission_spans(self._tables.current())

    def readings(self, since: datetime, post_ids: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """Yield hours and their retrieval times in batches, without the counts.

        Parameters
        ----------
        since : datetime
            Start, rounded down to its day.
        post_ids : iterable of str
        """
        return self._tables.readings(self._files(), post_ids, since.date())

    @property
    def latest(self) -> datetime | None:
        """Latest retrieval time, aware UTC; None if the data set is empty."""
        moments = [span.retrieved_at for span in self.omission_spans()]
        moments += [file.read_until for file in self._files() if file.read_until is not None]
        return max(moments, default=None)

    @property
    def first_day(self) -> date | None:
        """The first UTC day with counts; None if the data set is empty."""
        return min((file.day for file in self._files() if file.day is not None), default=None)

    def _files(self) -> tuple[DataFile, ...]:
        """Return the files of the current version of the counts."""
        counts = self._tables.current()
        return () if counts is None else counts.files

    def files(self) -> list[str]:
        """Return the current Parquet files, for engines that do not read Delta tables.

        Paths contain the day, ``day=2026-03-01``, in the Hive convention. Other files in the
        folder belong to earlier versions, or to no commit.
        """
        return [f"{self._tables.counts.uri}/{file.path}" for file in self._files()]

    def verify(self) -> list[str]:
        """Read every file and verify its checksum.

        Returns
        -------
        list of str
            Files without a checksum, from earlier versions of this package, whose content
            cannot be verified. :meth:`compact` rewrites them with one.

        Raises
        ------
        DamagedDataset
            If a file is lost or was changed; the message names it and the remedy.
        DatasetError
            If the data set cannot be read.

        Examples
        --------
        >>> Dataset("nothing.ds").verify()
        []
        """
        return self._tables.verify()

    @contextmanager
    def rebuilding(self) -> Iterator[Dataset]:
        """Yield an empty data set that then replaces this one; for ``sync``.

        The previous tables are kept in the folder ``damaged``.
        """
        place = "rebuilding"
        self._tables.storage.remove_folder(place)
        yield Dataset(f"{self._tables.home}/{place}", storage_options=self._options.values())
        self._tables.replace(place)

    def compact(self, kept_hours: int = KEPT_HOURS) -> None:
        """Merge small files into one per day, and delete files that are no longer used.

        Parameters
        ----------
        kept_hours : int
            Unused files younger than this are kept, for readers that still use them, and so
            that recent reads can be repeated. Files of no commit are kept for at least an
            hour, for writers.

        Raises
        ------
        DatasetError
            If the data set cannot be written.
        FrameError
            If ``kept_hours`` is not a whole number of at least 0.
        """
        if isinstance(kept_hours, bool) or not isinstance(kept_hours, int) or kept_hours < 0:
            msg = f"kept_hours is {kept_hours!r}; pass whole hours, such as {KEPT_HOURS}"
            raise FrameError(msg)
        retry_on_conflict(self._tables.compact)
        self._tables.vacuum(kept_hours)

    def __repr__(self) -> str:
        return f"Dataset({self.path})"

    def _repr_html_(self) -> str:
        return html_facts(
            "Data set of hourly counts",
            {
                "path": self.path,
                "its counts": "dataset.read(since, until)",
                "what has no count": "dataset.omissions()",
                "counts that changed": "dataset.revisions()",
                "last runs of sync": "dataset.runs()",
                "last reading": "dataset.latest",
            },
        )
