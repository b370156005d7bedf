"""Stored counts: the same twice changes nothing, old or new and never half, and what may go in."""

from __future__ import annotations

import copy
import os
import shutil
import sys
import threading
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
from engagement_pandas.dataset import delta_errors
from engagement_pandas.dataset import delta_table as lake
from engagement_pandas.dataset.merge import as_readings, merge_readings
from engagement_pandas.frame.contract import API_COLUMNS, check_counts, check_omissions

FIRST, SECOND, THIRD = (f"2026-04-01T0{hour}:05:00Z" for hour in range(3))


@pytest.fixture(params=["folder", "address"])
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> ep.Dataset:
    """Return an empty data set: in a folder, and at an address, as in a store of objects."""
    if request.param == "address":
        return ep.Dataset(f"file://{tmp_path}/set")
    return ep.Dataset(tmp_path / "set")


def versions(dataset: ep.Dataset) -> tuple[int | None, ...]:
    """Return how often each of the three tables was committed."""
    store = dataset._store
    tables = [table.open() for table in (store.counts, store.omissions, store.revisions)]
    return tuple(table.version if table else None for table in tables)


def files_in(dataset: ep.Dataset, pattern: str = "day=*/*") -> set[str]:
    """Return the files of the table of counts, those of the past included."""
    table = dataset._store.counts
    home = Path(table.uri.removeprefix("file://"))
    return {str(path.relative_to(home)) for path in home.glob(pattern)}


def same(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Assert that two frames are the same, but for what is known about them."""
    pd.testing.assert_frame_equal(found, wanted)


# Append


@pytest.mark.slow
def test_what_goes_in_comes_out(dataset: ep.Dataset) -> None:
    """The frame that ``flatten`` made, to the dtype, in its order, with when it was read."""
    counts = some(FIRST)
    assert dataset.append(counts) == (288, 0)
    found = dataset.read()
    same(found, counts)
    check_counts(found)
    assert found.attrs == {"retrieved_at": "2026-04-01T00:05:00+00:00", "endpoint": "historical"}


@pytest.mark.slow
def test_the_same_again_changes_nothing(dataset: ep.Dataset) -> None:
    """Not a commit, not a file."""
    dataset.append(some(FIRST))
    before = versions(dataset), dataset.files()
    assert dataset.append(some(FIRST)) == (0, 0)
    assert (versions(dataset), dataset.files()) == before


@pytest.mark.slow
def test_a_second_reading_is_logged(dataset: ep.Dataset) -> None:
    """Which hour, from what to what, and when each was read."""
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
def test_readings_in_the_wrong_order(dataset: ep.Dataset) -> None:
    """The later holds, although it came first; nothing was revised."""
    counts = some(FIRST)
    dataset.append(changed(counts, 3, 9, SECOND))
    assert dataset.append(counts) == (0, 0)
    assert dataset.read()["count"][3] == 9
    assert dataset.revisions().empty


@pytest.mark.slow
def test_a_number_is_not_given_up(dataset: ep.Dataset) -> None:
    """A later answer without a count leaves the count; a count takes the place of none."""
    counts = some(FIRST)
    dataset.append(changed(counts, 4, None, FIRST))
    dataset.append(changed(changed(counts, 3, None, SECOND), 4, 7, SECOND))
    assert dataset.read()["count"][3:5].tolist() == [5, 7]
    assert dataset.revisions()["count_before"].isna().tolist() == [True]


@pytest.mark.slow
def test_other_posts_of_the_same_days_stay(dataset: ep.Dataset) -> None:
    """A day that is written anew keeps what the append says nothing of."""
    dataset.append(some(FIRST, posts=["7", "8"]))
    dataset.append(some(SECOND, posts=["8", "9"], count=6))
    assert dataset.read().groupby("post_id")["count"].sum().to_dict() == {
        "7": 720,
        "8": 864,
        "9": 864,
    }


@pytest.mark.slow
def test_several_readings_in_one_frame(dataset: ep.Dataset) -> None:
    """Each is a reading of its own, whatever their order."""
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


def test_nothing_to_append(dataset: ep.Dataset) -> None:
    """An empty frame is an answer too."""
    empty = counts_of([], FIRST).astype({"engagement_type": "category"})
    assert dataset.append(empty) == (0, 0)
    assert len(dataset.read()) == 0


KINDS = st.sampled_from(["impressions", "replies"])
READING = st.tuples(
    st.sampled_from("789"), KINDS, st.integers(0, 25), st.none() | st.integers(-3, 3)
)


@pytest.mark.slow
@settings(max_examples=10)
@given(st.lists(st.lists(READING, max_size=8), min_size=1, max_size=6), st.randoms())
def test_readings_in_any_order_give_the_same(parts: list[list[Any]], dice: Any) -> None:
    """A law: numbers before none, then the latest; held against a dictionary."""
    readings: list[pd.DataFrame] = []
    held: dict[Any, tuple[bool, int, int | None]] = {}
    for turn, part in enumerate(parts):
        once = {(post, kind, hour): count for post, kind, hour, count in part}
        rows = [
            (post, kind, f"2026-03-0{1 + hour // 24}", hour % 24, count)
            for (post, kind, hour), count in once.items()
        ]
        readings.append(as_readings(counts_of(rows, f"2026-04-01T00:0{turn}:00Z")))
        for key, count in once.items():
            held[key] = max(held.get(key, (False, -1, None)), (count is not None, turn, count))
    dice.shuffle(readings)
    stored = as_readings(counts_of([], FIRST).astype({"engagement_type": "category"}))
    for fresh in readings:
        stored = merge_readings(stored, fresh).rows
        again = merge_readings(stored, fresh)
        assert (len(again.added), len(again.revisions), len(again.renewed)) == (0, 0, 0)
    found = {
        (post, kind, day.day * 24 - 24 + hour): None if pd.isna(count) else count
        for post, kind, _, day, hour, count in stored.itertuples(index=False)
    }
    assert found == {key: count for key, (_, _, count) in held.items()}


# Omissions


@pytest.mark.slow
def test_omissions_are_kept(dataset: ep.Dataset) -> None:
    """With the counts, in one commit; neighbouring windows become one."""
    request = ep.historical(
        ["7", "8"],
        engagement_types=["replies"],
        window=ep.Window.covering("2026-03-01", "2026-03-02"),
    )
    later = request.replace(window=ep.Window.covering("2026-03-02", "2026-03-03"))
    for asked, day in ((request, "2026-03-01"), (later, "2026-03-02")):
        hours = {f"{hour:02}": "1" for hour in range(24)}
        body = {"by_hour": {"7": {"replies": {day: hours}}}, "unavailable_tweet_ids": ["8"]}
        answer = ep.EngagementResponse(asked, body)
        dataset.append(ep.flatten(answer), ep.omissions(answer))
    found = dataset.omissions()
    check_omissions(found)
    assert found[["post_id", "reason"]].to_numpy().tolist() == [["8", "unavailable"]]
    assert found[["start", "end"]].astype(str).to_numpy().tolist() == [
        ["2026-03-01 00:00:00+00:00", "2026-03-03 00:00:00+00:00"]
    ]


# Read


@pytest.mark.slow
def test_what_is_wanted(dataset: ep.Dataset) -> None:
    """Hours, posts and types: half-open, to the hour."""
    dataset.append(some(FIRST))
    found = dataset.read(
        "2026-03-01T22:00:00Z", "2026-03-02T01:00:00Z", post_ids=[8], engagement_types=["replies"]
    )
    check_counts(found)
    assert ep.timestamps(found).dt.strftime("%dT%H").tolist() == ["01T22", "01T23", "02T00"]
    assert set(found["post_id"]) == {"8"}
    assert found["engagement_type"].cat.categories.tolist() == ["replies"]


@pytest.mark.slow
def test_what_is_not_there(dataset: ep.Dataset) -> None:
    """An empty data set, and a day without counts, are empty frames with the dtypes."""
    for found in (dataset.read(), dataset.revisions(), dataset.omissions()):
        assert found.empty
    assert dataset.files() == []
    dataset.append(some(FIRST))
    found = dataset.read(since="2026-04-01")
    assert found.empty
    assert found.dtypes.astype(str).to_dict() == {
        "post_id": "str",
        "engagement_type": "category",
        "day": "datetime64[us]",
        "hour": "int8",
        "count": "Int64",
    }


def test_it_says_what_it_is(dataset: ep.Dataset) -> None:
    """Its ``repr`` says where it is, and looks at nothing."""
    assert repr(dataset) == f"Dataset({dataset.path})"
    assert repr(ep.Dataset("nowhere://bucket/set")) == "Dataset(nowhere://bucket/set)"


# What may go in


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c: c[c["hour"] == 0].drop(columns="hour"), r"the counts lack \['hour'\]"),
        (lambda c: c.drop(columns=["day", "hour"]).iloc[[0]], r"lack \['day', 'hour'\]"),
        (lambda c: c.assign(post_id=c["post_id"].astype("float64")), "'post_id' in row"),
        (lambda c: pd.concat([c, c]), "twice"),
        (lambda _: [1, 2], "counts must be a DataFrame, not a list"),
    ],
)
def test_what_is_no_hourly_counts(dataset: ep.Dataset, spoil: Any, words: str) -> None:
    """An error that says what, before anything is written."""
    with pytest.raises(ep.FrameError, match=words):
        dataset.append(spoil(some(FIRST)))
    assert versions(dataset) == (None, None, None)


@pytest.mark.parametrize(
    ("attrs", "words"),
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
def test_counts_that_must_not_freeze(
    dataset: ep.Dataset, attrs: dict[str, str], words: str
) -> None:
    """Of hours that are partial, or were not over, or the counts have no retrieval time."""
    counts = some(FIRST)
    counts.attrs |= attrs
    with pytest.raises(ep.FrameError, match=words):
        dataset.append(counts)
    assert versions(dataset) == (None, None, None)


def test_nobody_knows_when(dataset: ep.Dataset) -> None:
    """Without the moment of reading there is no telling which reading holds."""
    counts = some(FIRST)
    counts.attrs = {}
    with pytest.raises(ep.FrameError, match="the counts have no retrieval time"):
        dataset.append(counts)


@pytest.mark.slow
def test_two_counts_of_one_moment(dataset: ep.Dataset) -> None:
    """Only one can be right, and nobody knows which: what is there stays."""
    counts = some(FIRST)
    dataset.append(counts)
    with pytest.raises(ep.FrameError, match=r"was retrieved at .* as 5 and as 9"):
        dataset.append(changed(counts, 3, 9, FIRST))
    same(dataset.read(), counts)


@pytest.mark.slow
def test_a_reading_from_before_a_count_that_is_missing(dataset: ep.Dataset) -> None:
    """Its number holds, and is no revision: nothing changed after it was read."""
    counts = some(FIRST, days=1)
    dataset.append(changed(counts, 3, None, SECOND))
    assert dataset.append(counts) == (0, 0)
    assert dataset.revisions().empty
    assert dataset.read()["count"][3] == 5


@pytest.mark.slow
def test_an_hour_that_ended_just_now(dataset: ep.Dataset) -> None:
    """It is whole: the last of 3 March ends as 4 March begins."""
    assert dataset.append(some("2026-03-04T00:00:00Z")) == (288, 0)


@pytest.mark.slow
def test_all_readings_of_a_frame_or_none(dataset: ep.Dataset) -> None:
    """A second reading that cannot be keeps the first out too."""
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
def test_a_post_that_was_counted_and_then_went(dataset: ep.Dataset) -> None:
    """Appended together or one after the other, it is silent: it went after it was counted."""

    def answer(day: int, counted: list[str], gone: list[str], at: str) -> ep.EngagementResponse:
        asked = ep.historical(
            [*counted, *gone],
            engagement_types=["replies"],
            window=ep.Window(f"2026-03-{day:02}T00:00:00Z", f"2026-03-{day:02}T02:00:00Z"),
        )
        hours = {"replies": {f"2026-03-{day:02}": {"00": "3", "01": "3"}}}
        body = {"by_hour": dict.fromkeys(counted, hours), "unavailable_tweet_ids": gone}
        moment = pd.Timestamp(at).to_pydatetime()
        return ep.EngagementResponse(asked, body, retrieved_at=moment)

    answers = [
        answer(1, ["7", "8"], [], "2026-03-01T02:05:00Z"),
        answer(2, ["7"], ["8"], "2026-03-02T02:05:00Z"),
    ]
    counts = ep.flatten(answers, retrieved_at=True)
    with pytest.raises(ep.FrameError, match=r"omissions\(responses, retrieved_at=True\)"):
        dataset.append(counts, ep.omissions(answers))
    dataset.append(counts, ep.omissions(answers, retrieved_at=True))
    (silence,) = dataset.omission_spans()
    assert (silence.post_id, silence.reason) == ("8", "unavailable")
    assert silence.retrieved_at == pd.Timestamp("2026-03-02T02:05:00Z")
    same(dataset.omissions(), ep.omissions(answers))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["My Drive", "a#b?c", "ä%"])
def test_odd_folders(tmp_path: Path, name: str) -> None:
    """Its files are where it says."""
    dataset = ep.Dataset(tmp_path / name / "set")
    dataset.append(some(FIRST))
    dataset.append(some(SECOND, count=6))
    dataset.compact(kept_hours=0)
    assert all(Path(file).is_file() for file in dataset.files())
    assert dataset.read()["count"].unique().tolist() == [6]


@pytest.mark.parametrize("name", ["a[1]", "a%20b"])
def test_folders_that_deltalake_cannot_take(tmp_path: Path, name: str) -> None:
    """Refused at once, with what does it."""
    with pytest.raises(ep.DatasetError, match="does not support"):
        ep.Dataset(tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_a_file_that_is_damaged(tmp_path: Path, spoil: Any) -> None:
    """An error of ours, whatever is read."""
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


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """Named at once."""
    (tmp_path / "set").write_text("")
    with pytest.raises(ep.DatasetError, match="is a file; pass a folder"):
        ep.Dataset(tmp_path / "set")


def test_without_deltalake(dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(ep.DatasetError, match=r"pip install 'engagement_pandas\[dataset\]'"):
        dataset.read()


@pytest.mark.slow
def test_a_log_that_is_damaged(tmp_path: Path) -> None:
    """An error of ours, that says where."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST))
    for path in (tmp_path / "set").glob("counts/_delta_log/*.json"):
        path.write_text("{")
    with pytest.raises(ep.DatasetError, match=r"0{20}\.json is damaged: it is not valid JSON"):
        dataset.read()


def test_a_store_elsewhere() -> None:
    """An address goes to ``deltalake`` as it is, with the options; a wrong one is an error."""
    dataset = ep.Dataset("nowhere://bucket/set", storage_options={"key": "canary"})
    assert "canary" not in repr(dataset._store)
    words = r"nowhere://bucket/set/counts cannot be read: deltalake does not support this store"
    with pytest.raises(ep.DatasetError, match=words):
        dataset.read()


# Compaction


@pytest.mark.slow
def test_compaction_changes_no_count(dataset: ep.Dataset) -> None:
    """A file a day, and those of the past are gone; again it does nothing."""
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
def test_compaction_keeps_what_a_writer_may_be_at(
    dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever one says: files of no commit stay for an hour."""
    dataset.append(some(FIRST, posts=["7"]))
    real = lake.Table._properties

    def late(*marks: Any) -> Any:
        monkeypatch.setattr(lake.Table, "_properties", staticmethod(real))
        copy.copy(dataset).compact(kept_hours=0)
        return real(*marks)

    monkeypatch.setattr(lake.Table, "_properties", staticmethod(late))
    dataset.append(some(FIRST, posts=["8"]))
    same(dataset.read(), some(FIRST))


@pytest.mark.slow
def test_the_log_of_revisions_outlives_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that dies after the hundredth commit, and files of the log from long ago."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST, posts=["7"], days=1))
    dataset.append(some(SECOND, posts=["7"], days=1, count=6))
    log = dataset._store.revisions
    table = log.open_or_create()
    while table.version < 98:
        table = log.write(table, table.files, [])
    counts = dataset._store.counts
    present = counts.open_or_create()
    counts.write(present, present.files, [], {"revisions": 98})
    for path in (tmp_path / "set" / "revisions" / "_delta_log").iterdir():
        os.utime(path, (1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(lake.Table, "write", _dying_at_counts(lake.Table.write))
        with pytest.raises(KeyboardInterrupt):
            dataset.append(some(THIRD, posts=["7"], days=1, count=7))
    assert len(dataset.revisions()) == 48
    dataset.append(some(THIRD, posts=["7"], days=1, count=7))
    assert len(dataset.revisions()) == 96


def _dying_at_counts(real: Any) -> Any:
    def write(self: lake.Table, *rows: Any) -> Any:
        if self.uri.endswith("counts"):
            raise KeyboardInterrupt
        return real(self, *rows)

    return write


@pytest.mark.slow
def test_a_log_of_revisions_that_is_lost(tmp_path: Path) -> None:
    """An error, not an empty log."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(FIRST, days=1))
    dataset.append(some(SECOND, days=1, count=6))
    shutil.rmtree(tmp_path / "set" / "revisions")
    with pytest.raises(ep.DatasetError, match=r"version 1 of .*revisions.* is missing"):
        dataset.revisions()


@pytest.mark.slow
def test_compaction_keeps_what_a_reader_may_be_at(dataset: ep.Dataset) -> None:
    """By default nothing younger than a week goes away."""
    dataset.append(some(FIRST))
    before = files_in(dataset)
    assert len(before) == 3
    dataset.append(some(SECOND, count=6))
    dataset.compact()
    assert before <= files_in(dataset)


@pytest.mark.parametrize("hours", [-1, 1.5, True])
def test_hours_that_are_none(dataset: ep.Dataset, hours: Any) -> None:
    """Refused before anything is taken away."""
    with pytest.raises(ep.FrameError, match="kept_hours is"):
        dataset.compact(kept_hours=hours)


# Two at once


@pytest.mark.slow
def test_two_writers_at_once(dataset: ep.Dataset) -> None:
    """Each commit of one is seen by the other: no count is lost, and none is there twice."""
    other = copy.copy(dataset)
    line = threading.Barrier(2)
    failed: list[BaseException] = []

    def write(into: ep.Dataset, posts: str) -> None:
        line.wait()
        try:
            for post in posts:
                into.append(some(FIRST, posts=[post], days=1))
        except BaseException as error:  # noqa: BLE001 - told by the main thread
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


def test_a_table_that_is_created_while_it_is_opened(
    dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It did not exist when the first writer looked; that is no damage."""
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
def test_a_writer_that_was_overtaken(dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it made of the old rows is thrown away, and made anew of the new ones."""
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
    told = dataset.revisions().groupby("retrieved_at")[["count_before", "count"]].first()
    assert told.to_numpy().tolist() == [[5, 6], [6, 7]]


def test_always_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that grow to a second at most, and an end to it, that says so."""
    paused: list[float] = []
    monkeypatch.setattr(delta_errors, "time", SimpleNamespace(sleep=paused.append))
    monkeypatch.setattr(delta_errors.random, "uniform", lambda _, most: most)

    def attempt() -> None:
        raise delta_errors.CommitConflict

    with pytest.raises(ep.DatasetError, match="could not commit in 20 attempts"):
        delta_errors.retry_on_conflict(attempt)
    assert paused[:3] == [0.01, 0.02, 0.04]
    assert paused[3:] == [min(0.01 * 2**number, 1) for number in range(3, 20)]


@pytest.mark.slow
def test_a_reader_sees_old_or_new(dataset: ep.Dataset) -> None:
    """Whoever reads while another writes sees every count of one reading, and of no other."""
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
    """A commit of another writer too."""
    reader, writer = ep.Dataset(tmp_path / "set"), ep.Dataset(tmp_path / "set")
    writer.append(some("2026-03-09T10:05:00Z", days=1))
    assert len(reader.read()) == 96
    with monkeypatch.context() as patch:
        patch.setattr(lake.Table, "open", None)
        assert len(reader.read()) == 96
    monkeypatch.setattr(type(writer._store), "record_version", lambda *_: None)  # as in a crash
    writer.append(some("2026-03-09T10:05:00Z"))
    assert len(reader.read()) == 288


@pytest.mark.slow
def test_tables_that_were_replaced_are_read_again(tmp_path: Path) -> None:
    """They may have the same number of versions."""
    reader, writer = ep.Dataset(tmp_path / "set"), ep.Dataset(tmp_path / "set")
    writer.append(some("2026-03-09T10:05:00Z", days=1))
    assert len(reader.read()) == 96
    with writer.rebuilding() as rebuilt:
        rebuilt.append(some("2026-03-09T10:05:00Z"))
    assert len(reader.read()) == 288
    assert len(writer.read()) == 288
