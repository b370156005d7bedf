"""Convert frames to Arrow tables and back, without inferring types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from engagement_pandas.dataset.delta_table import Table
from engagement_pandas.dataset.merge import KEY
from engagement_pandas.dataset.snapshot import DataFile
from engagement_pandas.frame.categories import as_types
from engagement_pandas.frame.contract import API_COLUMNS, TEXT, empty_counts

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN: Final = [name for name in API_COLUMNS if name != "retrieved_at"]


def plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema with types that all engines support: strings, and days as dates."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    def simple(field: pa.Field[Any]) -> pa.DataType:
        if field.name == "day":
            return pa.date32()
        text = pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type)
        return pa.string() if text else field.type

    return pa.schema([(field.name, simple(field)) for field in schema])


def column(name: str) -> Any:
    """Return a column, for use in a filter expression."""
    import pyarrow.dataset as ds  # noqa: PLC0415  slow to import, and only files need it

    return ds.field(name)


def on_days(days: Iterable[Any]) -> Any:
    """Return a filter for rows of these days."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    dates = [day.date() for day in pd.DatetimeIndex(list(days))]
    return column("day").isin(pa.array(dates, pa.date32()))


def is_in(name: str, texts: Iterable[str]) -> Any:
    """Return a filter for rows in which a column has one of these texts."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    return column(name).isin(pa.array(list(texts), pa.string()))


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
        if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
            columns[name] = _of(TEXT, cells.cast(pa.large_string()))
        elif pa.types.is_int64(cells.type):
            columns[name] = _of(pd.Int64Dtype(), cells)
        elif pa.types.is_date(cells.type):
            columns[name] = cells.cast(pa.timestamp("us")).to_pandas()
        else:
            columns[name] = cells.to_pandas()
    return pd.DataFrame(columns)


def _of(dtype: Any, cells: pa.ChunkedArray[Any]) -> Any:
    return dtype.__from_arrow__(cells)


def read_rows(table: Table, files: Iterable[DataFile], wanted: Any = None) -> pd.DataFrame:
    """Return the stored rows that match a filter."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    found = [*table.rows(files, wanted, table.schema.names), table.schema.empty_table()]
    return to_frame(pa.concat_tables(found))


def as_contract(rows: pd.DataFrame) -> pd.DataFrame:
    """Return stored counts in the form of the contract."""
    if rows.empty:
        return empty_counts(KEY)
    earliest = rows["retrieved_at"].min()
    counts = rows[_SHOWN].assign(engagement_type=as_types(rows["engagement_type"]))
    # Sort as categories, since texts are slow to sort; categories have the same order.
    counts["post_id"] = counts["post_id"].astype("category")
    counts = counts.sort_values(list(KEY), ignore_index=True).astype({"post_id": TEXT})
    counts.attrs = {"retrieved_at": earliest.isoformat(), "endpoint": "historical"}
    return counts
