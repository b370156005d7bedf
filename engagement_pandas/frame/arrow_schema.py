"""pyarrow's schemas of counts and omissions, for files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engagement_pandas.frame.contract import ALWAYS, API_COLUMNS, OMISSION_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa


def counts_schema(columns: Sequence[str] = API_COLUMNS) -> pa.Schema:
    """Return the pyarrow schema of counts with these key columns."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    types: dict[str, pa.DataType] = {
        "post_id": pa.large_string(),
        "engagement_type": pa.dictionary(pa.int32(), pa.large_string()),
        "retrieved_at": pa.timestamp("us", tz="UTC"),
        "source": pa.dictionary(pa.int32(), pa.large_string()),
        "day": pa.timestamp("us"),
        "hour": pa.int8(),
        "count": pa.int64(),
    }
    wanted = {*columns, *ALWAYS}
    return pa.schema([(name, arrow_type) for name, arrow_type in types.items() if name in wanted])


def omissions_schema(columns: Sequence[str] = tuple(OMISSION_COLUMNS)) -> pa.Schema:
    """Return the pyarrow schema of omissions with these columns."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    text, moment = pa.large_string(), pa.timestamp("us", tz="UTC")
    types = [text, text, pa.dictionary(pa.int32(), text), text, moment, moment, moment]
    known = dict(zip(OMISSION_COLUMNS, types, strict=True))
    return pa.schema([(name, known[name]) for name in columns])
