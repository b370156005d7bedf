"""Filtered rows of Parquet files: the matching ones, from the row groups that may hold them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engagement_pandas.dataset.matching_rows import (
    TextFilter,
    candidate_rows,
    encoded,
    matching_rows,
)

SCHEMA = pa.schema([("post_id", pa.string()), ("count", pa.int64())])
POSTS = ["1", "1", "3", "3", "5", "7"]  # in row groups of two: 1 and 1, 3 and 3, 5 and 7


def content(**columns: Any) -> bytes:
    """Return a Parquet file with row groups of two rows."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, row_group_size=2)
    return sink.getvalue().to_pybytes()


def read(file: bytes, *filters: TextFilter) -> list[dict[str, Any]]:
    """Return the matching rows of a file."""
    rows = candidate_rows(file, encoded(SCHEMA), filters)
    assert rows.schema == encoded(SCHEMA)
    return matching_rows(rows, filters).to_pylist()


@pytest.mark.parametrize(
    ("texts", "candidates", "counts"),
    [
        (["3"], [2, 3], [2, 3]),
        (["5"], [4, 5], [4]),
        (["7", "1"], [0, 1, 4, 5], [0, 1, 5]),
        (["6"], [4, 5], []),
        (["2", "9", "10"], [], []),
        ([], [], []),
    ],
)
def test_only_row_groups_that_may_match_are_read(
    texts: list[str], candidates: list[int], counts: list[int]
) -> None:
    """The statistics of a row group are the first and the last of its IDs, compared as texts."""
    file = content(post_id=POSTS, count=range(6))
    wanted = TextFilter("post_id", texts)
    rows = candidate_rows(file, encoded(SCHEMA), [wanted])
    assert rows["count"].to_pylist() == candidates
    assert [row["count"] for row in read(file, wanted)] == counts


def test_texts_can_be_excluded() -> None:
    """A row group of several posts keeps the others."""
    file = content(post_id=POSTS, count=range(6))
    rows = read(file, TextFilter("post_id", ["1", "5"], excluded=True))
    assert [row["count"] for row in rows] == [2, 3, 5]


def test_all_filters_must_match() -> None:
    """Rows of the right post with the wrong type are left out."""
    schema = pa.schema([("post_id", pa.string()), ("engagement_type", pa.string())])
    file = content(post_id=POSTS, engagement_type=["replies", "likes"] * 3)
    filters = [TextFilter("post_id", ["1", "7"]), TextFilter("engagement_type", ["replies"])]
    rows = matching_rows(candidate_rows(file, encoded(schema), filters), filters)
    assert rows.to_pylist() == [{"post_id": "1", "engagement_type": "replies"}]


def test_files_without_statistics_are_read_completely() -> None:
    """Their rows are filtered like those of others."""
    sink = pa.BufferOutputStream()
    table = pa.table({"post_id": POSTS, "count": range(6)})
    pq.write_table(table, sink, row_group_size=2, write_statistics=False)
    rows = read(sink.getvalue().to_pybytes(), TextFilter("post_id", ["3"]))
    assert [row["count"] for row in rows] == [2, 3]


def test_types_of_other_writers_are_cast() -> None:
    """Such as large strings and small integers; a column that a file lacks is missing."""
    other = content(post_id=pa.array(POSTS, pa.large_string()), count=pa.array(range(6), pa.int8()))
    assert read(other) == read(content(post_id=POSTS, count=range(6)))
    assert read(content(post_id=["1"])) == [{"post_id": "1", "count": None}]
