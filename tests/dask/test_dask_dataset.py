"""Data sets as dask DataFrames have the rows in memory, as of the call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pandas as pd
import pytest
from support.datasets.frames import changed, counts_of, some

import engagement_pandas as ep
from engagement_pandas import dask as epd
from engagement_pandas.frame.contract import check_counts, dtype_name

FIRST, SECOND = (f"2026-04-01T0{hour}:05:00Z" for hour in range(2))
KEY = ["post_id", "engagement_type", "day", "hour"]


@pytest.fixture(autouse=True)
def _here() -> Iterator[None]:
    """Compute in this thread."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(params=["folder", "address"])
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> ep.Dataset:
    """Return a data set of three days with a missing count and a negative one."""
    made = ep.Dataset(f"{'file://' * (request.param == 'address')}{tmp_path}/set")
    made.append(changed(some(FIRST), 7, None, FIRST))
    made.append(changed(some(SECOND, days=1), 3, -2, SECOND))
    return made


def in_memory(counts: Any) -> pd.DataFrame:
    """Return the computed frame as in memory: sorted, with the types that it has."""
    found = counts.compute().sort_values(KEY, ignore_index=True)
    return found.assign(engagement_type=found["engagement_type"].cat.remove_unused_categories())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("most", "partitions"),
    [
        (96, 3),
        (192, 2),
        *(
            pytest.param(*rows, marks=pytest.mark.long)
            for rows in [(1, 3), (191, 3), (287, 2), (288, 1)]
        ),
    ],
)
def test_partitions_have_the_rows_in_memory(
    dataset: ep.Dataset, most: int, partitions: int
) -> None:
    """Partitions are of complete days, with 96 counts here."""
    counts = epd.read(dataset, rows=most)
    assert counts.npartitions == partitions
    pd.testing.assert_frame_equal(in_memory(counts), dataset.read())


@pytest.mark.slow
def test_dtypes_are_known_before_reading(dataset: ep.Dataset) -> None:
    """They are the same after computing."""
    counts = epd.read(dataset)
    found = counts.compute()
    assert counts.dtypes.to_dict() == found.dtypes.to_dict()
    assert list(found["engagement_type"].cat.categories) == [
        str(engagement_type) for engagement_type in ep.SERIES_TYPES
    ]
    assert found.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "engagement_type": "category",
        "day": "datetime64[us]",
        "hour": "int8",
        "count": "Int64",
    }
    check_counts(found)


@pytest.mark.long
@pytest.mark.parametrize(
    "filters",
    [
        {"since": "2026-03-02"},
        {"until": "2026-03-02T05:00:00Z"},
        {"since": "2026-03-01T23:00:00Z", "until": "2026-03-03T01:00:00Z", "post_ids": [8]},
        {"engagement_types": ["replies"]},
        {"engagement_types": ["replies", "replies"]},
        {"since": "2026-05-01"},
        {"post_ids": ["9"]},
    ],
)
def test_read_filters_as_in_memory(dataset: ep.Dataset, filters: dict[str, Any]) -> None:
    """Hours, posts and types are those of ``Dataset.read``."""
    counts = epd.read(dataset, **filters)
    pd.testing.assert_frame_equal(in_memory(counts), dataset.read(**filters))


@pytest.mark.slow
def test_a_single_str_of_types_is_refused(dataset: ep.Dataset) -> None:
    """It is not split into letters."""
    with pytest.raises(ep.UnsupportedEngagementType, match="single str, 'replies'; pass a list"):
        epd.read(dataset, engagement_types="replies")


@pytest.mark.slow
def test_files_of_other_days_are_not_read(dataset: ep.Dataset) -> None:
    """They are in no partition."""
    (chunk,) = dataset.pieces(since="2026-03-02", until="2026-03-03T00:00:00Z")
    days = {Path(file.path).parent.name for file in chunk.files}
    assert days == {"day=2026-03-02", "day=2026-03-03"}  # the end is filtered by hour


@pytest.mark.slow
def test_metrics_equal_those_in_memory(dataset: ep.Dataset) -> None:
    """A sum and a ranking are compared."""
    counts, frame = epd.read(dataset, rows=1), dataset.read()
    for found, expected in (
        (epd.over_time(counts), ep.over_time(frame)),
        (epd.top_posts(counts, by="replies", n=1), ep.top_posts(frame, by="replies", n=1)),
    ):
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.slow
def test_later_commits_are_not_read(dataset: ep.Dataset) -> None:
    """The same holds if the files are compacted in between."""
    counts, before = epd.read(dataset), dataset.read()
    dataset.append(some("2026-04-01T02:05:00Z", count=9, posts=["6", "7", "8"]))
    dataset.compact()
    pd.testing.assert_frame_equal(in_memory(counts), before)


@pytest.mark.slow
def test_removed_files_are_an_error(dataset: ep.Dataset) -> None:
    """The frame never has fewer rows."""
    counts = epd.read(dataset)
    dataset.append(some("2026-04-01T02:05:00Z", count=9))
    dataset.compact(kept_hours=0)
    with pytest.raises(ep.DatasetError, match=r"is damaged: it is missing, or .*read again"):
        counts.compute()


def test_an_empty_data_set_gives_an_empty_frame(tmp_path: Path) -> None:
    """It has the columns and the requested category."""
    counts = epd.read(ep.Dataset(tmp_path / "set"), engagement_types=["replies"])
    found = counts.compute()
    assert found.columns.tolist() == [*KEY, "count"]
    assert found["engagement_type"].cat.categories.tolist() == ["replies"]


def test_an_unknown_type_is_an_error(tmp_path: Path) -> None:
    """Its category is not known before the rows are read."""
    dataset = ep.Dataset(tmp_path / "set")
    counts = counts_of([("7", "replies", "2026-03-01", 5, 1)], FIRST)
    named = counts["engagement_type"].cat.rename_categories({"replies": "shares"})
    dataset.append(counts.assign(engagement_type=named))
    with pytest.raises(ep.DatasetError, match=r"counts of .'shares'., which /historical"):
        epd.read(dataset).compute()


@pytest.mark.parametrize("argument", ["engagement.ds", Path("engagement.ds"), None])
def test_other_arguments_than_data_sets_are_refused(argument: Any) -> None:
    """The error is raised immediately."""
    with pytest.raises(ep.DatasetError, match=r"pass engagement_pandas.Dataset\(path\)"):
        epd.read(argument)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1.5, True])
def test_an_invalid_number_of_rows_is_refused(dataset: ep.Dataset, rows: Any) -> None:
    """The error is raised immediately."""
    with pytest.raises(ep.FrameError, match="rows"):
        epd.read(dataset, rows=rows)


@pytest.mark.long
def test_processes_read_the_files_themselves(tmp_path: Path) -> None:
    """They get the paths of the files and not their contents."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST))
    counts = epd.read(dataset, rows=1)
    with dask.config.set(scheduler="processes", num_workers=2):
        pd.testing.assert_frame_equal(in_memory(counts), some(FIRST))
