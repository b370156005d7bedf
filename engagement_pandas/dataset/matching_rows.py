"""Read the rows of Parquet files that match a filter, without the other row groups."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class TextFilter:
    """Rows whose text in a column is one of these; with ``excluded``, none of them."""

    column: str
    texts: Collection[str]
    excluded: bool = False

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(set(self.texts))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.texts)

    def candidates(self, metadata: Any, groups: list[int]) -> list[int]:
        """Return those row groups that may have a matching row, by their statistics."""
        names = metadata.schema.names
        if self.excluded or self.column not in names:
            return groups
        place = names.index(self.column)
        return [g for g in groups if self._overlaps(metadata.row_group(g).column(place).statistics)]

    def _overlaps(self, ends: Any) -> bool:
        if ends is None or not ends.has_min_max:
            return True
        place = bisect_left(self._sorted, ends.min)
        return place < len(self._sorted) and self._sorted[place] <= ends.max

    def mask(self, rows: pa.Table) -> npt.NDArray[np.bool_]:
        """Return which rows match; texts are dictionary-encoded, and none is missing."""
        found = []
        chunks: list[Any] = rows.column(self.column).chunks
        for chunk in chunks:
            names = chunk.dictionary.to_pylist()
            matches = np.fromiter(map(self._known.__contains__, names), bool, len(names))
            found.append(np.take(matches != self.excluded, chunk.indices.to_numpy()))
        return np.concatenate(found)


def matching_rows(rows: pa.Table, filters: Sequence[TextFilter]) -> pa.Table:
    """Return the rows that match all filters; texts are dictionary-encoded."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    if not filters or not rows.num_rows:
        return rows
    return rows.filter(pa.array(np.logical_and.reduce([f.mask(rows) for f in filters])))


def encoded(schema: pa.Schema) -> pa.Schema:
    """Return a schema with texts as dictionaries, which are several times faster to read."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [field.with_type(text) if pa.types.is_string(field.type) else field for field in schema]
    )


def candidate_rows(content: bytes, schema: pa.Schema, filters: Sequence[TextFilter]) -> pa.Table:
    """Return the rows of the row groups that may match all filters.

    ``content`` is that of a Parquet file. The columns are those of ``schema``, see ``encoded``.
    """
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    texts = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
    groups = list(range(file.num_row_groups))
    for wanted in filters:
        groups = wanted.candidates(file.metadata, groups)
    rows = file.read_row_groups(groups, columns=schema.names, use_threads=False)
    return rows if rows.schema.equals(schema) else _cast(rows, schema)


def _cast(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows of another writer with these columns; those that they lack are missing."""
    import pyarrow as pa  # noqa: PLC0415  slow to import, and only files need it

    def cells(field: pa.Field[Any]) -> Any:
        if field.name not in rows.column_names:
            return pa.nulls(rows.num_rows, field.type)
        found: Any = rows.column(field.name)
        if not pa.types.is_dictionary(field.type) or found.type == field.type:
            return found.cast(field.type)
        return found.cast(pa.string()).dictionary_encode()

    return pa.Table.from_arrays([cells(field) for field in schema], schema=schema)
