"""Tables of Parquet files that change as a whole: Delta Lake, through ``deltalake``.

A Delta table is a folder of Parquet files and a log that says which of them count. A writer
puts new files beside the old ones, and then one small file into the log, all or nothing: so
readers see the old or the new, and a writer that dies has changed nothing. Writing this
protocol anew would be neither short nor readable by anybody else.
"""

from __future__ import annotations

import os
import re
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engagement_pandas.errors import DatasetError
from engagement_pandas.lake.attempts import Overtaken, deltalake, explained
from engagement_pandas.lake.mirror import Mirror, added, drop, here, sizes
from engagement_pandas.replacing import flush_folder

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    from deltalake import DeltaTable

KEPT_HOURS: Final = 168
"""For so long files stay that the log no longer names: a reader may be at them."""

_HOURS_AT_WORK: Final = 1
"""Longer than a writer takes from its first file to its commit."""

_MANY: Final = 64
_ODD: Final = re.compile(r"[\[\]]|%[0-9A-Fa-f]{2}")


@dataclass(frozen=True)
class Table:
    """A Delta table at an address.

    Parameters
    ----------
    uri : str
        A path, or an address such as ``s3://bucket/counts``.
    schema : pyarrow.Schema
    partition_by : tuple of str
    options : mapping of str to str, optional
        For the store, as ``deltalake`` takes them.
    mirror : Mirror, optional
        Of the table, where ``deltalake`` does not reach it.
    """

    uri: str
    schema: pa.Schema
    partition_by: tuple[str, ...] = ()
    options: Mapping[str, str] | None = field(default=None, repr=False)
    mirror: Mirror | None = None

    def open(self, version: int | None = None) -> DeltaTable | None:
        """Return the table as it is now, or was at a version; None where there is none.

        Raises
        ------
        DatasetError
            Where it cannot be read, or ``deltalake`` is not installed.
        """
        lake = deltalake()
        with explained(self.uri, "read"):
            if self.mirror is not None:
                folder = self.mirror.pull(version)
                if folder is None:
                    return None
                return _copy(folder, partial(lake.DeltaTable, version=version))
            try:
                found: DeltaTable = lake.DeltaTable(
                    self.uri, version=version, storage_options=self._options()
                )
            except lake.exceptions.TableNotFoundError as error:
                if "Unknown scheme" in str(error):  # where no table can be
                    raise
                return None
            return found

    def made(self) -> DeltaTable:
        """Return the table, made where there is none."""
        found = self.open()
        if found is not None:
            return found
        with explained(self.uri, "written"):
            if self.mirror is not None:
                made = _copy(self.mirror.new(), self._create)
            else:
                try:
                    made = self._create(self.uri)
                except deltalake().exceptions.DeltaError:
                    found = self.open()  # made by another writer just now
                    if found is None:
                        raise
                    return found
            self._settle(made, -1)
            return made

    def _create(self, place: str | Path) -> DeltaTable:
        made: DeltaTable = deltalake().DeltaTable.create(
            place,
            schema=self.schema,
            mode="error",
            partition_by=list(self.partition_by) or None,
            # Versions are gone back to, however old they are.
            configuration={"delta.enableExpiredLogCleanup": "false"},
            storage_options=self._options(),
        )
        return made

    def write(
        self,
        into: DeltaTable,
        rows: pa.Table,
        *,
        instead_of: str = "",
        versions: Mapping[str, int] | None = None,
    ) -> int:
        """Add rows, or put them in the place of those that a predicate names; one commit.

        Parameters
        ----------
        into : DeltaTable
            As it was read. Where it has changed since, nothing is written.
        rows : pyarrow.Table
        instead_of : str
            In SQL, of the columns that partition it; ``"true"`` for all of them.
        versions : mapping of str to int, optional
            Versions of other tables that go with this commit.

        Returns
        -------
        int
            The new version.

        Raises
        ------
        Overtaken
            Where another writer was quicker.
        DatasetError
            Where it cannot be written.
        """
        lake = deltalake()
        marks = [lake.Transaction(name, version) for name, version in (versions or {}).items()]
        replacing: dict[str, Any] = {"mode": "overwrite"} if instead_of else {"mode": "append"}
        if instead_of not in ("", "true"):
            replacing["predicate"] = instead_of
        before = into.version()
        with explained(self.uri, "written"):
            try:
                lake.write_deltalake(
                    into,
                    rows.cast(self.schema),
                    **replacing,
                    # No second try: it would rest on rows that have changed meanwhile.
                    commit_properties=lake.CommitProperties(
                        max_commit_retries=0, app_transactions=marks
                    ),
                    writer_properties=lake.WriterProperties(compression="ZSTD"),
                    storage_options=self._options(),
                )
            except lake.exceptions.CommitFailedError as error:
                raise Overtaken from error
            return self._settle(into, before)

    def _settle(self, table: DeltaTable, before: int) -> int:
        """Have what came after a version last, and return the version that it is now.

        ``deltalake`` itself flushes nothing.
        """
        version = int(table.version())
        for new in range(before + 1, version + 1):
            if self.mirror is not None:
                if not self.mirror.publish(here(table), new):
                    raise Overtaken
            elif self._local:
                _flush(Path(self.uri), new)
        return version

    def rows(self, table: DeltaTable) -> ds.Dataset:
        """Return the rows of a table as it was read."""
        return table.to_pyarrow_dataset(
            filesystem=None if self.mirror is None else self.mirror.arrow
        )

    def files(self, table: DeltaTable) -> list[str]:
        """Return the addresses of the Parquet files that count."""
        if self.mirror is None and not self._local:
            return sorted(table.file_uris())
        return sorted(f"{self.uri}/{path}" for path in sizes(table))

    def at(self, version: int) -> DeltaTable:
        """Return the table with its present set back to a version.

        What came after it belongs to a commit that never was.
        """
        table = self.made()
        if table.version() != version:
            lake = deltalake()
            with explained(self.uri, "written"):
                folder = None if self.mirror is None else self.mirror.pull(version)
                if folder is not None:  # with what the log tells of that version
                    table = _copy(folder, lake.DeltaTable)
                before = table.version()
                try:
                    table.restore(
                        version,
                        ignore_missing_files=self.mirror is not None,
                        commit_properties=lake.CommitProperties(max_commit_retries=0),
                    )
                except lake.exceptions.CommitFailedError as error:
                    raise Overtaken from error
                self._settle(table, before)
        return table

    def put_together(self, table: DeltaTable) -> int:
        """Put small files together, as they are in a table as it was read; return the version.

        Raises
        ------
        Overtaken
            Where another writer was quicker.
        """
        lake = deltalake()
        once = lake.CommitProperties(max_commit_retries=0)
        before = table.version()
        with explained(self.uri, "written"):
            try:
                if self.mirror is not None:
                    self.mirror.bring(table)
                table.optimize.compact(commit_properties=once)
            except (lake.exceptions.CommitFailedError, FileNotFoundError) as error:
                raise Overtaken from error
            return self._settle(table, before)

    def sweep(self, table: DeltaTable, kept_hours: int) -> None:
        """Take away files that a table as it was read does not name, also those of the dead.

        Parameters
        ----------
        table : DeltaTable
        kept_hours : int
            Files that are younger stay; those of no commit also if they are younger than an
            hour: another writer may be at them.
        """
        folder = here(table) if self.mirror or self._local else None  # of this machine
        with explained(self.uri, "written"):
            if self.mirror is not None:
                self.mirror.show(table)
            named = self._left(table, kept_hours, full=False)
            named |= self._left(table, max(kept_hours, _HOURS_AT_WORK), full=True)
            # Also those that have been taken away are named, for a while.
            if folder is None:
                if len(named) >= _MANY:  # it takes commits
                    self._left(table, max(kept_hours, _HOURS_AT_WORK), full=True, away=True)
            elif self.mirror is not None:
                self.mirror.remove([name for name in named if (folder / name).exists()])
            else:
                for name in named:
                    (folder / name).unlink(missing_ok=True)
                _sweep(folder, time.time() - max(kept_hours, _HOURS_AT_WORK) * 3600)

    @staticmethod
    def _left(table: DeltaTable, hours: int, *, full: bool, away: bool = False) -> set[str]:
        """Return the files that no longer count, or with ``full`` never did."""
        return set(
            table.vacuum(
                retention_hours=hours,
                enforce_retention_duration=False,
                full=full,
                dry_run=not away,
            )
        )

    @property
    def _local(self) -> bool:
        return "://" not in self.uri

    def _options(self) -> dict[str, str] | None:
        return None if self.options is None else dict(self.options)


def _copy(folder: Path, open_: Callable[[Path], DeltaTable]) -> DeltaTable:
    """Open the copy of a table, which goes away when it is no longer used."""
    try:
        table = open_(folder)
    except BaseException:
        drop(folder)
        raise
    weakref.finalize(table, drop, folder)
    return table


def _flush(folder: Path, version: int) -> None:
    """Have a commit last through a power cut."""
    log = folder / "_delta_log" / f"{version:020}.json"
    files = [folder / path for path in added(folder, version)]
    for file in [*files, log]:
        with suppress(FileNotFoundError), file.open("rb+") as handle:  # replaced by now
            os.fsync(handle.fileno())
    parents = {file.parent for file in files} | {folder, log.parent}
    if version == 0:
        parents |= {folder.parent, folder.parent.parent}
    for parent in parents:
        flush_folder(parent)


def _sweep(folder: Path, before: float) -> None:
    """Take away unfinished files of writers that died, which a vacuum does not know."""
    for pattern in ("**/*.parquet#*", "_delta_log/*.json#*", "_delta_log/*.tmp"):
        for left in folder.glob(pattern):
            with suppress(FileNotFoundError):  # another sweeps too
                if left.stat().st_mtime <= before:
                    left.unlink()


def checked(path: str) -> str:
    """Return the full path of a folder of this machine, or refuse what can be none.

    Raises
    ------
    DatasetError
        Where it is a file, or ``deltalake`` cannot take it.
    """
    full = os.path.abspath(path)  # noqa: PTH100
    if os.path.isfile(full):  # noqa: PTH113
        msg = f"{path} is a file; name a folder"
        raise DatasetError(msg)
    odd = _ODD.search(full)
    if odd:
        msg = f"deltalake takes no folder with {odd[0]!r} in its path, as {full} has; name another"
        raise DatasetError(f"{msg}, or give filesystem=fsspec.filesystem('file')")
    return full
