"""Appending to a data set and reading it: upserts, revisions, atomic commits, valid input."""

from __future__ import annotations

import copy
import os
import shutil
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import deltalake
import deltalake.exceptions
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.datasets.frames import changed, counts_of, some

import engagement_pandas as ep
from engagement_pandas.dataset import commit_conflicts
from engagement_pandas.dataset import delta_table as lake
from engagement_pandas.dataset.merge import as_readings, merge_readings
from engagement_pandas.dataset.runs import Appended, note_of
from engagement_pandas.frame.contract import API_COLUMNS, check_counts, check_omissions, dtype_name

FIRST, SECOND, THIRD = (f"2026-04-01T0{hour}:05:00Z" for hour in range(3))


@pytest.fixture(params=["folder", "address"])
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> ep.Dataset:
    """Return an empty data set: in a folder, and at an address like that of an object store."""
    if request.param == "address":
        return ep.Dataset(f"file://{tmp_path}/set")
    return ep.Dataset(tmp_path / "set")


def versions(dataset: ep.Dataset) -> tuple[int | None, ...]:
    """Return the version of each of the three tables."""
    tables = dataset._tables
    opened = [table.open() for table in (tables.counts, tables.omissions, tables.revisions)]
    return tuple(table.version if table else None for table in opened)


def files_in(dataset: ep.Dataset, pattern: str = "day=*/*") -> set[str]:
    """Return the files of the table of counts, including those of earlier versions."""
    table = dataset._tables.counts
    home = Path(table.uri.removeprefix("file://"))
    return {str(path.relative_to(home)) for path in home.glob(pattern)}


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Assert that two frames are equal, apart from their attributes."""
    pd.testing.assert_frame_equal(found, expected)


# Append


@pytest.mark.slow
def test_read_returns_what_was_appended(dataset: ep.Dataset) -> None:
    """The dtypes, the order and the retrieval time are those of ``flatten``."""
    counts = some(FIRST)
    assert dataset.append(counts) == (288, 0)
    found = dataset.read()
    same(found, counts)
    check_counts(found)
    assert found.attrs == {"retrieved_at": "2026-04-01T00:05:00+00:00", "endpoint": "historical"}


@pytest.mark.slow
def test_appending_the_same_again_changes_nothing(dataset: ep.Dataset) -> None:
    """There is no new commit and no new file."""
    dataset.append(some(FIRST))
    before = versions(dataset), dataset.files()
    assert dataset.append(some(FIRST)) == (0, 0)
    assert (versions(dataset), dataset.files()) == before


@pytest.mark.slow
def test_a_changed_count_is_in_the_revisions(dataset: ep.Dataset) -> None:
    """The row has the hour, both counts and both retrieval times."""
    counts = some(FIRST)
    dataset.append(counts)
    assert dataset.append(changed(counts, 3, 9, SECOND)) == (0, 1)
    log = dataset.revisions()
    assert log.iloc[0].astype(str).to_dict() == {
        "post_id": "7",
        "engagement_type": "impressions",
        "day": "2026-03-01 00:00:00",
        "hour": "3",
        "count_before": "5",
        "count": "9",
        "retrieved_before": "2026-04-01 00:05:00+00:00",
        "retrieved_at": "2026-04-01 01:05:00+00:00",
    }
    assert len(log) == 1
    assert dataset.read()["count"].tolist() == [5] * 3 + [9] + [5] * 284


@pytest.mark.slow
def test_the_latest_reading_holds_in_any_order(dataset: ep.Dataset) -> None:
    """The later reading was appended first, and there is no revision."""
    counts = some(FIRST)
    dataset.append(changed(counts, 3, 9, SECOND))
    assert dataset.append(counts) == (0, 0)
    assert dataset.read()["count"][3] == 9
    assert dataset.revisions().empty


@pytest.mark.slow
def test_a_count_is_never_replaced_by_a_missing_one(dataset: ep.Dataset) -> None:
    """A missing count is replaced by a count."""
    counts = some(FIRST)
    dataset.append(changed(counts, 4, None, FIRST))
    dataset.append(changed(changed(counts, 3, None, SECOND), 4, 7, SECOND))
    assert dataset.read()["count"][3:5].tolist() == [5, 7]
    assert dataset.revisions()["count_before"].isna().tolist() == [True]


@pytest.mark.slow
def test_other_posts_of_a_rewritten_day_stay(dataset: ep.Dataset) -> None:
    """A day that is written again keeps the posts that the append does not have."""
    dataset.append(some(FIRST, posts=["7", "8"]))
    dataset.append(some(SECOND, posts=["8", "9"], count=6))
    assert dataset.read().groupby("post_id")["count"].sum().to_dict() == {
        "7": 720,
        "8": 864,
        "9": 864,
    }


@pytest.mark.slow
def test_a_frame_may_have_several_readings(dataset: ep.Dataset) -> None:
    """Each counts as its own reading, in any order."""
    frames = [changed(some(FIRST), 3, 9, SECOND), some(FIRST)]
    several = pd.concat(
        [
            frame.assign(retrieved_at=pd.Timestamp(frame.attrs["retrieved_at"]).as_unit("us"))[
                ["post_id", "engagement_type", "retrieved_at", "day", "hour", "count"]
            ]
            for frame in frames
        ],
        ignore_index=True,
    )
    assert dataset.append(several) == (288, 1)
    assert dataset.read()["count"][3] == 9


def test_an_empty_frame_can_be_appended(dataset: ep.Dataset) -> None:
    """An empty response is valid too."""
    empty = counts_of([], FIRST).astype({"engagement_type": "category"})
    assert dataset.append(empty) == (0, 0)
    assert len(dataset.read()) == 0


ENGAGEMENT_TYPES = st.sampled_from(["impressions", "replies"])
READING = st.tuples(
    st.sampled_from("789"), ENGAGEMENT_TYPES, st.integers(0, 25), st.none() | st.integers(-3, 3)
)


@pytest.mark.long
@settings(max_examples=10)
@given(st.lists(st.lists(READING, max_size=8), min_size=1, max_size=6), st.randoms())
def test_readings_merge_to_the_same_in_any_order(parts: list[list[Any]], rng: Any) -> None:
    """Compared with a dictionary: counts beat missing counts, then the latest holds."""
    readings: list[pd.DataFrame] = []
    expected: dict[Any, tuple[bool, int, int | None]] = {}
    for turn, part in enumerate(parts):
        unique = {
            (post, engagement_type, hour): count for post, engagement_type, hour, count in part
        }
        rows = [
            (post, engagement_type, f"2026-03-0{1 + hour // 24}", hour % 24, count)
            for (post, engagement_type, hour), count in unique.items()
        ]
        readings.append(as_readings(counts_of(rows, f"2026-04-01T00:0{turn}:00Z")))
        for key, count in unique.items():
            expected[key] = max(
                expected.get(key, (False, -1, None)), (count is not None, turn, count)
            )
    rng.shuffle(readings)
    stored = as_readings(counts_of([], FIRST).astype({"engagement_type": "category"}))
    for fresh in readings:
        stored = merge_readings(stored, fresh).rows
        again = merge_readings(stored, fresh)
        assert (len(again.added), len(again.revisions), len(again.renewed)) == (0, 0, 0)
    found = {
        (post, engagement_type, day.day * 24 - 24 + hour): None if pd.isna(count) else count
        for post, engagement_type, _, day, hour, count in stored.itertuples(index=False)
    }
    assert found == {key: count for key, (_, _, count) in expected.items()}


# Omissions


@pytest.mark.slow
def test_omissions_are_stored_with_the_counts(dataset: ep.Dataset) -> None:
    """Both are in one commit; adjacent windows are merged."""
    request = ep.historical(
        ["7", "8"],
        engagement_types=["replies"],
        window=ep.Window.covering("2026-03-01", "2026-03-02"),
    )
    later = request.replace(window=ep.Window.covering("2026-03-02", "2026-03-03"))
    for part, day in ((request, "2026-03-01"), (later, "2026-03-02")):
        hours = {f"{hour:02}": "1" for hour in range(24)}
        body = {"by_hour": {"7": {"replies": {day: hours}}}, "unavailable_tweet_ids": ["8"]}
        response = ep.EngagementResponse(part, body)
        dataset.append(ep.flatten(response), ep.omissions(response))
    found = dataset.omissions()
    check_omissions(found)
    assert found[["post_id", "reason"]].to_numpy().tolist() == [["8", "unavailable"]]
    assert found[["start", "end"]].astype(str).to_numpy().tolist() == [
        ["2026-03-01 00:00:00+00:00", "2026-03-03 00:00:00+00:00"]
    ]


# Read


@pytest.mark.slow
def test_read_filters_hours_posts_and_types(dataset: ep.Dataset) -> None:
    """Windows are half-open, to the hour."""
    dataset.append(some(FIRST))
    found = dataset.read(
        "2026-03-01T22:00:00Z", "2026-03-02T01:00:00Z", post_ids=[8], engagement_types=["replies"]
    )
    check_counts(found)
    assert ep.timestamps(found).dt.strftime("%dT%H").tolist() == ["01T22", "01T23", "02T00"]
    assert set(found["post_id"]) == {"8"}
    assert found["engagement_type"].cat.categories.tolist() == ["replies"]


@pytest.mark.slow
def test_reading_nothing_returns_empty_frames(dataset: ep.Dataset) -> None:
    """An empty data set and a day without counts keep the dtypes."""
    for found in (dataset.read(), dataset.revisions(), dataset.omissions()):
        assert found.empty
    assert dataset.files() == []
    dataset.append(some(FIRST))
    found = dataset.read(since="2026-04-01")
    assert found.empty
    assert found.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "engagement_type": "category",
        "day": "datetime64[us]",
        "hour": "int8",
        "count": "Int64",
    }


def test_the_repr_has_the_path(dataset: ep.Dataset) -> None:
    """It reads nothing."""
    assert repr(dataset) == f"Dataset({dataset.path})"
    assert repr(ep.Dataset("nowhere://bucket/set")) == "Dataset(nowhere://bucket/set)"


# Valid and invalid frames


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c[c["hour"] == 0].drop(columns="hour"), r"the counts lack \['hour'\]"),
        (lambda c: c.drop(columns=["day", "hour"]).iloc[[0]], r"lack \['day', 'hour'\]"),
        (lambda c: c.assign(post_id=c["post_id"].astype("float64")), "'post_id' in row"),
        (lambda c: pd.concat([c, c]), "twice"),
        (lambda _: [1, 2], "counts must be a DataFrame, not a list"),
    ],
)
def test_a_frame_without_hourly_counts_is_refused(
    dataset: ep.Dataset, spoil: Any, message: str
) -> None:
    """The error names the problem before anything is written."""
    with pytest.raises(ep.FrameError, match=message):
        dataset.append(spoil(some(FIRST)))
    assert versions(dataset) == (None, None, None)


@pytest.mark.parametrize(
    ("attrs", "message"),
    [
        ({"endpoint": "28hr"}, "the counts are from /28hr, not from whole hours"),
        ({"endpoint": "totals"}, "the counts are from /totals"),
        (
            {"retrieved_at": "2026-03-03T23:30:00Z"},
            "hour 23 of 2026-03-03 was retrieved at .* before it",
        ),
        ({"retrieved_at": "2026-04-01"}, "has no time zone"),
    ],
)
def test_counts_that_are_not_final_are_refused(
    dataset: ep.Dataset, attrs: dict[str, str], message: str
) -> None:
    """The hours are partial or not over, or there is no retrieval time."""
    counts = some(FIRST)
    counts.attrs |= attrs
    with pytest.raises(ep.FrameError, match=message):
        dataset.append(counts)
    assert versions(dataset) == (None, None, None)


def test_counts_without_retrieval_time_are_refused(dataset: ep.Dataset) -> None:
    """Without it, the latest reading is unknown."""
    counts = some(FIRST)
    counts.attrs = {}
    with pytest.raises(ep.FrameError, match="the counts have no retrieval time"):
        dataset.append(counts)


@pytest.mark.slow
def test_two_counts_with_one_retrieval_time_are_refused(dataset: ep.Dataset) -> None:
    """Only one can be right; the stored count stays."""
    counts = some(FIRST)
    dataset.append(counts)
    with pytest.raises(ep.FrameError, match=r"was retrieved at .* as 5 and as 9"):
        dataset.append(changed(counts, 3, 9, FIRST))
    same(dataset.read(), counts)


@pytest.mark.slow
def test_an_earlier_count_replaces_a_missing_one(dataset: ep.Dataset) -> None:
    """It is not a revision, since nothing changed after it was read."""
    counts = some(FIRST, days=1)
    dataset.append(changed(counts, 3, None, SECOND))
    assert dataset.append(counts) == (0, 0)
    assert dataset.revisions().empty
    assert dataset.read()["count"][3] == 5


@pytest.mark.slow
def test_an_hour_that_just_ended_is_accepted(dataset: ep.Dataset) -> None:
    """It is complete: the last hour of 3 March ends as 4 March begins."""
    assert dataset.append(some("2026-03-04T00:00:00Z")) == (288, 0)


@pytest.mark.slow
def test_all_readings_of_a_frame_are_stored_or_none(dataset: ep.Dataset) -> None:
    """An invalid second reading keeps the first out too."""
    dataset.append(some(SECOND, posts=["7"], days=1))
    early = some(FIRST, posts=["8"], days=1)
    late = some(SECOND, posts=["7"], days=1, count=6)
    frames = [
        part.assign(retrieved_at=pd.Timestamp(part.attrs["retrieved_at"]).as_unit("us"))
        for part in (early, late, some(THIRD, posts=["8"], days=1))
    ]
    both = pd.concat(frames, ignore_index=True)[list(API_COLUMNS)]
    with pytest.raises(ep.FrameError, match="keep the right one"):
        dataset.append(both)
    assert dataset.read()["post_id"].unique().tolist() == ["7"]


@pytest.mark.slow
def test_a_post_that_became_unavailable_is_omitted(dataset: ep.Dataset) -> None:
    """Appended together or one after the other, its omission is later than its counts."""

    def answer(
        day: int, counted: list[str], unavailable: list[str], time: str
    ) -> ep.EngagementResponse:
        request = ep.historical(
            [*counted, *unavailable],
            engagement_types=["replies"],
            window=ep.Window(f"2026-03-{day:02}T00:00:00Z", f"2026-03-{day:02}T02:00:00Z"),
        )
        hours = {"replies": {f"2026-03-{day:02}": {"00": "3", "01": "3"}}}
        body = {"by_hour": dict.fromkeys(counted, hours), "unavailable_tweet_ids": unavailable}
        retrieved_at = pd.Timestamp(time).to_pydatetime()
        return ep.EngagementResponse(request, body, retrieved_at=retrieved_at)

    responses = [
        answer(1, ["7", "8"], [], "2026-03-01T02:05:00Z"),
        answer(2, ["7"], ["8"], "2026-03-02T02:05:00Z"),
    ]
    counts = ep.flatten(responses, retrieved_at=True)
    with pytest.raises(ep.FrameError, match=r"omissions\(responses, retrieved_at=True\)"):
        dataset.append(counts, ep.omissions(responses))
    dataset.append(counts, ep.omissions(responses, retrieved_at=True))
    (span,) = dataset.omission_spans()
    assert (span.post_id, span.reason) == ("8", "unavailable")
    assert span.retrieved_at == pd.Timestamp("2026-03-02T02:05:00Z")
    same(dataset.omissions(), ep.omissions(responses))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["My Drive", "a#b?c", "ä%"])
def test_folder_names_may_have_special_characters(tmp_path: Path, name: str) -> None:
    """The listed files exist."""
    dataset = ep.Dataset(tmp_path / name / "set")
    dataset.append(some(FIRST))
    dataset.append(some(SECOND, count=6))
    dataset.compact(kept_hours=0)
    assert all(Path(file).is_file() for file in dataset.files())
    assert dataset.read()["count"].unique().tolist() == [6]


@pytest.mark.parametrize("name", ["a[1]", "a%20b", "a\\b", "a\nb"])
def test_folder_names_that_deltalake_cannot_use_are_refused(tmp_path: Path, name: str) -> None:
    """The error names the characters."""
    with pytest.raises(ep.DatasetError, match="does not support"):
        ep.Dataset(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_a_damaged_file_is_reported(tmp_path: Path, spoil: Any) -> None:
    """Each way to read raises an error of ours."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST, days=1))
    dataset.append(some(SECOND, days=1, count=6))
    for table in ("counts", "revisions"):
        for path in (tmp_path / "set" / table).glob("**/*.parquet"):
            spoil(path)
    for read in (
        dataset.read,
        dataset.revisions,
        lambda: dataset.append(some(THIRD, days=1, count=7)),
        lambda: list(dataset.readings(pd.Timestamp("2026-03-01", tz="UTC"), ["7"])),
        dataset.pieces()[0].read,
    ):
        with pytest.raises(ep.DamagedDataset, match=r"part-.*parquet is damaged: .*; sync"):
            read()


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path) -> None:
    """The error is raised immediately."""
    (tmp_path / "set").write_text("")
    with pytest.raises(ep.DatasetError, match="is a file; pass a folder"):
        ep.Dataset(tmp_path / "set")


def test_a_missing_deltalake_is_reported(
    dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the extra to install."""
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(ep.DatasetError, match=r"pip install 'engagement_pandas\[dataset\]'"):
        dataset.read()


@pytest.mark.slow
def test_a_damaged_log_is_reported(tmp_path: Path) -> None:
    """The error of ours names the file."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST))
    for path in (tmp_path / "set").glob("counts/_delta_log/*.json"):
        path.write_text("{")
    with pytest.raises(ep.DatasetError, match=r"0{20}\.json is damaged: it is not valid JSON"):
        dataset.read()


def test_an_unsupported_store_is_reported() -> None:
    """Address and options go to ``deltalake`` unchanged; options are in no repr."""
    dataset = ep.Dataset("nowhere://bucket/set", storage_options={"key": "canary"})
    assert "canary" not in repr(dataset._tables)
    message = r"nowhere://bucket/set/counts cannot be read: deltalake does not support this store"
    with pytest.raises(ep.DatasetError, match=message):
        dataset.read()


# Compaction


@pytest.mark.slow
def test_compact_changes_no_count(dataset: ep.Dataset) -> None:
    """One file for each day is left, and a second call does nothing."""
    for post in "1234":
        dataset.append(some(FIRST, posts=[post]))
    dataset.append(some(SECOND, posts=["1"], count=6, days=1))
    before = dataset.read()
    assert len(dataset.files()) == 1 + 4 + 4
    dataset.compact(kept_hours=0)
    same(dataset.read(), before)
    assert len(files_in(dataset)) == len(dataset.files()) == 3
    again = versions(dataset)
    dataset.compact(kept_hours=0)
    assert versions(dataset) == again


@pytest.mark.slow
def test_compact_trims_a_long_log(dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 12 of 25 commits kept, the log begins at the last checkpoint up to version 13."""
    monkeypatch.setattr(lake, "_KEPT_COMMITS", 12)
    dataset.append(some(FIRST), run=datetime(2026, 4, 1, tzinfo=UTC))
    tables = dataset._tables
    snapshot = tables.current()
    while snapshot is not None and snapshot.version < 25:
        note = note_of(datetime(2026, 4, 1 + snapshot.version, tzinfo=UTC), Appended(1, 0))
        snapshot = tables._commit(snapshot, list(snapshot.files), [], {}, note)
    log = Path(dataset.path.removeprefix("file://"), "counts", "_delta_log")
    before = dataset.read(), dataset.runs(12), versions(dataset)
    dataset.compact()
    entries = sorted(path.name for path in log.glob("[0-9]*.json"))
    assert entries == [f"{version:020}.json" for version in range(9, 26)]
    checkpoints = sorted(path.name for path in log.glob("[0-9]*.parquet"))
    assert checkpoints == [f"{version:020}.checkpoint.parquet" for version in (9, 19)]
    reopened = ep.Dataset(dataset.path)
    same(reopened.read(), before[0])
    assert reopened.runs(12).equals(before[1])
    assert len(reopened.runs(100)) == 17  # as many as the log has
    assert versions(reopened) == before[2]


@pytest.mark.slow
def test_compact_keeps_files_of_running_writers(
    dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that no commit has stay for an hour, for any argument."""
    dataset.append(some(FIRST, posts=["7"]))
    real = lake.Table._properties

    def late(*marks: Any) -> Any:
        monkeypatch.setattr(lake.Table, "_properties", staticmethod(real))
        copy.copy(dataset).compact(kept_hours=0)
        return real(*marks)

    monkeypatch.setattr(lake.Table, "_properties", staticmethod(late))
    dataset.append(some(FIRST, posts=["8"]))
    same(dataset.read(), some(FIRST))


@pytest.mark.long
def test_revisions_survive_the_cleanup_of_their_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer dies after the hundredth commit, and the files of the log are old."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST, posts=["7"], days=1))
    dataset.append(some(SECOND, posts=["7"], days=1, count=6))
    log = dataset._tables.revisions
    table = log.open_or_create()
    while table.version < 98:
        table = log.write(table, table.files, [])
    counts = dataset._tables.counts
    present = counts.open_or_create()
    counts.write(present, present.files, [], {"revisions": 98})
    for path in (tmp_path / "set" / "revisions" / "_delta_log").iterdir():
        os.utime(path, (1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(lake.Table, "write", _die_at_counts(lake.Table.write))
        with pytest.raises(KeyboardInterrupt):
            dataset.append(some(THIRD, posts=["7"], days=1, count=7))
    assert len(dataset.revisions()) == 48
    dataset.append(some(THIRD, posts=["7"], days=1, count=7))
    assert len(dataset.revisions()) == 96


def _die_at_counts(real: Any) -> Any:
    def write(self: lake.Table, *rows: Any) -> Any:
        if self.uri.endswith("counts"):
            raise KeyboardInterrupt
        return real(self, *rows)

    return write


@pytest.mark.slow
def test_lost_revisions_are_reported(tmp_path: Path) -> None:
    """An error is raised, not an empty frame returned."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST, days=1))
    dataset.append(some(SECOND, days=1, count=6))
    shutil.rmtree(tmp_path / "set" / "revisions")
    with pytest.raises(ep.DatasetError, match=r"version 1 of .*revisions.* is missing"):
        dataset.revisions()


@pytest.mark.slow
def test_compact_keeps_files_of_readers(dataset: ep.Dataset) -> None:
    """By default, files younger than a week are kept."""
    dataset.append(some(FIRST))
    before = files_in(dataset)
    assert len(before) == 3
    dataset.append(some(SECOND, count=6))
    dataset.compact()
    assert before <= files_in(dataset)


@pytest.mark.parametrize("hours", [-1, 1.5, True])
def test_invalid_hours_to_keep_are_refused(dataset: ep.Dataset, hours: Any) -> None:
    """The error is raised before any file is removed."""
    with pytest.raises(ep.FrameError, match="kept_hours is"):
        dataset.compact(kept_hours=hours)


# Concurrent writers


@pytest.mark.slow
def test_concurrent_writers_lose_no_count(dataset: ep.Dataset) -> None:
    """Each sees the commits of the other, and no count is stored twice."""
    other = copy.copy(dataset)
    line = threading.Barrier(2)
    failed: list[BaseException] = []

    def write(into: ep.Dataset, posts: str) -> None:
        line.wait()
        try:
            for post in posts:
                into.append(some(FIRST, posts=[post], days=1))
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failed.append(error)

    writers = [
        threading.Thread(target=write, args=(dataset, "12345")),
        threading.Thread(target=write, args=(other, "43216")),
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    same(dataset.read(), some(FIRST, posts="123456", days=1))


@pytest.mark.slow
def test_a_table_created_while_it_is_opened_is_not_damaged(
    dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It did not exist when the first writer looked."""
    real = deltalake.DeltaTable

    class Late(real):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            try:
                super().__init__(*arguments, **options)
            except deltalake.exceptions.TableNotFoundError:
                monkeypatch.setattr(deltalake, "DeltaTable", real)
                copy.copy(dataset).append(some(FIRST, posts=["1"], days=1))
                raise

    monkeypatch.setattr(deltalake, "DeltaTable", Late)
    dataset.append(some(FIRST, posts=["2"], days=1))
    same(dataset.read(), some(FIRST, posts="12", days=1))


@pytest.mark.slow
def test_a_writer_repeats_its_append_after_a_conflict(
    dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows that it merged with the old ones are discarded, and merged with the new ones."""
    dataset.append(some(FIRST, days=1))
    real = lake.Table.write

    def late(self: lake.Table, *rows: Any) -> Any:
        if self.uri.endswith("counts"):
            monkeypatch.setattr(lake.Table, "write", real)
            copy.copy(dataset).append(some(SECOND, posts=["7"], count=6, days=1))
        return real(self, *rows)

    monkeypatch.setattr(lake.Table, "write", late)
    assert dataset.append(some(THIRD, posts=["7"], count=7, days=1)) == (0, 48)
    assert dataset.read(post_ids=["7"])["count"].unique().tolist() == [7]
    revised = dataset.revisions().groupby("retrieved_at")[["count_before", "count"]].first()
    assert revised.to_numpy().tolist() == [[5, 6], [6, 7]]


def test_a_writer_stops_after_20_conflicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses grow to a second at most; then an error is raised."""
    paused: list[float] = []
    monkeypatch.setattr(commit_conflicts, "time", SimpleNamespace(sleep=paused.append))
    monkeypatch.setattr(commit_conflicts.random, "uniform", lambda _, most: most)

    def attempt() -> None:
        raise commit_conflicts.CommitConflict

    with pytest.raises(ep.DatasetError, match="could not commit in 20 attempts"):
        commit_conflicts.retry_on_conflict(attempt)
    assert paused[:3] == [0.01, 0.02, 0.04]
    assert paused[3:] == [min(0.01 * 2**number, 1) for number in range(3, 20)]


@pytest.mark.long
def test_a_reader_sees_one_commit_only(dataset: ep.Dataset) -> None:
    """While another writes, all counts that a reader sees are of one reading."""
    readings = [some(f"2026-04-01T00:{minute:02}:00Z", count=minute) for minute in range(8)]
    dataset.append(readings[0])
    seen: list[list[int]] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(copy.copy(dataset).read()["count"].unique().tolist())

    reader = threading.Thread(target=watch)
    reader.start()
    for counts in readings[1:]:
        dataset.append(counts)
    done.set()
    reader.join()
    assert seen
    assert all(len(counts) == 1 for counts in seen)


@pytest.mark.slow
def test_the_log_is_read_again_only_after_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same holds for commits of another writer."""
    reader, writer = ep.Dataset(tmp_path / "set"), ep.Dataset(tmp_path / "set")
    writer.append(some("2026-03-09T10:05:00Z", days=1))
    assert len(reader.read()) == 96
    with monkeypatch.context() as patch:
        patch.setattr(lake.Table, "open", None)
        assert len(reader.read()) == 96
    monkeypatch.setattr(type(writer._tables), "record_version", lambda *_: None)  # as in a crash
    writer.append(some("2026-03-09T10:05:00Z"))
    assert len(reader.read()) == 288


@pytest.mark.slow
def test_rebuilt_tables_are_read_again(tmp_path: Path) -> None:
    """They may have the same number of versions."""
    reader, writer = ep.Dataset(tmp_path / "set"), ep.Dataset(tmp_path / "set")
    writer.append(some("2026-03-09T10:05:00Z", days=1))
    assert len(reader.read()) == 96
    with writer.rebuilding() as rebuilt:
        rebuilt.append(some("2026-03-09T10:05:00Z"))
    assert len(reader.read()) == 288
    assert len(writer.read()) == 288


def test_a_relative_path_is_that_of_the_folder_at_creation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another working folder, or a copy in another process, reads the same counts."""
    monkeypatch.chdir(tmp_path)
    dataset = ep.Dataset("set")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    dataset.append(some(FIRST, days=1))
    assert (tmp_path / "set" / "counts").is_dir()
    assert len(copy.copy(dataset).read()) == len(dataset.read()) > 0


def test_an_empty_path_is_refused() -> None:
    """An unset variable must not fill the working folder."""
    with pytest.raises(ep.DatasetError, match="the path of a data set is empty"):
        ep.Dataset("")
