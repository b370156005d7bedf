"""Parquet, with schema version and retrieval time in the metadata."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.files.atomic_write import atomic_write
from engagement_pandas.frame.arrow_schema import counts_schema, omissions_schema
from engagement_pandas.frame.categories import as_reasons, as_types, contract_of
from engagement_pandas.frame.coercion import contracted
from engagement_pandas.frame.contract import ATTRIBUTES, SCHEMA_VERSION, TEXT, to_iso_utc

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS: Final = 50_000_000
"""Maximum rows of a file: a few bytes of Parquet can encode any number of them."""

VERSION_KEY: Final = b"engagement_pandas.schema_version"


def write_parquet(
    counts: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    retrieved_at: str | datetime | None = None,
) -> None:
    """Write counts or omissions as a Parquet file (zstd).

    Parameters
    ----------
    counts : DataFrame
        Tidy counts or omissions. The index is not written.
    path : str or path
        Replaced if it exists; its folder must exist.
    retrieved_at : str or datetime, optional
        Time of retrieval, with a time zone; ``counts.attrs["retrieved_at"]`` by default.
        Stored in the file's metadata with the schema version.

    Raises
    ------
    FrameError
        If the frame is neither, or the time is invalid.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile, pathlib
    >>> counts = ep.flatten_json({"g": {"123": {"impressions": "5"}}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "counts.parquet")
    ...     write_parquet(counts, path, retrieved_at="2026-03-01T09:30:00Z")
    ...     read_parquet(path).attrs
    {'retrieved_at': '2026-03-01T09:30:00+00:00'}
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    counts, contract = contracted(counts)
    schema_of = counts_schema if contract == "counts" else omissions_schema
    schema = schema_of(list(counts.columns))
    known = {name: counts.attrs[name] for name in ATTRIBUTES if name in counts.attrs}
    if retrieved_at is not None:
        known["retrieved_at"] = retrieved_at
        known.pop("retrieved_at_known_to", None)
    for name in known.keys() - {"endpoint", "retrieved_at_known_to"}:
        known[name] = to_iso_utc(known[name], name)
    metadata = {ATTRIBUTES[name]: str(value).encode() for name, value in known.items()}
    metadata[VERSION_KEY] = str(SCHEMA_VERSION).encode()
    # pyarrow does not write an ordered category as an unordered one.
    ordered = [str(name) for name in counts if getattr(counts[name].dtype, "ordered", False)]
    if ordered:
        counts = counts.assign(**{name: counts[name].cat.as_unordered() for name in ordered})
    table = pa.Table.from_pandas(
        counts.reset_index(drop=True), schema=schema, preserve_index=False, safe=True
    )
    # For pd.read_parquet(), which then has the dtypes and attrs too.
    metadata[b"pandas"] = (table.schema.metadata or {})[b"pandas"]
    metadata[b"PANDAS_ATTRS"] = json.dumps(known).encode()
    table = table.replace_schema_metadata(metadata)
    with atomic_write(Path(path)) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def read_parquet(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a file written by :func:`write_parquet`.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    DataFrame
        Counts or omissions with the dtypes of the contract; ``attrs`` have ``retrieved_at``,
        ``start`` and ``end`` (ISO texts, UTC) and ``endpoint`` if the file has them.

    Raises
    ------
    FrameError
        If the file is not Parquet, not tidy counts or omissions, or has a newer schema.

    Examples
    --------
    See :func:`write_parquet`.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(os.fspath(path), page_checksum_verification=True)
        if file.metadata.num_rows > MOST_ROWS:
            msg = f"it has {file.metadata.num_rows:,} rows; read it with engagement_pandas.dask"
            raise ValueError(msg)  # noqa: TRY301  becomes a FrameError below
        table = file.read()
        table.validate(full=True)
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        msg = f"{os.fspath(path)!r} is not a Parquet file, or is damaged: {error}"
        if Path(path).is_dir():
            msg = f"{os.fspath(path)!r} is a folder; read a data set with ep.Dataset(…).read()"
        raise FrameError(msg) from error
    metadata = {k: v.decode(errors="replace") for k, v in (table.schema.metadata or {}).items()}
    version = metadata.get(VERSION_KEY, "0")
    if not version.isdigit() or int(version) > SCHEMA_VERSION:
        msg = (
            f"{os.fspath(path)!r} has schema version {version}, but this release reads at most "
            f"{SCHEMA_VERSION}; upgrade engagement_pandas"
        )
        raise FrameError(msg)
    frame = _from_arrow(table, os.fspath(path))
    frame.attrs |= {name: metadata[key] for name, key in ATTRIBUTES.items() if key in metadata}
    return frame


def _from_arrow(table: pa.Table, path: str) -> pd.DataFrame:
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    schema = omissions_schema() if "reason" in table.column_names else counts_schema()
    columns: dict[str, Any] = {}
    if len(set(table.column_names)) < len(table.column_names):
        msg = f"{path!r} has a column twice in {table.column_names}; keep one of them"
        raise FrameError(msg)
    for name in table.column_names:
        column = table.column(name)
        if name in schema.names:
            meant = _plain(schema.field(name).type)
            found = _plain(column.type)
            if _is_text(found) != _is_text(meant):
                lost = "its digits may be lost; " if name == "post_id" else ""
                cure = f"{lost}write the file with write_parquet()"
                msg = f"{name!r} in {path!r} is {found}, not {meant}; {cure}"
                raise FrameError(msg)
            try:
                if not (_is_encoded(schema.field(name).type) and _is_encoded(column.type)):
                    column = column.cast(meant)
            except (pa.ArrowException, ValueError, OverflowError) as error:
                msg = f"{name!r} in {path!r} is {found}, not {meant}: {error}"
                raise FrameError(msg) from error
        try:
            columns[name] = _to_pandas(name, column)
        except (pa.ArrowException, ValueError, OverflowError, NotImplementedError) as error:
            msg = f"{name!r} in {path!r} cannot be read: {error}"
            raise FrameError(msg) from error
    frame = pd.DataFrame(columns, copy=False)
    if "reason" not in frame:
        for name in frame.columns.intersection(["engagement_type", "source"]):
            frame[name] = as_types(frame[name])
    else:
        frame["reason"] = as_reasons(frame["reason"])
    contract_of(frame)
    return frame


def _to_pandas(name: str, column: pa.ChunkedArray[Any]) -> Any:
    if _is_encoded(column.type):
        return column.to_pandas()
    dtype: Any = TEXT if _is_text(column.type) else pd.Int64Dtype()
    plain = name != "count" and dtype is not TEXT
    # A copy, since pyarrow's arrays cannot be written.
    return column.to_pandas().copy() if plain else dtype.__from_arrow__(column)


def _plain(arrow_type: pa.DataType) -> pa.DataType:
    """Return the value type of a dictionary type, and any other type unchanged."""
    return getattr(arrow_type, "value_type", arrow_type)


def _is_encoded(arrow_type: pa.DataType) -> bool:
    """Return whether it is a dictionary type; pandas makes a category of it."""
    return str(arrow_type).startswith("dictionary")


def _is_text(arrow_type: pa.DataType) -> bool:
    return str(arrow_type) in {"string", "large_string", "string_view"}
