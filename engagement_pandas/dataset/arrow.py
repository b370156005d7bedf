"""Stored rows: frames as Arrow tables and back, with nothing guessed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from engagement_pandas.dataset.delta_table import Table
from engagement_pandas.dataset.merge import KEY
from engagement_pandas.dataset.snapshot import DataFile
from engagement_pandas.frame.categories import as_types
from engagement_pandas.frame.contract import COUNT_COLUMNS, TEXT, empty_counts

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN: Final = [name for name in COUNT_COLUMNS if name != "retrieved_at"]


def plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema in the types that every engine has: texts, and days as dates."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

    def simple(field: pa.Field[Any]) -> pa.DataType:
        if field.name == "day":
            return pa.date32()
        text = pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type)
        return pa.string() if text else field.type

    return pa.schema([(field.name, simple(field)) for field in schema])


def column(name: str) -> Any:
    """Return a column, to say which rows are wanted."""
    import pyarrow.dataset as ds  # noqa: PLC0415  heavy, and only files need it

    return ds.field(name)


def on_days(days: Iterable[Any]) -> Any:
    """Say that rows of these days are wanted."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

    dates = [day.date() for day in pd.DatetimeIndex(list(days))]
    return column("day").isin(pa.array(dates, pa.date32()))


def is_in(name: str, texts: Iterable[str]) -> Any:
    """Say that rows with these texts are wanted."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

    return column(name).isin(pa.array(list(texts), pa.string()))


def to_arrow(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return a frame as a table of that schema."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

    texts = {name: "str" for name in frame if frame[name].dtype == "category"}
    return pa.Table.from_pandas(
        frame.astype(texts), schema=schema, preserve_index=False, safe=True
    ).replace_schema_metadata()


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame: IDs as texts, counts as ``Int64``, days as midnights."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

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
    """Return the stored rows that are wanted."""
    import pyarrow as pa  # noqa: PLC0415  heavy, and only files need it

    found = [*table.rows(files, wanted, table.schema.names), table.schema.empty_table()]
    return to_frame(pa.concat_tables(found))


def as_contract(rows: pd.DataFrame) -> pd.DataFrame:
    """Return stored counts as the contract has them."""
    if rows.empty:
        return empty_counts(KEY)
    earliest = rows["retrieved_at"].min()
    counts = rows[_SHOWN].assign(engagement_type=as_types(rows["engagement_type"]))
    # As categories, since texts take long to sort; theirs are in the order of the texts.
    counts["post_id"] = counts["post_id"].astype("category")
    counts = counts.sort_values(list(KEY), ignore_index=True).astype({"post_id": TEXT})
    counts.attrs = {"retrieved_at": earliest.isoformat(), "endpoint": "historical"}
    return counts
