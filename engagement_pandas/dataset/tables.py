"""Three tables that change atomically: counts, omissions and revisions.

A commit to one table is atomic; to three it is not. So the counts are committed last, and
that commit names the matching versions of the other two. Versions left there by a crashed
writer are not referenced, and the next commit ignores them.

A small file holds the minimum number of commits of the counts. The log of Delta does not, so
the loss of its last entry would go unnoticed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import uuid4

import pandas as pd

from engagement_pandas.dataset.arrow import on_days, plain, read_rows, to_arrow
from engagement_pandas.dataset.delta_errors import translate_errors
from engagement_pandas.dataset.delta_table import Table
from engagement_pandas.dataset.matching_rows import TextFilter
from engagement_pandas.dataset.merge import (
    KEY,
    REVISION_COLUMNS,
    MergeResult,
    merge_all_readings,
    stacked,
)
from engagement_pandas.dataset.omission_log import (
    OMISSION_SPAN_COLUMNS,
    OmissionSpan,
    as_frame,
    merge_adjacent,
    read_omission_spans,
    without_counted,
)
from engagement_pandas.dataset.runs import Appended, note_of
from engagement_pandas.dataset.snapshot import CURE, DataFile, Snapshot
from engagement_pandas.dataset.storage import Storage, StorageOptions
from engagement_pandas.errors import DamagedDataset
from engagement_pandas.files.atomic_write import atomic_write
from engagement_pandas.frame.arrow_schema import counts_schema, omissions_schema
from engagement_pandas.frame.categories import as_reasons
from engagement_pandas.frame.contract import REQUIRED_OMISSION_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

OMISSIONS: Final = "omissions"
REVISIONS: Final = "revisions"

_LATEST: Final = "latest_commit"
_VACUUMED: Final = "last_vacuum"
_DAY: Final = 86_400


class _Opened(NamedTuple):
    """A version of a table that was read, and the state of its entry in the log."""

    entry: tuple[int, ...]
    snapshot: Snapshot


@dataclass(frozen=True)
class Tables:
    """The tables of a data set: a folder or URL, with one folder per table."""

    home: str
    options: StorageOptions
    _opened: dict[str, _Opened] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def counts(self) -> Table:
        """The counts, in one folder per day."""
        return self._table("counts", counts_schema(), ("day",), (OMISSIONS, REVISIONS))

    @cached_property
    def omissions(self) -> Table:
        """What has no count, and since when."""
        import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

        schema = omissions_schema(REQUIRED_OMISSION_COLUMNS)
        for name in list(OMISSION_SPAN_COLUMNS)[len(schema) :]:
            schema = schema.append(pa.field(name, pa.timestamp("us", tz="UTC")))
        return self._table(OMISSIONS, schema)

    @cached_property
    def revisions(self) -> Table:
        """Hours whose count changed after they were first read."""
        import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

        schema = counts_schema()
        like = {"count_before": "count", "retrieved_before": "retrieved_at"}
        fields = [schema.field(like.get(name, name)).with_name(name) for name in REVISION_COLUMNS]
        return self._table(REVISIONS, pa.schema(fields))

    @property
    def storage(self) -> Storage:
        """The files in the home folder itself."""
        return Storage(self.home, self.options)

    def _table(
        self, name: str, schema: pa.Schema, days: tuple[str, ...] = (), marks: tuple[str, ...] = ()
    ) -> Table:
        storage = Storage(f"{self.home}/{name}", self.options)
        return Table(storage, plain(schema), days, marks)

    def open(self) -> Snapshot | None:
        """Return the current version of the counts; None if there are none."""
        least = self._latest()  # read first, since another writer may commit meanwhile
        counts = self.counts.open()
        if least > (-1 if counts is None else counts.version):
            msg = f"{self.counts.uri}/_delta_log is damaged: it lacks {least:020}.json"
            raise DamagedDataset(f"{msg}; {CURE}")
        return counts

    def current(self) -> Snapshot | None:
        """Return the current version of the counts.

        The log is read again only after a commit, since that takes longer the longer it is.
        Writers may use it: if another writer commits in between, their commit fails, and the
        next call finds the new entry.
        """
        known = self._opened.get(self.counts.uri)
        if known is not None and self._latest() > known.snapshot.version:
            self._opened.pop(self.counts.uri, None)  # it was committed to since, or lost an entry
        return self._known(self.counts, None, self.open)

    def _known(
        self, table: Table, version: int | None, read: Callable[[], Snapshot | None]
    ) -> Snapshot | None:
        """Return a version of a table, the current one if None; read it if it is not known."""
        known = self._opened.get(table.uri)
        if known is not None and version in (None, known.snapshot.version):
            entry = table.entry(known.snapshot.version)
            is_current = version is not None or table.entry(known.snapshot.version + 1) is None
            if entry == known.entry and is_current:
                return known.snapshot
        found = read()
        self._remember(table, found)
        return found

    def _latest(self) -> int:
        """Return the minimum version that must exist; -1 if unknown."""
        version = self.load(_LATEST) or ""
        return int(version) if version.isdigit() else -1

    def _commit(
        self,
        counts: Snapshot,
        kept: list[DataFile],
        parts: Iterable[pa.Table],
        marks: dict[str, int],
        note: Mapping[str, str] = MappingProxyType({}),
    ) -> Snapshot:
        """Commit the counts, and with them the other tables written before."""
        written = self.counts.write(counts, kept, parts, marks, note)
        self.record_version(written.version)
        self._remember(self.counts, written)
        return written

    def _remember(self, table: Table, found: Snapshot | None) -> None:
        """Keep a version of a table that was read, to read it only once."""
        entry = None if found is None else table.entry(found.version)
        if found is not None and entry is not None:
            self._opened[table.uri] = _Opened(entry, found)

    def record_version(self, version: int) -> None:
        """Record the minimum version that must exist."""
        self.save(_LATEST, str(version))

    def load(self, name: str) -> str | None:
        """Return the text of a small file; None if it is missing or invalid."""
        with translate_errors(self.home, "read"):
            try:
                text, _, checksum = self.storage.read(name).decode().rpartition(" ")
            except (FileNotFoundError, UnicodeDecodeError):
                return None
        return text if checksum == _digest(text) else None

    def save(self, name: str, text: str) -> None:
        """Write a small file atomically, with a checksum."""
        content = f"{text} {_digest(text)}".encode()
        with translate_errors(self.home, "written"):
            if self.storage.local:
                with atomic_write(Path(self.home, name)) as temporary:
                    temporary.write_bytes(content)
            else:
                self.storage.write(name, content)

    def omission_spans(self, counts: Snapshot | None) -> list[OmissionSpan]:
        """Return the omissions that match these counts."""
        frame = self._stored(self.omissions, counts, OMISSIONS)
        return read_omission_spans(frame.assign(reason=as_reasons(frame["reason"])))

    def log(self, counts: Snapshot | None) -> pd.DataFrame:
        """Return the revisions that match these counts."""
        return self._stored(self.revisions, counts, REVISIONS)

    def _stored(self, table: Table, counts: Snapshot | None, name: str) -> pd.DataFrame:
        found = None if counts is None else self.belonging(table, counts, name)
        return read_rows(table, () if found is None else found.files)

    def belonging(self, table: Table, counts: Snapshot, name: str) -> Snapshot | None:
        """Return the version of a table that matches these counts."""
        version = counts.transactions.get(name)
        found = (
            None if version is None else self._known(table, version, partial(table.open, version))
        )
        if version is not None and found is None:
            msg = f"version {version} of {table.uri}, which belongs to the counts, is missing"
            raise DamagedDataset(f"{msg}; {CURE}")
        return found

    def verify(self) -> list[str]:
        """Verify every file, and return those without a checksum; see ``Dataset``."""
        self.forget()
        files = self.files()
        for table, file in files.values():
            table.content(file)
        return [f"{table.uri}/{file.path}" for table, file in files.values() if not file.checksum]

    def files(self) -> dict[str, tuple[Table, DataFile]]:
        """Return the files of all tables, as they are now, by their path in the home folder."""
        counts = self.current()
        return {
            f"{table.name}/{file.path}": (table, file)
            for table, snapshot in (() if counts is None else self._all(counts))
            for file in snapshot.files
        }

    def forget(self) -> None:
        """Read all logs again when they are next needed, and so verify them again."""
        self._opened.clear()

    def readings(
        self, files: Iterable[DataFile], post_ids: Iterable[str], since: date = date.min
    ) -> Iterator[pa.RecordBatch]:
        """Yield hours and their retrieval times in batches; see ``Dataset``."""
        wanted = [TextFilter("post_id", tuple(post_ids))]
        columns = ["post_id", "engagement_type", "retrieved_at", "day", "hour"]
        recent = [file for file in files if file.day is not None and file.day >= since]
        for rows in self.counts.rows(recent, wanted, columns):
            yield from rows.to_batches()

    def _all(self, counts: Snapshot) -> list[tuple[Table, Snapshot]]:
        """Return the existing tables, at matching versions."""
        others = [
            (table, self.belonging(table, counts, name))
            for name, table in ((OMISSIONS, self.omissions), (REVISIONS, self.revisions))
        ]
        return [
            (self.counts, counts),
            *((table, found) for table, found in others if found),
        ]

    def replace(self, rebuilt: str) -> None:
        """Replace the tables by those of a rebuilt data set, and keep them in ``damaged``.

        ``rebuilt`` is its folder, inside this one.
        """
        names = ("counts", OMISSIONS, REVISIONS)  # counts return last: readers fail until then
        kept = f"damaged/{uuid4().hex[:8]}"  # keeps the tables of earlier replacements
        self.forget()
        with translate_errors(self.home, "written"):
            for name in names:
                self.storage.move_folder(name, f"{kept}/{name}")
            for name in reversed(names):
                self.storage.move_folder(f"{rebuilt}/{name}", name)
            counts = self.counts.open()
            if counts is None:
                self.storage.remove(_LATEST)
            else:
                self.record_version(counts.version)
            self.storage.remove_folder(rebuilt)

    def append(
        self, parts: list[pd.DataFrame], spans: list[OmissionSpan], run: datetime | None = None
    ) -> Appended:
        """Write readings and omissions atomically.

        ``parts`` are counts with ``retrieved_at``; each frame has each hour at most once. ``run``
        is the start of the run that they are from, which the commit records.
        """
        counts = self.current() or self.counts.open_or_create()
        fresh = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
        posts = list(fresh["post_id"].unique())
        same_days = on_days(counts.files, fresh["day"].unique())
        stored = read_rows(self.counts, same_days, [TextFilter("post_id", posts)])
        merged = merge_all_readings(stored, parts)
        # The other tables are written first; readers see them with the commit of the counts.
        versions = {
            OMISSIONS: self._write_omissions(counts, spans, fresh),
            REVISIONS: self._write_revisions(counts, merged.revisions),
        }
        changed = {
            name: version
            for name, version in versions.items()
            if version is not None and version != counts.transactions.get(name)
        }
        rows, kept = self._to_write(counts, merged, posts)
        done = Appended(len(merged.added), len(merged.revisions))
        if len(rows) or changed:
            ordered = to_arrow(rows.sort_values(list(KEY)), self.counts.schema)
            note = {} if run is None else note_of(run, done)
            self._commit(counts, kept, [ordered], changed, note)
        return done

    def _to_write(
        self, counts: Snapshot, merged: MergeResult, posts: list[str]
    ) -> tuple[pd.DataFrame, list[DataFile]]:
        """Return the rows to write, and the files that remain current.

        New hours go into new files. If a stored row was replaced, all files of its day are
        written again, with the rows of other posts, since a file cannot be changed.
        """
        kept = list(counts.files)
        if not len(merged.renewed):
            return merged.added, kept
        days = pd.unique(pd.concat([merged.added["day"], pd.Series(merged.renewed)]))
        replaced = on_days(counts.files, days)
        others = read_rows(self.counts, replaced, [TextFilter("post_id", posts, excluded=True)])
        own = merged.rows[merged.rows["day"].isin(days)]
        return stacked([own, others]), [file for file in kept if file not in replaced]

    def compact(self) -> None:
        """Merge small files into one per day."""
        import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

        counts = self.current()
        if counts is None:
            return
        present = self._all(counts)
        for place, (table, snapshot) in enumerate(present):
            many = Counter(file.day for file in snapshot.files)
            small = [f for f in snapshot.files if many[f.day] > 1 or f.checksum is None]
            if not small:
                continue
            parts = (
                pa.concat_tables(table.rows([file for file in small if file.day == day])).cast(
                    table.schema
                )
                for day in sorted({file.day for file in small}, key=str)
            )
            kept = [file for file in snapshot.files if file not in small]
            if table is self.counts:
                present[place] = table, self._commit(snapshot, kept, parts, {})
            else:
                present[place] = table, table.write(table.open_or_create(), kept, parts)
        changed = {
            name: snapshot.version
            for table, snapshot in present[1:]
            for name in (OMISSIONS, REVISIONS)
            if table.uri.endswith(name) and snapshot.version != counts.transactions[name]
        }
        if changed:
            counts = present[0][1]
            self._commit(counts, list(counts.files), [], changed)

    def vacuum(self, kept_hours: int) -> None:
        """Delete files that are no longer used; see ``Dataset.compact``."""
        counts = self.current()
        for table, snapshot in () if counts is None else self._all(counts):
            table.vacuum(snapshot, kept_hours)

    def vacuum_daily(self, kept_hours: int) -> None:
        """Delete files that are no longer used, if that was done a day ago or longer.

        It lists all files, so it takes longer the more is stored.
        """
        last, now = self.load(_VACUUMED) or "", int(time.time())
        if not (last.isdigit() and int(last) <= now < int(last) + _DAY):
            self.vacuum(kept_hours)
            self.save(_VACUUMED, str(now))

    def _write_omissions(
        self, counts: Snapshot, spans: list[OmissionSpan], fresh: pd.DataFrame
    ) -> int | None:
        """Write the current omissions; return the version that matches the counts."""
        before = self.omission_spans(counts)
        # Counts that were stored later than an omission was reported have ended it already.
        late = min((span.retrieved_at for span in spans), default=datetime.max.replace(tzinfo=UTC))
        files = [f for f in counts.files if f.read_until is not None and f.read_until >= late]
        stored = read_rows(
            self.counts, files, [TextFilter("post_id", {span.post_id for span in spans})]
        )
        spans = without_counted(spans, stored)
        after = merge_adjacent(without_counted([*before, *spans], fresh))
        if as_frame(after).equals(as_frame(before)):
            return counts.transactions.get(OMISSIONS)
        rows = to_arrow(as_frame(after), self.omissions.schema)
        return self.omissions.write(self.omissions.open_or_create(), (), [rows]).version

    def _write_revisions(self, counts: Snapshot, revisions: pd.DataFrame) -> int | None:
        """Write revisions; return the version that matches the counts."""
        if revisions.empty:
            return counts.transactions.get(REVISIONS)
        before = self.belonging(self.revisions, counts, REVISIONS)
        rows = to_arrow(revisions, self.revisions.schema)
        kept = () if before is None else before.files
        return self.revisions.write(self.revisions.open_or_create(), kept, [rows]).version


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
