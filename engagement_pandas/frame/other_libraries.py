"""Tables of other libraries as pandas frames, by way of Arrow."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import ATTRIBUTES, TEXT
from engagement_pandas.text import format_list


def to_pandas(frame: Any) -> pd.DataFrame:
    """Return a table of any library as a pandas frame, by way of Arrow.

    >>> import pyarrow as pa
    >>> to_pandas(pa.table({"count": [1, None]}))["count"].dtype
    Int64Dtype()
    """
    if isinstance(frame, pd.DataFrame):
        return frame
    if hasattr(frame, "to_native"):  # a narwhals frame
        return to_pandas(frame.to_native())
    if type(frame).__name__ == "LazyFrame":
        msg = "a LazyFrame has no rows yet; give frame.collect()"
        raise FrameError(msg)
    if not hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "name"):
        if hasattr(frame, "to_arrow_table"):  # DuckDB's relations
            frame = frame.to_arrow_table()
        else:
            msg = (
                f"counts must be a DataFrame, not a {type(frame).__name__}; see flatten(), and "
                "ep.counts_from() for tables of other libraries"
            )
            raise FrameError(msg)
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only other libraries need it

    try:
        table = pa.table(frame)
    except pa.ArrowException as error:
        msg = f"the table cannot be converted: {error}; cast that column to 64-bit integers or text"
        raise FrameError(msg) from error
    types: dict[Any, Any] = dict.fromkeys((pa.string(), pa.large_string()), TEXT)
    types |= dict.fromkeys(
        (pa.int8(), pa.int16(), pa.int32(), pa.int64()), pd.Int64Dtype()
    ) | dict.fromkeys((pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()), pd.UInt64Dtype())
    for place, field in enumerate(table.schema):
        plain = _plain(field.type)
        if plain != field.type:
            table = table.set_column(place, field.name, table.column(place).cast(plain))
    metadata = table.schema.metadata or {}
    made = table.replace_schema_metadata(None).to_pandas(types_mapper=types.get)
    made.attrs = {k: metadata[v].decode() for k, v in ATTRIBUTES.items() if v in metadata}
    if not made.attrs and b"PANDAS_ATTRS" in metadata:
        made.attrs = json.loads(metadata[b"PANDAS_ATTRS"])
    return made


def table_of(posts: Any) -> Any:
    """Return a table of another library as a pandas frame, and other values as they are.

    >>> import pyarrow as pa
    >>> table_of(pa.table({"post_id": ["7"]}))["post_id"].to_list(), table_of(["7"])
    (['7'], ['7'])
    """
    has_rows = hasattr(posts, "__arrow_c_stream__") or hasattr(posts, "to_arrow_table")
    posts = to_pandas(posts) if has_rows and hasattr(posts, "columns") else posts
    if isinstance(posts, pd.DataFrame) and not posts.columns.is_unique:
        twice = format_list(posts.columns[posts.columns.duplicated()])
        msg = f"posts have the columns {twice} twice; drop one of each"
        raise FrameError(msg)
    return posts


def _plain(arrow_type: Any) -> Any:
    """Return a type without string views and unsigned indices, which polars has.

    pandas 2.2 does not convert the former, no release in lists, and older releases of pyarrow not
    the latter.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only other libraries need it

    if pa.types.is_string_view(arrow_type):
        return pa.large_string()
    if pa.types.is_dictionary(arrow_type):
        return pa.dictionary(pa.int64(), arrow_type.value_type)
    if pa.types.is_large_list(arrow_type) or pa.types.is_list(arrow_type):
        return pa.large_list(_plain(arrow_type.value_type))
    if pa.types.is_struct(arrow_type):
        return pa.struct([field.with_type(_plain(field.type)) for field in arrow_type])
    return arrow_type
