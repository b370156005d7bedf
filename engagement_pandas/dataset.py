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
from datetime import date, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from engagement_pandas.errors import DatasetError, FrameError
from engagement_pandas.exports.contract import as_types
from engagement_pandas.frame import TOLD, empty_counts
from engagement_pandas.lake.arrow import among, column
from engagement_pandas.lake.attempts import explained, until_first
from engagement_pandas.lake.mirror import mirror, sizes
from engagement_pandas.lake.pieces import Moment, Piece, Wanted, pieces
from engagement_pandas.lake.readings import KEY, as_readings, in_turn, moment_of
from engagement_pandas.lake.silent import Silence, as_frame, silences_of
from engagement_pandas.lake.store import Appended, Store
from engagement_pandas.lake.tables import KEPT_HOURS, checked
from engagement_pandas.metrics.columns import whole_number
from engagement_pandas.wording import counted

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
        Keys and the like for the store, as ``deltalake`` takes them.
    filesystem : fsspec AbstractFileSystem or pyarrow.fs.FileSystem, optional
        In which the path is; for stores that ``deltalake`` does not know. A folder of it must
        list what was put there before, and the clocks of its writers must differ by less
        than five minutes.

    Raises
    ------
    DatasetError
        Where the path is a file, or the file system none. On first use, where ``deltalake``
        is not installed (the extra ``dataset``), or the folder cannot be read or written.

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
        filesystem: Any = None,
    ) -> None:
        self.path = os.fspath(path)
        self._options = storage_options
        self._filesystem = filesystem
        if filesystem is not None:
            if storage_options is not None:
                msg = "storage_options are for deltalake; a filesystem has its own"
                raise DatasetError(msg)
            mirror(filesystem, self.path)
        if self.local:
            checked(self.path)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_store"}

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self._filesystem is None and "://" not in self.path

    @cached_property
    def _store(self) -> Store:
        home = checked(self.path) if self.local else self.path.rstrip("/")
        return Store(home, self._options, self._filesystem)

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
        heard: list[Silence] = []
        if omissions is not None and len(omissions):
            told = None if "retrieved_at" in omissions else moment_of(counts)
            heard = silences_of(omissions, told)
        return until_first(partial(self._store.append, list(in_turn(fresh)), heard))

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
        wanted = Wanted.of(since, until, post_ids, engagement_types)
        table = self._store.counts.open()
        return empty_counts(KEY) if table is None else wanted.counts(self._store.counts.rows(table))

    def pieces(
        self,
        since: Moment | None = None,
        until: Moment | None = None,
        *,
        post_ids: Iterable[Any] | None = None,
        engagement_types: Iterable[str] | None = None,
        rows: int = ROWS,
    ) -> list[Piece]:
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
        wanted = Wanted.of(since, until, post_ids, engagement_types)
        table = self._store.counts.open()
        if table is None:
            return []
        return list(pieces(self._store.counts.rows(table), wanted, sizes(table), most))

    def omissions(self) -> pd.DataFrame:
        """Return what has no count, and why.

        Returns
        -------
        DataFrame
            As :func:`~engagement_pandas.omissions` has them; neighbouring windows are one. A
            post that is counted again is no longer among them.
        """
        silences = self.silences()
        return as_frame(silences)[list(TOLD)]

    def revisions(self) -> pd.DataFrame:
        """Return the log of hours that changed after they were first read.

        Returns
        -------
        DataFrame
            One row a change, oldest first: ``post_id``, ``engagement_type``, ``day``,
            ``hour``, ``count_before`` and ``count`` (counts per hour, UTC), and when they
            were read: ``retrieved_before`` and ``retrieved_at``.
        """
        frame = self._store.log(self._store.counts.open())
        frame = frame.sort_values(["retrieved_at", *KEY], ignore_index=True)
        return frame.assign(engagement_type=as_types(frame["engagement_type"]))

    def silences(self) -> list[Silence]:
        """Return the omissions with the moments at which they were heard first and last."""
        return self._store.silences(self._store.counts.open())

    def readings(self, since: datetime, post_ids: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """Yield which hours were read when, in pieces, without the counts.

        Parameters
        ----------
        since : datetime
            From the day of this moment on.
        post_ids : iterable of str
        """
        table = self._store.counts.open()
        if table is None:
            return
        wanted = (column("day") >= since.date()) & among("post_id", post_ids)
        columns = ["post_id", "engagement_type", "retrieved_at", "day", "hour"]
        rows = self._store.counts.rows(table)
        with explained(self._store.counts.uri, "read"):
            yield from rows.to_batches(columns=columns, filter=wanted)

    @property
    def latest(self) -> datetime | None:
        """When the youngest of it was read, aware UTC; None where it is empty."""
        moments = [silence.retrieved_at for silence in self.silences()]
        moments += self._stored("max.retrieved_at")
        return max(moments, default=None)

    @property
    def first_day(self) -> date | None:
        """The first UTC day with counts; None where it is empty."""
        return min(self._stored("partition.day"), default=None)

    def _stored(self, name: str) -> list[Any]:
        """Return what the log knows of each file, without opening it."""
        import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

        table = self._store.counts.open()
        if table is None:
            return []
        known = pa.table(table.get_add_actions(flatten=True))
        return known[name].to_pylist() if name in known.column_names else []

    def files(self) -> list[str]:
        """Return the Parquet files that count now, for engines that do not read Delta tables.

        The day is in their paths, ``day=2026-03-01``, as Hive has it. Other files in the folder
        are of the past, or of no commit.
        """
        table = self._store.counts.open()
        return [] if table is None else self._store.counts.files(table)

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
        until_first(partial(self._store.compact, kept_hours))

    def __repr__(self) -> str:
        numbers, days = self._stored("num_records"), self._stored("partition.day")
        if not days:
            return f"Dataset({self.path}: empty)"
        return (
            f"Dataset({self.path}: {counted(sum(numbers), 'count')} "
            f"from {min(days)} to {max(days)} in {counted(len(days), 'file')})"
        )
