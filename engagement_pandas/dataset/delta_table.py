"""Tables of Parquet files with atomic commits: Delta Lake, through ``deltalake``.

A Delta table is a folder of Parquet files and a log that lists which of them are current. A
writer adds new files and then commits them atomically with one small file in the log. So
readers see the old or the new version, and a writer that crashes has changed nothing.
A protocol of our own would be neither short nor readable by other tools.

This module reads and writes the data files, with checksums; ``deltalake`` does the commits.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engagement_pandas.dataset.commit_conflicts import CommitConflict
from engagement_pandas.dataset.delta_errors import deltalake, is_failure, translate_errors
from engagement_pandas.dataset.matching_rows import (
    TextFilter,
    candidate_rows,
    encoded,
    matching_rows,
)
from engagement_pandas.dataset.snapshot import (
    CURE,
    STATE,
    DataFile,
    Snapshot,
    batches,
    damaged_entry,
    state,
)
from engagement_pandas.dataset.storage import Storage
from engagement_pandas.errors import DamagedDataset, DatasetError
from engagement_pandas.files.atomic_write import fsync_dir

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

KEPT_HOURS: Final = 168
"""Hours for which files are kept after a commit removes them, for readers still using them."""

_HOURS_AT_WORK: Final = 1
"""Longer than a writer takes from its first file to its commit."""

_ROWS: Final = 500_000
"""Rows that are filtered at once, which is faster for many small files: about 15 MB."""

_LOG: Final = "_delta_log"
_CHECKPOINT: Final = "_last_checkpoint"

_ENTRY: Final = re.compile(r"(\d{20})\.(json|checkpoint\.parquet)")

_KEPT_COMMITS: Final = 1_000
"""Commits that the log keeps at least, for ``Dataset.runs``; a longer log is slower to list."""

_CONFIGURATION: Final = {
    # Keep the log, however old it is: an earlier version may belong to the current counts.
    "delta.enableExpiredLogCleanup": "false",
    # A sync opens a table many times, and each time reads all entries since the checkpoint.
    "delta.checkpointInterval": "10",
}


@dataclass(frozen=True)
class Table:
    """A Delta table at a URL.

    ``partition_by`` is ``("day",)`` or empty. ``transactions`` are the names of numbers that a
    commit may hold in addition to its rows.
    """

    storage: Storage
    schema: pa.Schema
    partition_by: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The URL of the table."""
        return self.storage.uri

    @property
    def name(self) -> str:
        """The folder of the table in its data set."""
        return self.uri.rpartition("/")[2]

    def open(self, version: int | None = None) -> Snapshot | None:
        """Return the current or the given version of the table; None if there is no table."""
        lake = deltalake()
        existed = self._exists()  # before the read, since another writer may create it meanwhile
        with translate_errors(self.uri, "read"):
            try:
                found = lake.DeltaTable(
                    self.uri, version=version, storage_options=self.storage.options.values()
                )
                return Snapshot.of(found, self.transactions)
            except lake.exceptions.TableNotFoundError as error:
                if "Unknown scheme" in str(error):  # no table can exist there
                    msg = (
                        f"{self.uri} cannot be read: deltalake does not support this store; pass a "
                        "local folder, or s3://…, gs://… or az://… with storage_options"
                    )
                    raise DatasetError(msg) from error
                if not existed:
                    return None
                raise self._damaged(error) from error
            except BaseException as error:
                known = isinstance(error, OSError) or not (self.storage.local and is_failure(error))
                known |= "Forked process" in str(error)  # from deltalake; nothing is damaged
                if known and not isinstance(error, DamagedDataset):
                    raise
                raise self._damaged(error) from error

    def entry(self, version: int) -> tuple[int, ...] | None:
        """Return the state of an entry in the log of a local table; None if there is none."""
        if not self.storage.local:
            return None
        try:
            found = Path(self.uri, _LOG, f"{version:020}.json").stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _exists(self) -> bool:
        """Return whether a local table has entries in its log."""
        return self.entry(0) is not None or bool(self._entries())

    def _entries(self) -> list[Path]:
        """Return the entries and checkpoints in the log of a local table."""
        return sorted(Path(self.uri, _LOG).glob("[0-9]*")) if self.storage.local else []

    def _damaged(self, error: BaseException) -> DamagedDataset:
        """Return an error that names the first invalid entry of the log, if there is one."""
        found = damaged_entry(self._entries())
        where, why = found or (f"{self.uri}/{_LOG}", " ".join(str(error).split()))
        return DamagedDataset(f"{where} is damaged: {why}; {CURE}")

    def open_or_create(self) -> Snapshot:
        """Return the table, creating it if it does not exist."""
        found = self.open()
        if found is not None:
            return found
        with translate_errors(self.uri, "written"):
            lake = deltalake()
            try:
                made = lake.DeltaTable.create(
                    self.uri,
                    schema=self.schema,
                    mode="error",
                    partition_by=list(self.partition_by) or None,
                    configuration=_CONFIGURATION,
                    storage_options=self.storage.options.values(),
                    commit_properties=self._properties({STATE: state(0, (), {})}),
                )
            except lake.exceptions.DeltaError:
                found = self.open()  # another writer has just created it
                if found is None:
                    raise
                return found
            self._flush(0, ())
            return Snapshot.of(made, self.transactions)

    def write(
        self,
        onto: Snapshot,
        kept: Iterable[DataFile],
        parts: Iterable[pa.Table],
        marks: Mapping[str, int] | None = None,
        note: Mapping[str, str] = MappingProxyType({}),
    ) -> Snapshot:
        """Commit a version with some of the existing files, and new ones.

        ``onto`` is the latest version; if there is a later one by now, nothing is committed.
        ``kept`` are files of this or an earlier version. Each of ``parts`` has new rows, and
        becomes one file per day. ``marks`` are new numbers of transactions; ``note`` is further
        metadata of the commit.
        """
        lake = deltalake()
        from deltalake.transaction import AddAction, RemoveAction  # noqa: PLC0415  an extra

        delta = self._delta(onto)
        before, unchanged = ({file.path: file for file in files} for files in (onto.files, kept))
        now = int(time.time() * 1000)
        marks = {**onto.transactions, **(marks or {})}
        with translate_errors(self.uri, "written"):
            added = [
                self._put(rows, day)
                for part in parts
                for rows, day in _parted(part, self.partition_by)
            ]
            files = [*unchanged.values(), *added]
            version = onto.version + 1
            actions: list[AddAction | RemoveAction] = [
                AddAction(file.path, file.size, file.partition, now, True, file.logged)  # noqa: FBT003
                for file in files
                if file.path not in before
            ]
            actions += [
                RemoveAction(path, True, now, file.size, file.partition)  # noqa: FBT003
                for path, file in before.items()
                if path not in unchanged
            ]
            try:
                delta.create_write_transaction(
                    actions,
                    "append",
                    self.schema,
                    list(self.partition_by) or None,
                    commit_properties=self._properties(
                        {**marks, STATE: state(version, files, marks)}, note
                    ),
                )
            except lake.exceptions.CommitFailedError as error:
                raise CommitConflict from error
            self._flush(version, added)
        return Snapshot.written(version, files, marks)

    def history(self, onto: Snapshot, limit: int) -> list[dict[str, Any]]:
        """Return the latest commits in the log, latest first, with their metadata."""
        delta = self._delta(onto)
        with translate_errors(self.uri, "read"):
            return delta.history(limit)

    def _delta(self, snapshot: Snapshot) -> DeltaTable:
        """Return a version as a table of ``deltalake``, to commit to or to inspect."""
        found = snapshot if snapshot.delta is not None else self.open(snapshot.version)
        if found is None or found.delta is None:
            msg = f"{self.uri} was removed while it was in use; try again"
            raise DatasetError(msg)
        return found.delta

    def _put(self, rows: pa.Table, day: date | None) -> DataFile:
        file, content = DataFile.of(rows, day)
        self.storage.write(file.path, content)
        return file

    @staticmethod
    def _properties(
        marks: Mapping[str, int], note: Mapping[str, str] = MappingProxyType({})
    ) -> Any:
        lake = deltalake()
        # Do not retry the commit: it would be based on rows that have changed meanwhile.
        return lake.CommitProperties(
            max_commit_retries=0,
            custom_metadata=dict(note) or None,
            app_transactions=[lake.Transaction(name, number) for name, number in marks.items()],
        )

    def _flush(self, version: int, files: Iterable[DataFile]) -> None:
        """Flush a commit to disk with fsync; ``deltalake`` does not."""
        if not self.storage.local:
            return
        folder = Path(self.uri)
        log = folder / _LOG
        for name in (f"{version:020}.json", f"{version:020}.checkpoint.parquet", _CHECKPOINT):
            with suppress(FileNotFoundError), (log / name).open("rb+") as handle:
                os.fsync(handle.fileno())
        parents = {(folder / file.path).parent for file in files} | {folder, log}
        if version == 0:
            parents |= {folder.parent, folder.parent.parent}
        for parent in parents:
            fsync_dir(parent)

    def rows(
        self,
        files: Iterable[DataFile],
        filters: Sequence[TextFilter] = (),
        columns: Iterable[str] | None = None,
    ) -> Iterator[pa.Table]:
        """Yield the matching rows of some files after another, after verifying their checksums.

        Texts are dictionary-encoded.
        """
        import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

        names = self.schema.names if columns is None else columns
        wanted = [self.schema.field(name) for name in names]
        stored = encoded(pa.schema([f for f in wanted if f.name not in self.partition_by]))
        for batch in batches(files, _ROWS):
            contents = [self.content(file) for file in batch]
            with translate_errors(self.uri, "read"):
                parts = [
                    self._candidates(file, content, stored, filters)
                    for file, content in zip(batch, contents, strict=True)
                ]
                rows = pa.concat_tables(parts)
                if self.partition_by:
                    days = np.array([file.day for file in batch], "datetime64[D]")
                    day = pa.array(np.repeat(days, [part.num_rows for part in parts]))
                    rows = rows.append_column("day", day).select([f.name for f in wanted])
                found = matching_rows(rows, filters)
            yield found

    def _candidates(
        self, file: DataFile, content: bytes, schema: pa.Schema, filters: Sequence[TextFilter]
    ) -> pa.Table:
        """Return the rows of a file that may match; raise if it is not a valid Parquet file."""
        import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

        try:
            return candidate_rows(content, schema, filters)
        except (pa.ArrowException, OSError) as error:
            raise file.damaged(self.uri, " ".join(str(error).split())) from error

    def content(self, file: DataFile) -> bytes:
        """Return the content of a file, after verifying its checksum."""
        with translate_errors(self.uri, "read"):
            try:
                return file.verified(self.storage.read(file.path), self.uri)
            except FileNotFoundError as error:
                why = "it is missing, or compact() has replaced it; in that case read again"
                raise file.damaged(self.uri, why) from error

    def vacuum(self, snapshot: Snapshot, kept_hours: int) -> None:
        """Delete files that are no longer used, including those of crashed writers.

        The files of ``snapshot`` are kept, and those younger than ``kept_hours``. Files of no
        commit are kept for at least an hour, since another writer may be using them. The log
        keeps ``snapshot`` and the versions of the 1,000 commits before it.
        """
        with translate_errors(self.uri, "written"):
            table = self._delta(self.open_or_create())
            long_ago = max(kept_hours, _HOURS_AT_WORK)
            named = _left(table, kept_hours, full=False) | _left(table, long_ago, full=True)
            for path in named - {file.path for file in snapshot.files}:
                self.storage.remove(path)
            if self.storage.local:
                _sweep(Path(self.uri), time.time() - long_ago * 3600)
            self._trim_log(snapshot.version - _KEPT_COMMITS)

    def _trim_log(self, needed: int) -> None:
        """Delete the entries of the log before the last checkpoint up to version ``needed``."""
        names = sorted(name for name in self.storage.names(_LOG) if _ENTRY.fullmatch(name))
        checkpoints = [int(name[:20]) for name in names if name.endswith(".parquet")]
        first = max((version for version in checkpoints if version <= needed), default=0)
        for name in names:
            if int(name[:20]) < first:
                self.storage.remove(f"{_LOG}/{name}")


def _left(table: DeltaTable, hours: int, *, full: bool) -> set[str]:
    """Return files that are no longer current, or with ``full`` those of no commit too."""
    return set(table.vacuum(retention_hours=hours, enforce_retention_duration=False, full=full))


def _parted(
    rows: pa.Table, partition_by: tuple[str, ...]
) -> Iterator[tuple[pa.Table, date | None]]:
    """Yield the rows of each day, or all rows if the table is not partitioned."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it
    import pyarrow.compute as pc  # noqa: PLC0415

    if not partition_by:
        yield from [(rows, None)] if rows.num_rows else []
        return
    days: list[Any] = rows["day"].unique().to_pylist()
    for day in sorted(days):
        yield rows.filter(pc.equal(rows["day"], pa.scalar(day))).drop_columns("day"), day


def _sweep(folder: Path, before: float) -> None:
    """Delete unfinished files of crashed writers, which a vacuum does not find."""
    for pattern in ("**/*.parquet#*", "_delta_log/*.json#*", "_delta_log/*.tmp"):
        for left in folder.glob(pattern):
            with suppress(FileNotFoundError):  # another process may be deleting them too
                if left.stat().st_mtime <= before:
                    left.unlink()
