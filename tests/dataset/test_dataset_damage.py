"""Files of a data set that are lost or have changed: the same frame, or an error with the cure."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from support.datasets.frames import some
from support.datasets.worlds import HOUR, World, same, tardy, world

import engagement_pandas as ep
from engagement_pandas.dataset.snapshot import DataFile

SINCE = datetime(2026, 3, 15, 6, tzinfo=UTC)
TIMES = tuple(f"2026-04-01T0{hour}:05:00Z" for hour in range(4))


def gone(*posts: str) -> pd.DataFrame:
    """Return omissions: posts that are unavailable."""
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    asked = ep.historical(posts, engagement_types=["replies"], window=window)
    moment = pd.Timestamp(TIMES[0]).to_pydatetime()
    body = {"unavailable_tweet_ids": list(posts)}
    return ep.omissions(ep.EngagementResponse(asked, body, retrieved_at=moment))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data set of four commits, with omissions and two readings revised."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(TIMES[0], days=1), gone("9"))
    dataset.append(some(TIMES[1], days=1, count=6), gone("5"))
    dataset.append(some(TIMES[2], days=2, count=7))
    return tmp_path / "set"


def everything(folder: Path) -> list[Any]:
    """Return whatever can be read of a data set, opened anew."""
    dataset = ep.Dataset(folder)
    frames = [dataset.read(), dataset.omissions(), dataset.revisions()]
    pieces = [piece.read() for piece in dataset.pieces(rows=50)]
    since = pd.Timestamp("2026-03-01", tz="UTC").to_pydatetime()
    hours = sum(batch.num_rows for batch in dataset.readings(since, ["7"]))
    rest = [dataset.omission_spans(), dataset.latest, dataset.first_day, dataset.files(), hours]
    return [frame.to_csv() for frame in (*frames, *pieces)] + rest


def files(folder: Path) -> list[Path]:
    """Return all files of a data set."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


# One bit


@pytest.mark.slow
@pytest.mark.parametrize("flips", [10, pytest.param(2_000, marks=pytest.mark.long)])
def test_one_bit(folder: Path, flips: int) -> None:
    """Anywhere, in rows, footers, logs: what is read is the same, or a file is named."""
    right, dice = everything(folder), random.Random(flips)  # noqa: S311 - no secret
    noticed = 0
    for _ in range(flips):
        path = dice.choice(files(folder))
        kept = path.read_bytes()
        content = bytearray(kept)
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        path.write_bytes(content)
        try:
            assert everything(folder) == right, path
        except ep.DamagedDataset as error:
            assert str(folder) in str(error)  # noqa: PT017
            assert "sync() rebuilds the data set" in str(error)  # noqa: PT017
            noticed += 1
        path.write_bytes(kept)
    assert noticed > flips // 4


@pytest.mark.slow
def test_every_parquet_file_is_verified(folder: Path) -> None:
    """Each of the three tables, in verify() too; the pages have checksums for other engines."""
    dataset = ep.Dataset(folder)
    assert dataset.verify() == []
    stored = [path for path in files(folder) if path.suffix == ".parquet"]
    for path in dataset.files():
        pq.read_table(path, page_checksum_verification=True)
    noticed = set()
    for path in stored:
        kept = path.read_bytes()
        path.write_bytes(kept[:-9] + bytes([kept[-9] ^ 1]) + kept[-8:])
        try:
            dataset.verify()
        except ep.DamagedDataset as error:
            assert path.name in str(error)  # noqa: PT017
            noticed.add(path.relative_to(folder).parts[0])
        path.write_bytes(kept)
    assert noticed == {"counts", "omissions", "revisions"}


# The log


def emptied(path: Path) -> None:
    """Leave a file of no bytes."""
    path.write_bytes(b"")


def cut(path: Path) -> None:
    """Leave the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def first_line(path: Path) -> None:
    """Leave the first line, which is JSON."""
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


def another(path: Path) -> None:
    """Leave JSON that says nothing."""
    path.write_text(json.dumps({"commitInfo": {}}))


QUICK = [("counts", cut), ("counts", Path.unlink), ("omissions", another), ("revisions", emptied)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "how"),
    [
        pytest.param(table, how, marks=() if (table, how) in QUICK else pytest.mark.long)
        for table in ("counts", "omissions", "revisions")
        for how in (emptied, cut, first_line, another, Path.unlink)
    ],
)
def test_an_entry_of_the_log(folder: Path, table: str, how: Any) -> None:
    """Each in turn: no row twice, no old row, no omission lost without a word."""
    right, noticed = everything(folder), 0
    entries = sorted((folder / table / "_delta_log").glob("*.json"))
    for entry in entries:
        kept = entry.read_bytes()
        how(entry)
        try:
            assert everything(folder) == right, entry.name
        except ep.DamagedDataset:
            noticed += 1
        entry.write_bytes(kept)
    assert noticed >= len(entries) - 1
    assert everything(folder) == right


@pytest.mark.slow
def test_the_entry_is_named(folder: Path) -> None:
    """With what is wrong with it."""
    log = folder / "counts" / "_delta_log"
    for number, how, why in ((2, emptied, "it is empty"), (1, cut, "it is not valid JSON")):
        entry = log / f"{number:020}.json"
        kept = entry.read_bytes()
        how(entry)
        with pytest.raises(ep.DamagedDataset, match=f"{number:020}.json is damaged: {why}; sync"):
            ep.Dataset(folder).read()
        entry.write_bytes(kept)
    (log / f"{3:020}.json").unlink()
    with pytest.raises(ep.DamagedDataset, match=rf"lacks {3:020}\.json"):
        ep.Dataset(folder).read()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["counts", "omissions", "revisions"])
def test_a_table_that_is_lost(folder: Path, name: str) -> None:
    """An error of its own kind when it is read or written, and no advice to free some room."""
    shutil.rmtree(folder / name)
    dataset = ep.Dataset(folder)
    reads = {"counts": dataset.read, "omissions": dataset.omissions, "revisions": dataset.revisions}
    steps = (
        reads[name], lambda: dataset.append(some(TIMES[3], count=8), gone("4")), dataset.compact,
        dataset.verify,
    )  # fmt: skip
    for step in steps:
        with pytest.raises(ep.DamagedDataset, match=r"sync\(\) rebuilds the data set"):
            step()


@pytest.mark.slow
def test_a_checkpoint(tmp_path: Path) -> None:
    """One is made every ten commits: lost, emptied, changed; and the file that names it."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(TIMES[0], days=1))
    store = dataset._store
    snapshot = store.open()
    while snapshot is not None and snapshot.version < 11:
        snapshot = store._commit(snapshot, list(snapshot.files), [], {})
    log = tmp_path / "set" / "counts" / "_delta_log"
    parts = [*log.glob("*.checkpoint.parquet"), log / "_last_checkpoint"]
    assert len(parts) == 2
    right = everything(tmp_path / "set")
    for part in parts:
        kept = part.read_bytes()
        middle = len(kept) // 2
        for damage in (b"", kept[:middle], kept[:middle] + b"\xff\x00\xff" + kept[middle + 3 :]):
            part.write_bytes(damage)
            with suppress(ep.DatasetError):
                assert everything(tmp_path / "set") == right
        part.write_bytes(kept)


# Earlier versions


@pytest.fixture
def earlier(folder: Path) -> ep.Dataset:
    """Return a data set whose only file deltalake itself wrote, as earlier versions did."""
    home = folder.parent / "earlier"
    dataset = ep.Dataset(home)
    written = ep.Dataset(folder)
    rows = next(written._store.counts.rows(written._files()))
    write_deltalake(str(home / "counts"), rows, partition_by=["day"])
    return dataset


@pytest.mark.slow
def test_files_without_a_checksum(earlier: ep.Dataset) -> None:
    """They are read, verify() lists them, and compact() writes them with one."""
    before = earlier.read()
    (old,) = earlier.verify()
    assert old == earlier.files()[0]
    earlier.append(some(TIMES[3], posts=["1"], days=3))
    assert earlier.verify() == [old]
    earlier.compact()
    assert earlier.verify() == []
    same(earlier.read(post_ids=["7", "8"]).head(len(before)), before)


@pytest.mark.slow
def test_a_file_without_a_checksum_that_is_damaged(earlier: ep.Dataset) -> None:
    """Where it cannot be decoded, it is named."""
    cut(Path(earlier.files()[0]))
    with pytest.raises(ep.DamagedDataset, match=r"part-.*parquet is damaged"):
        earlier.read()


def test_names_hold_checksums() -> None:
    """A name without one is of an earlier version; a checksum of another content is refused."""
    file = DataFile("day=2026-03-01/part-0.parquet", 1, 1)
    assert file.checksum is None
    signed = DataFile(f"part-0-{'0' * 32}.parquet", 1, 1)
    with pytest.raises(ep.DamagedDataset, match="its checksum does not match"):
        signed.verified(b"1", "set/counts")


# Sync


@pytest.fixture
def moving() -> Iterator[World]:
    """Run a sandbox whose time moves when a test says so."""
    with world() as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("counts/day=*/*.parquet", cut),
        pytest.param("counts/_delta_log/*1.json", emptied, marks=pytest.mark.long),
        pytest.param("revisions", shutil.rmtree, marks=pytest.mark.long),
        pytest.param("counts", shutil.rmtree, marks=pytest.mark.long),
    ],
)
def test_sync_heals_it(
    moving: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, how: Any
) -> None:
    """From raw answers, asking nothing; counts, omissions and revisions are as they were."""
    tardy(monkeypatch, moving.clock, 3)
    dataset = ep.Dataset(tmp_path / "set")
    posts = [*moving.posts(3, SINCE), "1"]
    for _ in range(3):
        moving.sync(dataset, posts, settle=3, since=SINCE)
        moving.clock.now += HOUR
    moving.clock.now -= HOUR
    tables = (dataset.read(), dataset.omissions(), dataset.revisions())
    assert all(len(table) for table in tables)
    asked = len(moving.asked)
    how(min((tmp_path / "set").glob(name)))
    with pytest.raises(ep.DamagedDataset):
        dataset.verify()
    with pytest.warns(
        UserWarning,
        match=r"sync\(\) rebuilds .*; it was rebuilt, and the damaged tables are in .*damaged",
    ):
        moving.sync(dataset, posts, settle=3, since=SINCE)
    assert len(moving.asked) == asked
    for found, right in zip(
        (dataset.read(), dataset.omissions(), dataset.revisions()), tables, strict=True
    ):
        pd.testing.assert_frame_equal(found, right)
    assert (tmp_path / "set" / "damaged").is_dir()
    assert not (tmp_path / "set" / "rebuilding").exists()
    assert (
        str(moving.sync(dataset, posts, settle=3, since=SINCE)) == "up to date: nothing to request"
    )


@pytest.mark.slow
def test_what_was_damaged_is_kept(moving: World, tmp_path: Path) -> None:
    """Each time in a folder of its own: the tables as they were found, byte for byte."""
    home = tmp_path / "set"
    dataset = ep.Dataset(home)
    posts = moving.posts(2)
    moving.sync(dataset, posts)
    damaged: list[dict[Path, bytes]] = []
    for number in (1, 2):
        cut(Path(dataset.files()[0]))
        damaged.append({p.relative_to(home): p.read_bytes() for p in files(home / "counts")})
        with pytest.warns(UserWarning, match="the damaged tables are in .*damaged"):
            moving.sync(dataset, posts)
        places = list((home / "damaged").iterdir())
        assert len(places) == number
        kept = [
            {p.relative_to(place): p.read_bytes() for p in files(place / "counts")}
            for place in places
        ]
        assert all(one in kept for one in damaged)


@pytest.mark.slow
def test_omissions_alone_are_made_again(moving: World, tmp_path: Path) -> None:
    """Of posts that never had a count, too."""
    dataset = ep.Dataset(tmp_path / "set")
    moving.sync(dataset, ["1"])
    omitted = dataset.omissions()
    assert (dataset.read().empty, len(omitted)) == (True, 1)
    cut(max((tmp_path / "set" / "omissions" / "_delta_log").glob("*.json")))
    with pytest.warns(UserWarning, match="the damaged tables are in .*damaged"):
        moving.sync(dataset, ["1"])
    pd.testing.assert_frame_equal(dataset.omissions(), omitted)


@pytest.mark.slow
def test_nothing_is_made_of_no_raw_answers(moving: World, folder: Path) -> None:
    """The damage is told, as of any data set; nothing is sent, moved or made."""
    dataset = ep.Dataset(folder)
    cut(Path(dataset.files()[0]))
    before = {path: path.read_bytes() for path in files(folder)}
    with pytest.raises(ep.DamagedDataset, match=r"parquet is damaged.*without them, append\(\)"):
        moving.sync(dataset, moving.posts(2))
    assert moving.asked == []
    now = {path: path.read_bytes() for path in files(folder) if path.name != "lock"}
    assert {path: content for path, content in now.items() if path in before} == before
    assert not (folder / "damaged").exists()


@pytest.mark.slow
def test_a_store_elsewhere_is_healed_too(moving: World, tmp_path: Path) -> None:
    """At an address, file by file."""
    dataset = ep.Dataset(f"file://{tmp_path}/set")
    posts = moving.posts(2)
    moving.sync(dataset, posts, raw=tmp_path / "raw")
    right = dataset.read()
    cut(Path(dataset.files()[0].removeprefix("file://")))
    with pytest.warns(UserWarning, match="is damaged"):
        moving.sync(dataset, posts, raw=tmp_path / "raw")
    pd.testing.assert_frame_equal(dataset.read(), right)
