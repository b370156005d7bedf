"""Content of a commit: its Parquet files, and a checksum of what the log lists."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from engagement_pandas.errors import DamagedDataset

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

STATE: Final = "state"
"""Name of the transaction whose number is the checksum of the commit."""

CURE: Final = (
    "sync() rebuilds the data set from its raw responses; without them, append() its counts to a "
    "new one"
)

_ROWS: Final = 2**13
"""Rows of a row group, which readers of one post can skip; a day of 1,000 posts has 120,000."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = 32
_LOGGED: Final = ("path", "size_bytes", "num_records", "partition.day", "max.retrieved_at")
"""What a snapshot keeps of each file in the log."""

_NAMED: Final = re.compile(rf"-([0-9a-f]{{{_DIGITS}}})\.parquet")


@dataclass(frozen=True)
class DataFile:
    """A Parquet file of a table.

    ``path`` is relative to the folder of the table. The name includes a checksum of the file,
    except for files from earlier versions of this package. ``size`` is in bytes. ``day`` is
    that of all its rows, if the table is partitioned by day. ``read_until`` is the latest
    ``retrieved_at`` in it. ``stats`` are statistics in the log for other engines, as JSON;
    empty if the file is from the log.
    """

    path: str
    size: int
    rows: int
    day: date | None = None
    read_until: datetime | None = None
    stats: str = field(default="", compare=False, repr=False)

    @property
    def checksum(self) -> str | None:
        """The checksum in the file name; None if there is none."""
        found = _NAMED.search(self.path)
        return found[1] if found else None

    @property
    def partition(self) -> dict[str, str | None]:
        """The partition values in the log."""
        return {} if self.day is None else {"day": self.day.isoformat()}

    @property
    def logged(self) -> str:
        """The statistics to write to the log, as JSON."""
        known = {} if self.read_until is None else {"retrieved_at": _json(self.read_until)}
        return self.stats or json.dumps({"numRecords": self.rows, "maxValues": known})

    @classmethod
    def of(cls, rows: pa.Table, day: date | None) -> tuple[DataFile, bytes]:
        """Serialise rows to Parquet; return the file and its content."""
        import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it
        import pyarrow.parquet as pq  # noqa: PLC0415

        sink = pa.BufferOutputStream()
        # Pages have checksums as well, for other engines.
        pq.write_table(
            rows, sink, compression="zstd", write_page_checksum=True, row_group_size=_ROWS
        )
        content = sink.getvalue().to_pybytes()
        folder = "" if day is None else f"day={day}/"
        path = f"{folder}part-{uuid4().hex}-{_checksum(content)}.parquet"
        stats, latest = _statistics(rows)
        return cls(path, len(content), rows.num_rows, day, latest, stats), content

    def verified(self, content: bytes, uri: str) -> bytes:
        """Return the content of the file; raise if it has changed."""
        if self.checksum not in (None, _checksum(content)):
            raise self.damaged(uri, "its checksum does not match")
        return content

    def damaged(self, uri: str, why: str) -> DamagedDataset:
        """Return an error that names the file and the remedy."""
        return DamagedDataset(f"{uri}/{self.path} is damaged: {why}; {CURE}")


@dataclass(frozen=True)
class Snapshot:
    """A table at one version.

    ``files`` are sorted by path. ``transactions`` are further numbers in the log, such as the
    matching versions of other tables. ``delta`` is the table that was read; None if this version
    was just written.
    """

    version: int
    files: tuple[DataFile, ...]
    transactions: Mapping[str, int]
    delta: DeltaTable | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, table: DeltaTable, names: Iterable[str]) -> Snapshot:
        """Read the log; raise if its checksum does not match the commit.

        ``names`` are those of transactions.
        """
        import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

        found = pa.table(table.get_add_actions(flatten=True))
        # Only what is needed becomes Python objects: the statistics are most of the log.
        values = (
            _values(found[name]) if name in found.column_names else [None] * len(found)
            for name in _LOGGED
        )
        files = _by_path(starmap(_read, zip(*values, strict=True)))
        known = {name: table.transaction_version(name) for name in names}
        marks = {name: number for name, number in known.items() if number is not None}
        snapshot = cls(int(table.version()), tuple(files), marks, table)
        committed = table.transaction_version(STATE)
        if committed not in (None, state(snapshot.version, files, marks)):
            msg = "it does not match its checksum: an entry is missing or was changed"
            raise DamagedDataset(msg)
        return snapshot

    @classmethod
    def written(
        cls, version: int, files: Iterable[DataFile], transactions: Mapping[str, int]
    ) -> Snapshot:
        """Return a version that was just committed, without reading it."""
        return cls(version, _by_path(files), transactions)


def batches(files: Iterable[DataFile], most: int) -> Iterator[list[DataFile]]:
    """Yield files in batches of at most ``most`` rows; exceeded only if a single file has more."""
    batch: list[DataFile] = []
    size = 0
    for file in files:
        if batch and size + file.rows > most:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.rows
    if batch:
        yield batch


def state(version: int, files: Iterable[DataFile], marks: Mapping[str, int]) -> int:
    """Return a checksum of the content of a commit, as the number of a transaction."""
    described = [version, sorted(marks.items()), sorted(map(_line, files))]
    return int(hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16], 16) >> 1


def damaged_entry(entries: Iterable[Path]) -> tuple[str, str] | None:
    """Return the first lost or invalid entry of a log, and why; None if all are valid.

    A log whose first entry was deleted begins at a checkpoint; entries before it are not needed.
    """
    found = [path for path in sorted(entries) if re.match(r"\d{20}\.", path.name)]
    known = [path for path in found if path.suffix == ".json"]
    checkpoints = [int(path.name[:20]) for path in found if path.suffix == ".parquet"]
    trimmed = bool(known) and int(known[0].stem) > 0
    first = min(checkpoints, default=0) if trimmed else 0
    needed = [path for path in known if int(path.stem) >= first]
    for expected, entry in enumerate(needed, first):
        if int(entry.stem) > expected:
            return str(entry.with_name(f"{expected:020}.json")), "it is missing"
        text = entry.read_text(errors="replace")
        try:
            valid = all(isinstance(json.loads(line), dict) for line in text.splitlines())
        except ValueError:
            valid = False
        if not (valid and text.strip()):
            return str(entry), "it is not valid JSON" if text.strip() else "it is empty"
    return None


def _line(file: DataFile) -> list[Any]:
    until = None if file.read_until is None else file.read_until.isoformat()
    return [file.path, file.rows, str(file.day), until]


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _by_path(files: Iterable[DataFile]) -> tuple[DataFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _values(cells: Any) -> list[Any]:
    """Return a column of the log; times as microseconds since 1970, which are quicker to make."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    if pa.types.is_timestamp(cells.type):
        cells = cells.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    found: list[Any] = cells.to_pylist()
    return found


def _read(path: str, size: int, rows: int, day: date | None, latest: int | None) -> DataFile:
    """Return a file from its entry in the log."""
    moment = None if latest is None else _EPOCH + timedelta(microseconds=latest)
    return DataFile(path, size, rows, day, moment)


def _statistics(rows: pa.Table) -> tuple[str, datetime | None]:
    """Return the statistics by which engines skip files, as JSON, and the latest retrieval."""
    import pyarrow.compute as pc  # noqa: PLC0415  slow to import, and only files need it

    ends: dict[str, Any] = {name: pc.min_max(rows[name]).as_py() for name in rows.column_names}
    described: dict[str, Any] = {"numRecords": rows.num_rows}
    for name, end in (("minValues", "min"), ("maxValues", "max")):
        described[name] = {
            key: _json(both[end]) for key, both in ends.items() if both[end] is not None
        }
    described["nullCount"] = {name: rows[name].null_count for name in rows.column_names}
    latest: datetime | None = ends["retrieved_at"]["max"]
    return json.dumps(described), latest


def _json(value: Any) -> Any:
    """Return a value in Delta's format, with times in UTC."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return value.isoformat() if isinstance(value, date) else value
