"""Convert frames to Arrow tables and back, without inferring types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from engagement_pandas.dataset.delta_table import Table
from engagement_pandas.dataset.matching_rows import TextFilter
from engagement_pandas.dataset.merge import KEY
from engagement_pandas.dataset.snapshot import DataFile
from engagement_pandas.frame.contract import TEXT, empty_counts, in_order
from engagement_pandas.frame.row_checks import check_times

if TYPE_CHECKING:
    import pyarrow as pa


def plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema with types that all engines support: strings, and days as dates."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    def simple(field: pa.Field[Any]) -> pa.DataType:
        if field.name == "day":
            return pa.date32()
        text = pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type)
        return pa.string() if text else field.type

    return pa.schema([(field.name, simple(field)) for field in schema])


def on_days(files: Iterable[DataFile], days: Iterable[Any]) -> list[DataFile]:
    """Return the files of these days."""
    dates = {day.date() for day in pd.DatetimeIndex(list(days))}
    return [file for file in files if file.day in dates]


def to_arrow(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Convert a frame to a table with that schema."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    def cells(field: pa.Field[Any]) -> Any:
        values = frame[field.name]
        if values.dtype == "category":  # as a dictionary, since pandas is slow to make texts of it
            return pa.array(values).cast(field.type)
        return pa.array(values, field.type, from_pandas=True, safe=True)

    return pa.Table.from_arrays([cells(field) for field in schema], schema=schema)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert a table to a frame: IDs as text, counts as ``Int64``, days as midnights."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    columns: dict[str, Any] = {}
    for name in table.column_names:
        cells = table.column(name)
        if pa.types.is_string(cells.type) or pa.types.is_dictionary(cells.type):
            columns[name] = _of(TEXT, cells.cast(pa.large_string()))
        elif pa.types.is_int64(cells.type):
            columns[name] = _of(pd.Int64Dtype(), cells)
        elif pa.types.is_date(cells.type):
            columns[name] = cells.cast(pa.timestamp("us")).to_pandas()
        else:
            columns[name] = cells.to_pandas()
    return pd.DataFrame(columns)


def _of(dtype: Any, cells: Any) -> Any:
    return dtype.__from_arrow__(cells)


def matching_table(
    table: Table, files: Iterable[DataFile], filters: Sequence[TextFilter] = ()
) -> pa.Table:
    """Return the stored rows that match all filters, with texts dictionary-encoded."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    return pa.concat_tables(list(table.rows(files, filters)) or [table.schema.empty_table()])


def read_rows(
    table: Table, files: Iterable[DataFile], filters: Sequence[TextFilter] = ()
) -> pd.DataFrame:
    """Return the stored rows that match all filters."""
    return to_frame(matching_table(table, files, filters))


def hours_of(rows: pa.Table) -> npt.NDArray[np.datetime64]:
    """Return the start of each row's hour, UTC."""
    starts: npt.NDArray[np.datetime64] = rows["day"].to_numpy() + rows["hour"].to_numpy().astype(
        "timedelta64[h]"
    )
    return starts


def as_contract(rows: pa.Table) -> pd.DataFrame:
    """Return stored counts in the form of the contract; texts are dictionary-encoded."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it
    import pyarrow.compute as pc  # noqa: PLC0415

    if not rows.num_rows:
        return empty_counts(KEY)
    posts, post = _codes(rows["post_id"], sorted)
    types, kind = _codes(rows["engagement_type"], in_order)
    hours = hours_of(rows).astype(np.int64)
    # One number orders the rows by the entire key. Rows of one file are in this order already.
    first = hours.min()
    key = (post.astype(np.int64) * len(types) + kind) * (hours.max() - first + 1) + hours - first
    order = slice(None) if (key[1:] >= key[:-1]).all() else np.argsort(key, kind="stable")
    ids = pa.DictionaryArray.from_arrays(post[order], pa.array(posts, pa.large_string()))
    counts = pd.DataFrame(
        {
            "post_id": _of(TEXT, ids.dictionary_decode()),
            "engagement_type": pd.Categorical.from_codes(kind[order], pd.Index(types, dtype=TEXT)),
            "day": rows["day"].to_numpy().astype("datetime64[us]")[order],
            "hour": rows["hour"].to_numpy()[order],
            "count": _of(pd.Int64Dtype(), rows["count"])[order],
        }
    )
    check_times(counts)
    earliest: datetime = pc.min(rows["retrieved_at"]).as_py()
    counts.attrs = {"retrieved_at": earliest.isoformat(), "endpoint": "historical"}
    return counts


def _codes(
    cells: pa.ChunkedArray[Any], in_order: Callable[[list[str]], list[str]]
) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Return the texts of a column, in order, and the position of each row's text in them."""
    one: Any = cells.unify_dictionaries().combine_chunks()
    names, codes = one.dictionary.to_pylist(), one.indices.to_numpy()
    present = np.bincount(codes, minlength=len(names)).nonzero()[0]
    texts = in_order([names[code] for code in present])
    places = {text: place for place, text in enumerate(texts)}
    return texts, np.array([places.get(name, -1) for name in names], np.int32)[codes]
