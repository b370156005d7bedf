"""Data sets in file systems that ``deltalake`` does not know: nothing lost, nothing by half."""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from datasets.frames import changed, some
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow.fs import FSSpecHandler, LocalFileSystem, PyFileSystem, SubTreeFileSystem

import engagement_pandas as ep
from engagement_pandas.lake import attempts, mirror
from engagement_pandas.sync import sync

FIRST, SECOND = (f"2026-04-01T0{hour}:05:00Z" for hour in range(2))


class Died(BaseException):
    """The process is no more: nobody handles this."""


class Watched(MemoryFileSystem):
    """A file system in memory that tells before it changes anything."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.store, self.pseudo_dirs = {}, [""]
        self.before: Callable[[str, str], None] = lambda *_: None

    def put_file(self, lpath: str, rpath: str, *args: Any, **kwargs: Any) -> None:
        try:
            self.before("put", rpath)
        except BaseException:
            content = Path(lpath).read_bytes()
            super().pipe_file(rpath, content[: len(content) // 2])  # seen by half
            raise
        super().put_file(lpath, rpath, *args, **kwargs)

    def pipe_file(self, path: str, value: bytes, *args: Any, **kwargs: Any) -> None:
        self.before("pipe", path)
        super().pipe_file(path, value, *args, **kwargs)

    def mv(self, path1: str, path2: str, **_: Any) -> None:
        self.before("mv", path2)
        self.store[self._strip_protocol(path2)] = self.store.pop(self._strip_protocol(path1))

    def rm_file(self, path: str) -> None:
        self.before("rm", path)
        super().rm_file(path)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is overtaken tries again at once."""
    monkeypatch.setattr(attempts, "time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def there() -> Watched:
    """Return an empty file system."""
    return Watched()


@pytest.fixture
def dataset(there: Watched) -> ep.Dataset:
    """Return an empty data set in it."""
    return ep.Dataset("bucket/set", filesystem=there)


@pytest.fixture(autouse=True)
def _no_copy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is left on this machine, whatever happens."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.glob("engagement_pandas-*")) == []


def same(found: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Assert that two frames are the same, but for what is known about them."""
    pd.testing.assert_frame_equal(found, wanted)


def gone(*posts: str) -> pd.DataFrame:
    """Tell that posts are unavailable, by an answer of the first of March."""
    asked = ep.historical(
        posts,
        engagement_types=["replies"],
        window=ep.Window.covering("2026-03-01", "2026-03-02"),
    )
    return ep.omissions(ep.EngagementResponse(asked, {"unavailable_tweet_ids": list(posts)}))


# What there is


def test_an_arrow_file_system_around_one_of_fsspec(there: Watched) -> None:
    """It is the one inside."""
    there.mkdirs("set")
    wrapped = ep.Dataset("set", filesystem=PyFileSystem(FSSpecHandler(there)))
    wrapped.append(some(FIRST))
    same(ep.Dataset("/set/", filesystem=there).read(), some(FIRST))


def test_its_files_are_for_other_engines(there: Watched, dataset: ep.Dataset) -> None:
    """They can be read where they are, without the log."""
    dataset.append(some(FIRST, days=1))
    (file,) = dataset.files()
    rows = pd.read_parquet(file, filesystem=there)
    assert rows["post_id"].unique().tolist() == ["7", "8"]
    assert len(rows) == 96


def test_it_can_be_sent_to_another_process(tmp_path: Path) -> None:
    """With its file system, and without its copies."""
    place = tmp_path / "set"
    dataset = ep.Dataset(place, filesystem=LocalFileSystem())
    dataset.append(some(FIRST))
    same(pickle.loads(pickle.dumps(dataset)).read(), some(FIRST))  # noqa: S301 - ours


@pytest.mark.parametrize("what", ["sftp", 5, Path()])
def test_what_is_no_file_system(what: Any) -> None:
    """Refused at once, with what would be one."""
    with pytest.raises(ep.DatasetError, match="give one of fsspec"):
        ep.Dataset("set", filesystem=what)


def test_options_are_for_deltalake(there: Watched) -> None:
    """A file system has its own."""
    with pytest.raises(ep.DatasetError, match="storage_options are for deltalake"):
        ep.Dataset("set", filesystem=there, storage_options={})


def test_sync(tmp_path: Path, dataset: ep.Dataset) -> None:
    """Answers are kept on this machine, counts there; a year of it is in test_sync_year."""
    asked: dict[str, Any] = {"engagement_types": ["replies"], "since": "2026-04-10"}
    with ep.demo_client("2026-04-15") as demo:
        posts = demo.posts["post_id"][:2]
        with pytest.raises(ep.DatasetError, match="say where raw answers are to be kept"):
            sync(demo.client, dataset, posts, **asked)
        done = sync(demo.client, dataset, posts, raw=tmp_path / "raw", **asked)
        again = sync(demo.client, dataset, posts, raw=tmp_path / "raw", **asked)
    assert (done.added, again.answers) == (240, 0)
    assert len(dataset.read()) == 240


def test_an_error_of_its_own_kind(there: Watched, dataset: ep.Dataset) -> None:
    """Whatever it raises is one of ours; what was there stays."""
    dataset.append(some(FIRST))

    def refuse(*_: str) -> None:
        msg = "the quota is used up"
        raise RuntimeError(msg)

    there.before = refuse
    with pytest.raises(ep.DatasetError, match="RuntimeError: the quota is used up"):
        dataset.append(some(SECOND, count=6))
    same(dataset.read(), some(FIRST))


def test_an_error_between_the_tables(there: Watched, dataset: ep.Dataset) -> None:
    """What was written of the omissions is gone back on, and the same again goes in."""
    dataset.append(some(FIRST), gone("9"))

    def refuse(what: str, path: str) -> None:
        if what == "put" and path.endswith(".part") and "counts" in path:
            there.before = lambda *_: None
            raise OSError("the line is dead")  # noqa: EM101

    there.before = refuse
    with pytest.raises(ep.DatasetError, match="the line is dead; free some room"):
        dataset.append(some(SECOND, count=6), gone("9", "10"))
    assert dataset.omissions()["post_id"].tolist() == ["9"]
    dataset.append(some(SECOND, count=6), gone("9", "11"))
    dataset.compact()
    assert dataset.omissions()["post_id"].tolist() == ["11", "9"]
    assert len(dataset.revisions()) == 288


def test_an_error_while_it_is_read(dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one of ours too."""
    dataset.append(some(FIRST))
    (piece, *_) = dataset.pieces()
    real = Watched.open

    def refuse(self: Watched, path: str, *more: Any, **named: Any) -> Any:
        if ".zstd." in path:
            raise RuntimeError("the quota is used up")  # noqa: EM101
        return real(self, path, *more, **named)

    monkeypatch.setattr(Watched, "open", refuse)
    for read in (
        dataset.read,
        piece.read,
        lambda: dataset.append(some(SECOND, count=6)),
        lambda: list(dataset.readings(datetime(2026, 3, 1, tzinfo=UTC), ["7"])),
    ):
        with pytest.raises(ep.DatasetError, match="RuntimeError: the quota is used up"):
            read()


class Bucket(Watched):
    """A store of objects: folders are not made, and there as soon as something is in them."""

    def makedirs(self, path: str, **_: bool) -> None:
        raise PermissionError(path)

    def put_file(self, lpath: str, rpath: str, *_: Any, **__: Any) -> None:
        self.pipe_file(rpath, Path(lpath).read_bytes())

    def pipe_file(self, path: str, value: bytes, *_: Any, **__: Any) -> None:
        MemoryFileSystem.makedirs(self, self._parent(path), exist_ok=True)
        MemoryFileSystem.pipe_file(self, path, value)


def test_a_folder_cannot_be_made() -> None:
    """A store of objects needs none."""
    dataset = ep.Dataset("bucket/set", filesystem=Bucket())
    dataset.append(some(FIRST))
    dataset.append(some(SECOND, count=6))
    dataset.compact()
    assert dataset.read()["count"].unique().tolist() == [6]


@pytest.mark.parametrize("step", ["pipe_file", "mv"])
def test_a_step_of_which_nobody_knows_whether_it_was_made(
    there: Watched, dataset: ep.Dataset, step: str
) -> None:
    """A claim is taken back, a commit is there once: the same again is safe, and at once."""
    dataset.append(some(FIRST))
    real = getattr(there, step)

    def refuse(*given: Any, **named: Any) -> None:
        delattr(there, step)
        real(*given, **named)
        raise OSError("no answer")  # noqa: EM101

    setattr(there, step, refuse)
    with pytest.raises(ep.DatasetError, match="no answer"):
        dataset.append(some(SECOND, count=6))
    dataset.append(some(SECOND, count=6))
    assert dataset.read()["count"].unique().tolist() == [6]
    assert len(dataset.revisions()) == 288


# The end of a process


@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_the_end_at_any_step(there: Watched, monkeypatch: pytest.MonkeyPatch, stride: int) -> None:
    """Readers see the old or the new; done again it is the new, and nothing is left over."""
    steps = 0
    after = changed(some(FIRST, days=1), 5, 6, SECOND)
    for last in range(0, 1_000, stride):
        dataset = ep.Dataset(f"{last}/set", filesystem=there)
        dataset.append(some(FIRST, days=1), gone("9"))
        seen = [0]

        def die(*_: str, seen: list[int] = seen, last: int = last) -> None:
            seen[0] += 1
            if seen[0] > last:
                raise Died

        there.before = die
        try:
            dataset.append(after, gone("9", "10"))
            dataset.compact(kept_hours=0)
        except Died:
            steps += 1
        there.before = lambda *_: None
        _one_or_the_other(copy.copy(dataset), after)
        _forget_claims(there)
        fresh = copy.copy(dataset)
        fresh.append(after, gone("9", "10"))
        with monkeypatch.context() as patch:
            patch.setattr(Watched, "modified", lambda *_: datetime(2026, 1, 1, tzinfo=UTC))
            fresh.compact(kept_hours=0)
        same(fresh.read(), after)
        assert fresh.revisions()["count"].tolist() == [6]
        assert fresh.omissions()["post_id"].tolist() == ["10", "9"]
        named = {f"/{last}/set/counts/{path}" for path in there.glob(f"{last}/set/counts/day=*/*")}
        assert len(named) == len(fresh.files()) == 1
        if seen[0] <= last:
            break
    assert steps * stride == last >= 18


def _one_or_the_other(dataset: ep.Dataset, after: pd.DataFrame) -> None:
    """Assert that the counts are of one reading, and the log of revisions goes with them."""
    changes = len(dataset.revisions())
    same(dataset.read(), after if changes else some(FIRST, days=1))
    assert dataset.omissions()["post_id"].tolist() == (["10", "9"] if changes else ["9"])


def _forget_claims(there: Watched) -> None:
    """Make all claims eleven minutes older, as if so much time had passed."""
    for path in list(there.store):
        folder, _, name = path.rpartition("/")
        if folder.endswith("/_writing"):
            made = datetime.strptime(name[:15], mirror._STAMP).replace(tzinfo=UTC)
            older = f"{made - timedelta(minutes=11):{mirror._STAMP}}{name[15:]}"
            there.store[f"{folder}/{older}"] = there.store.pop(path)


# Two at once


def claim(minutes: int) -> str:
    """Return the name of a claim made some minutes ago."""
    return f"{datetime.now(UTC) - timedelta(minutes=minutes):{mirror._STAMP}}-other"


def test_another_that_is_writing(there: Watched, dataset: ep.Dataset) -> None:
    """Nothing is written over its head."""
    dataset.append(some(FIRST))
    there.pipe_file(f"bucket/set/counts/_writing/{claim(9)}", b"1")
    with pytest.raises(ep.DatasetError, match="others keep writing"):
        dataset.append(some(SECOND, count=6))
    same(dataset.read(), some(FIRST))
    assert dataset.revisions().empty


def test_another_that_died_while_writing(there: Watched, dataset: ep.Dataset) -> None:
    """Its claim is void after ten minutes, and is taken away."""
    dataset.append(some(FIRST))
    there.pipe_file(f"bucket/set/counts/_writing/{claim(11)}", b"1")
    dataset.append(some(SECOND, count=6))
    assert dataset.read()["count"].unique().tolist() == [6]
    assert there.ls("bucket/set/counts/_writing") == []


def test_a_checkpoint_on_its_way_is_no_claim(there: Watched, dataset: ep.Dataset) -> None:
    """Whoever died over one keeps nobody waiting."""
    dataset.append(some(FIRST))
    there.pipe_file(f"bucket/set/counts/_writing/{claim(1)}.part", b"1")
    assert dataset.append(some(SECOND, count=6)) == (0, 288)


def test_a_file_system_that_does_not_list_what_is_there(
    there: Watched, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a claim says nothing, so nothing is written."""
    real = Watched.ls
    monkeypatch.setattr(
        Watched,
        "ls",
        lambda self, path, **more: [] if "_writing" in path else real(self, path, **more),
    )
    with pytest.raises(ep.DatasetError, match="others keep writing"):
        dataset.append(some(FIRST))
    assert there.glob("**/_delta_log/*") == []


def test_a_claim_that_is_too_old_to_be_trusted(
    there: Watched, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that was held up for longer than five minutes gives way."""
    dataset.append(some(FIRST, days=1))
    clock = [0.0]
    monkeypatch.setattr(mirror.time, "monotonic", lambda: clock[0])
    held_up = []

    def hold_up(what: str, path: str) -> None:
        if what == "put" and path.endswith(".part") and "counts" in path and len(held_up) < 3:
            held_up.append(path)
            clock[0] += 301

    there.before = hold_up
    dataset.append(some(SECOND, count=6, days=1))
    assert len(held_up) == 3
    assert [there.exists(path) for path in held_up] == [False] * 3
    assert dataset.read()["count"].unique().tolist() == [6]


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_another_writer_at_any_step(there: Watched, stride: int) -> None:
    """It is refused, or both are there: nothing is lost, nothing twice."""
    refused = 0
    for step in range(0, 1_000, stride):
        one = ep.Dataset(f"{step}/set", filesystem=there)
        one.append(some(FIRST, posts=["7"], days=1), gone("9"))
        other = copy.copy(one)
        seen, done = [0], [False]

        def cut_in(*_: str, seen: list[int] = seen, step: int = step, **more: Any) -> None:
            seen[0] += 1
            if seen[0] == step + 1:
                there.before = lambda *_: None
                try:
                    more["other"].append(some(SECOND, posts=["7"], count=6, days=1), gone("10"))
                    more["done"][0] = True
                except ep.DatasetError as error:
                    assert "others keep writing" in str(error)  # noqa: PT017 - at times

        there.before = lambda *told, cut_in=cut_in, other=other, done=done: cut_in(
            *told, other=other, done=done
        )
        one.append(some(FIRST, posts=["8"], days=1), gone("11"))
        there.before = lambda *_: None
        if seen[0] <= step:
            break
        refused += not done[0]
        if not done[0]:
            other.append(some(SECOND, posts=["7"], count=6, days=1), gone("10"))
        one.compact()
        for reader in (one, other, copy.copy(one)):
            found = reader.read()
            assert len(found) == 96
            assert found.groupby("post_id")["count"].unique().map(list).to_dict() == {
                "7": [6],
                "8": [5],
            }
            assert len(reader.revisions()) == 48
            assert reader.omissions()["post_id"].tolist() == ["10", "11", "9"]
    assert 1 <= refused < step / stride
    assert step >= 10


# What is left over


def test_what_belongs_to_no_commit(
    there: Watched, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes when it is as old as one says, by the clock of the file system."""
    dataset.append(some(FIRST))
    hours = {"old": 3, "young": 1}
    folder = "bucket/set/counts/day=2026-03-01"
    for name in hours:
        there.pipe_file(f"{folder}/{name}.parquet", b"1")
    real = Watched.modified

    def modified(self: Watched, path: str) -> datetime:
        name = path.rpartition("/")[-1].removesuffix(".parquet")
        return real(self, path) - timedelta(hours=hours.get(name, 0))

    monkeypatch.setattr(Watched, "modified", modified)
    dataset.compact(kept_hours=2)
    assert not there.exists(f"{folder}/old.parquet")
    assert there.exists(f"{folder}/young.parquet")
    same(dataset.read(), some(FIRST))


def test_what_is_not_its_own(
    there: Watched, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files in folders of somebody else, that another takes away, or of no age, harm nobody."""
    dataset.append(some(FIRST))
    names = ["eaDir/deep/notes.txt", "gone.parquet", "ageless.parquet"]
    for name in names:
        there.pipe_file(f"bucket/set/counts/{name}", b"1")
    real = Watched.modified

    def modified(self: Watched, path: str) -> datetime:
        if "gone" in path:
            raise FileNotFoundError(path)
        if "ageless" in path:
            raise NotImplementedError
        return real(self, path)

    monkeypatch.setattr(Watched, "modified", modified)
    dataset.compact(kept_hours=0)
    assert all(there.exists(f"bucket/set/counts/{name}") for name in names)


# The log


def test_a_long_log_is_not_read_from_its_beginning(
    there: Watched, dataset: ep.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But from the last checkpoint on; ``deltalake`` makes one in a hundred versions."""
    table = dataset._store.counts
    made = table.made()
    nothing = table.schema.empty_table()
    for number in range(1, 100):
        table.write(made, nothing, versions={"mark": number})
    dataset.append(some(FIRST))
    earlier = table.open(98)
    assert earlier is not None
    assert earlier.transaction_version("mark") == 98
    fetched: list[str] = []
    real = Watched.get_file
    monkeypatch.setattr(
        Watched,
        "get_file",
        lambda self, rpath, *more, **named: (
            fetched.append(rpath.rpartition("/")[-1]),
            real(self, rpath, *more, **named),
        )[-1],
    )
    there.rm_file("/bucket/set/counts/_delta_log/00000000000000000007.json")
    last = table.open()
    assert last is not None
    assert (last.version(), last.transaction_version("mark")) == (100, 99)
    assert sorted(fetched) == [
        "00000000000000000099.checkpoint.parquet",
        "00000000000000000099.json",
        "00000000000000000100.json",
    ]


def test_a_checkpoint_of_a_version_that_never_counted(there: Watched, dataset: ep.Dataset) -> None:
    """One in a hundred: the version before it is gone back to all the same."""
    dataset.append(some(FIRST, posts=["7"], days=1))
    dataset.append(some(SECOND, posts=["7"], days=1, count=6))
    store = dataset._store
    log = store.revisions.made()
    while log.version() < 98:
        store.revisions.write(log, store.revisions.schema.empty_table())
    counts = store.counts.made()
    store.counts.write(counts, store.counts.schema.empty_table(), versions={"revisions": 98})

    def die(_: str, path: str) -> None:
        if "counts" in path:
            raise Died

    there.before = die
    third = some("2026-04-01T02:05:00Z", posts=["7"], days=1, count=7)
    with pytest.raises(Died):
        dataset.append(third)
    there.before = lambda *_: None
    assert there.glob("bucket/set/revisions/_delta_log/*99.checkpoint.parquet")
    assert len(dataset.revisions()) == 48
    dataset.append(third)
    dataset.compact()
    assert len(dataset.revisions()) == 96


def test_the_root_of_a_file_system(tmp_path: Path) -> None:
    """It is a folder as any other."""
    root = SubTreeFileSystem(str(tmp_path / "set"), LocalFileSystem())
    dataset = ep.Dataset("", filesystem=root)
    dataset.append(some(FIRST))
    same(dataset.read(), some(FIRST))
    assert (tmp_path / "set" / "counts").is_dir()
