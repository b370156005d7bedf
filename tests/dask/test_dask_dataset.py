"""Data sets as dask DataFrames: the rows are those in memory, as they were when it was made."""

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
from engagement_pandas.frame.contract import check_counts

FIRST, SECOND = (f"2026-04-01T0{hour}:05:00Z" for hour in range(2))
KEY = ["post_id", "engagement_type", "day", "hour"]


@pytest.fixture(autouse=True)
def _here() -> Iterator[None]:
    """Compute in this thread."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(params=["folder", "address"])
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> ep.Dataset:
    """Return a data set of three days, of which one count is missing and one negative."""
    made = ep.Dataset(f"{'file://' * (request.param == 'address')}{tmp_path}/set")
    made.append(changed(some(FIRST), 7, None, FIRST))
    made.append(changed(some(SECOND, days=1), 3, -2, SECOND))
    return made


def in_memory(counts: Any) -> pd.DataFrame:
    """Return what is computed as it would be in memory: sorted, with the types there are."""
    found = counts.compute().sort_values(KEY, ignore_index=True)
    return found.assign(engagement_type=found["engagement_type"].cat.remove_unused_categories())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("most", "partitions"), [(1, 3), (96, 3), (191, 3), (192, 2), (287, 2), (288, 1)]
)
def test_the_rows_are_those_in_memory(dataset: ep.Dataset, most: int, partitions: int) -> None:
    """Whatever the partitions, which are of whole days of 96 counts here."""
    counts = epd.read(dataset, rows=most)
    assert counts.npartitions == partitions
    pd.testing.assert_frame_equal(in_memory(counts), dataset.read())


@pytest.mark.slow
def test_dtypes(dataset: ep.Dataset) -> None:
    """Known before anything is read, and the same afterwards."""
    counts = epd.read(dataset)
    found = counts.compute()
    assert counts.dtypes.to_dict() == found.dtypes.to_dict()
    assert list(found["engagement_type"].cat.categories) == [str(kind) for kind in ep.SERIES_TYPES]
    assert found.dtypes.astype(str).to_dict() == {
        "post_id": "str",
        "engagement_type": "category",
        "day": "datetime64[us]",
        "hour": "int8",
        "count": "Int64",
    }
    check_counts(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wanted",
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
def test_what_is_wanted(dataset: ep.Dataset, wanted: dict[str, Any]) -> None:
    """As ``Dataset.read`` has it."""
    counts = epd.read(dataset, **wanted)
    pd.testing.assert_frame_equal(in_memory(counts), dataset.read(**wanted))


@pytest.mark.slow
def test_one_type_by_its_name(dataset: ep.Dataset) -> None:
    """It is not taken apart into letters."""
    with pytest.raises(ep.UnsupportedEngagementType, match="single str, 'replies'; pass a list"):
        epd.read(dataset, engagement_types="replies")


@pytest.mark.slow
def test_days_that_are_not_wanted_are_not_opened(dataset: ep.Dataset) -> None:
    """Their files are in no partition."""
    (piece,) = dataset.pieces(since="2026-03-02", until="2026-03-03T00:00:00Z")
    days = {Path(one.path).parent.name for one in piece.files}
    assert days == {"day=2026-03-02", "day=2026-03-03"}  # the end is cut by the hour


@pytest.mark.slow
def test_metrics(dataset: ep.Dataset) -> None:
    """They are those in memory."""
    counts, here = epd.read(dataset, rows=1), dataset.read()
    for found, expected in (
        (epd.over_time(counts), ep.over_time(here)),
        (epd.top_posts(counts, by="replies", n=1), ep.top_posts(here, by="replies", n=1)),
    ):
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.slow
def test_what_comes_later_is_not_in_it(dataset: ep.Dataset) -> None:
    """Not even where the files are put together meanwhile."""
    counts, before = epd.read(dataset), dataset.read()
    dataset.append(some("2026-04-01T02:05:00Z", count=9, posts=["6", "7", "8"]))
    dataset.compact()
    pd.testing.assert_frame_equal(in_memory(counts), before)


@pytest.mark.slow
def test_files_that_are_gone(dataset: ep.Dataset) -> None:
    """An error, not fewer rows."""
    counts = epd.read(dataset)
    dataset.append(some("2026-04-01T02:05:00Z", count=9))
    dataset.compact(kept_hours=0)
    with pytest.raises(ep.DatasetError, match=r"is damaged: it is missing, or .*read again"):
        counts.compute()


def test_an_empty_data_set(tmp_path: Path) -> None:
    """No rows, and the columns."""
    counts = epd.read(ep.Dataset(tmp_path / "set"), engagement_types=["replies"])
    found = counts.compute()
    assert found.columns.tolist() == [*KEY, "count"]
    assert found["engagement_type"].cat.categories.tolist() == ["replies"]


def test_a_type_that_historical_does_not_count(tmp_path: Path) -> None:
    """Its name is not known before the rows are read."""
    dataset = ep.Dataset(tmp_path / "set")
    counts = counts_of([("7", "replies", "2026-03-01", 5, 1)], FIRST)
    named = counts["engagement_type"].cat.rename_categories({"replies": "shares"})
    dataset.append(counts.assign(engagement_type=named))
    with pytest.raises(ep.DatasetError, match=r"counts of .'shares'., which /historical"):
        epd.read(dataset).compute()


@pytest.mark.parametrize("given", ["engagement.ds", Path("engagement.ds"), None])
def test_what_is_no_data_set(given: Any) -> None:
    """Refused at once."""
    with pytest.raises(ep.DatasetError, match=r"pass engagement_pandas.Dataset\(path\)"):
        epd.read(given)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1.5, True])
def test_rows_that_are_none(dataset: ep.Dataset, rows: Any) -> None:
    """Refused at once."""
    with pytest.raises(ep.FrameError, match="rows"):
        epd.read(dataset, rows=rows)


@pytest.mark.slow
def test_other_processes(tmp_path: Path) -> None:
    """They are sent where the files are, not what is in them."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST))
    counts = epd.read(dataset, rows=1)
    with dask.config.set(scheduler="processes", num_workers=2):
        pd.testing.assert_frame_equal(in_memory(counts), some(FIRST))
