"""Lost or changed files of a data set give the same frame, or an error with the cure."""

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
from engagement_pandas.dataset import delta_table
from engagement_pandas.dataset.snapshot import DataFile

SINCE = datetime(2026, 3, 15, 6, tzinfo=UTC)
TIMES = tuple(f"2026-04-01T0{hour}:05:00Z" for hour in range(4))


def unavailable(*posts: str) -> pd.DataFrame:
    """Return omissions of unavailable posts."""
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    request = ep.historical(posts, engagement_types=["replies"], window=window)
    retrieved_at = pd.Timestamp(TIMES[0]).to_pydatetime()
    body = {"unavailable_tweet_ids": list(posts)}
    return ep.omissions(ep.EngagementResponse(request, body, retrieved_at=retrieved_at))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data set of four commits, with omissions and two revised readings."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(TIMES[0], days=1), unavailable("9"))
    dataset.append(some(TIMES[1], days=1, count=6), unavailable("5"))
    dataset.append(some(TIMES[2], days=2, count=7))
    return tmp_path / "set"


def read_all(folder: Path) -> list[Any]:
    """Return everything that can be read from a data set, opened again."""
    dataset = ep.Dataset(folder)
    frames = [dataset.read(), dataset.omissions(), dataset.revisions()]
    chunks = [chunk.read() for chunk in dataset.pieces(rows=50)]
    since = pd.Timestamp("2026-03-01", tz="UTC").to_pydatetime()
    hours = sum(batch.num_rows for batch in dataset.readings(since, ["7"]))
    rest = [dataset.omission_spans(), dataset.latest, dataset.first_day, dataset.files(), hours]
    return [frame.to_csv() for frame in (*frames, *chunks)] + rest


def files(folder: Path) -> list[Path]:
    """Return all files of a data set."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


# One bit


@pytest.mark.slow
@pytest.mark.parametrize("flips", [10, pytest.param(2_000, marks=pytest.mark.long)])
def test_a_flipped_bit_is_harmless_or_reported(folder: Path, flips: int) -> None:
    """In rows, footers or logs: the frames are the same, or the error names a file."""
    expected, rng = read_all(folder), random.Random(flips)  # noqa: S311 - no secret
    noticed = 0
    for _ in range(flips):
        path = rng.choice(files(folder))
        kept = path.read_bytes()
        content = bytearray(kept)
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        try:
            assert read_all(folder) == expected, path
        except ep.DamagedDataset as error:
            assert str(folder) in str(error)  # noqa: PT017
            assert "sync() rebuilds the data set" in str(error)  # noqa: PT017
            noticed += 1
        path.write_bytes(kept)
    assert noticed > flips // 4


@pytest.mark.slow
def test_every_parquet_file_is_verified(folder: Path) -> None:
    """verify() reads all three tables; pages have checksums for other engines."""
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


def empty(path: Path) -> None:
    """Leave a file of no bytes."""
    path.write_bytes(b"")


def truncate(path: Path) -> None:
    """Leave the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def keep_first_line(path: Path) -> None:
    """Leave the first line, which is valid JSON."""
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


def replace_by_other_json(path: Path) -> None:
    """Leave JSON without content."""
    path.write_text(json.dumps({"commitInfo": {}}))


QUICK = [
    ("counts", truncate),
    ("counts", Path.unlink),
    ("omissions", replace_by_other_json),
    ("revisions", empty),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "damage"),
    [
        pytest.param(table, damage, marks=() if (table, damage) in QUICK else pytest.mark.long)
        for table in ("counts", "omissions", "revisions")
        for damage in (empty, truncate, keep_first_line, replace_by_other_json, Path.unlink)
    ],
)
def test_a_damaged_log_entry_is_reported(folder: Path, table: str, damage: Any) -> None:
    """For each entry: no row is returned twice, no old row, and no omission is lost."""
    expected, noticed = read_all(folder), 0
    entries = sorted((folder / table / "_delta_log").glob("*.json"))
    for entry in entries:
        kept = entry.read_bytes()
        damage(entry)
        try:
            assert read_all(folder) == expected, entry.name
        except ep.DamagedDataset:
            noticed += 1
        entry.write_bytes(kept)
    assert noticed >= len(entries) - 1
    assert read_all(folder) == expected


@pytest.mark.slow
def test_the_error_names_the_log_entry(folder: Path) -> None:
    """It also names what is wrong."""
    log = folder / "counts" / "_delta_log"
    for number, damage, reason in (
        (2, empty, "it is empty"),
        (1, truncate, "it is not valid JSON"),
    ):
        entry = log / f"{number:020}.json"
        kept = entry.read_bytes()
        damage(entry)
        with pytest.raises(
            ep.DamagedDataset, match=f"{number:020}.json is damaged: {reason}; sync"
        ):
            ep.Dataset(folder).read()
        entry.write_bytes(kept)
    (log / f"{3:020}.json").unlink()
    with pytest.raises(ep.DamagedDataset, match=rf"lacks {3:020}\.json"):
        ep.Dataset(folder).read()


@pytest.mark.slow
def test_the_error_names_an_entry_of_a_trimmed_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log begins at the checkpoint of version 9; entries before it are not missing."""
    monkeypatch.setattr(delta_table, "_KEPT_COMMITS", 1)
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(TIMES[0], days=1))
    snapshot = dataset._tables.current()
    while snapshot is not None and snapshot.version < 13:
        snapshot = dataset._tables._commit(snapshot, list(snapshot.files), [], {})
    dataset.compact()
    log = tmp_path / "set" / "counts" / "_delta_log"
    assert min(path.name for path in log.glob("*.json")) == f"{9:020}.json"
    (log / f"{7:020}.json").write_text("{}")  # as after a crash while the log was trimmed
    (log / f"{12:020}.json").unlink()
    with pytest.raises(ep.DamagedDataset, match=rf"{12:020}\.json is damaged: it is missing"):
        ep.Dataset(tmp_path / "set").read()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["counts", "omissions", "revisions"])
def test_a_lost_table_is_reported(folder: Path, name: str) -> None:
    """Reading and writing raise DamagedDataset, without advice on disk space."""
    shutil.rmtree(folder / name)
    dataset = ep.Dataset(folder)
    reads = {"counts": dataset.read, "omissions": dataset.omissions, "revisions": dataset.revisions}
    steps = (
        reads[name], lambda: dataset.append(some(TIMES[3], count=8), unavailable("4")),
        dataset.compact, dataset.verify,
    )  # fmt: skip
    for step in steps:
        with pytest.raises(ep.DamagedDataset, match=r"sync\(\) rebuilds the data set"):
            step()


@pytest.mark.long
def test_a_damaged_checkpoint_is_harmless_or_reported(tmp_path: Path) -> None:
    """One is written every ten commits, and a file that names it; both are damaged."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some(TIMES[0], days=1))
    tables = dataset._tables
    snapshot = tables.open()
    while snapshot is not None and snapshot.version < 11:
        snapshot = tables._commit(snapshot, list(snapshot.files), [], {})
    log = tmp_path / "set" / "counts" / "_delta_log"
    parts = [*log.glob("*.checkpoint.parquet"), log / "_last_checkpoint"]
    assert len(parts) == 2
    expected = read_all(tmp_path / "set")
    for part in parts:
        kept = part.read_bytes()
        middle = len(kept) // 2
        for damage in (b"", kept[:middle], kept[:middle] + b"\xff\x00\xff" + kept[middle + 3 :]):
            part.write_bytes(damage)
            with suppress(ep.DatasetError):
                assert read_all(tmp_path / "set") == expected
        part.write_bytes(kept)


# Earlier versions


@pytest.fixture
def earlier(folder: Path) -> ep.Dataset:
    """Return a data set with one file that deltalake wrote, as in earlier versions."""
    home = folder.parent / "earlier"
    dataset = ep.Dataset(home)
    written = ep.Dataset(folder)
    counts = written._tables.counts
    (rows,) = counts.rows(written._files()[:1])
    write_deltalake(str(home / "counts"), rows.cast(counts.schema), partition_by=["day"])
    return dataset


@pytest.mark.slow
def test_files_without_a_checksum_are_listed_by_verify(earlier: ep.Dataset) -> None:
    """They can be read, and compact() writes them with a checksum."""
    before = earlier.read()
    (old,) = earlier.verify()
    assert old == earlier.files()[0]
    earlier.append(some(TIMES[3], posts=["1"], days=3))
    assert earlier.verify() == [old]
    earlier.compact()
    assert earlier.verify() == []
    same(earlier.read(post_ids=["7", "8"]).head(len(before)), before)


@pytest.mark.slow
def test_a_damaged_file_without_a_checksum_is_reported(earlier: ep.Dataset) -> None:
    """The error names the file if it cannot be decoded."""
    truncate(Path(earlier.files()[0]))
    with pytest.raises(ep.DamagedDataset, match=r"part-.*parquet is damaged"):
        earlier.read()


def test_file_names_have_checksums() -> None:
    """A name without one is from an earlier version; a wrong checksum is refused."""
    file = DataFile("day=2026-03-01/part-0.parquet", 1, 1)
    assert file.checksum is None
    signed = DataFile(f"part-0-{'0' * 32}.parquet", 1, 1)
    with pytest.raises(ep.DamagedDataset, match="its checksum does not match"):
        signed.verified(b"1", "set/counts")


# Sync


@pytest.fixture
def moving() -> Iterator[World]:
    """Run a sandbox whose time moves only when a test moves it."""
    with world() as running:
        yield running


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("counts/day=*/*.parquet", truncate),
        ("counts/_delta_log/*1.json", empty),
        ("revisions", shutil.rmtree),
        ("counts", shutil.rmtree),
    ],
)
def test_sync_rebuilds_a_damaged_data_set(
    moving: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: Any
) -> None:
    """Raw responses give the same counts, omissions and revisions; nothing is requested."""
    tardy(monkeypatch, moving.clock, 3)
    dataset = ep.Dataset(tmp_path / "set")
    posts = [*moving.posts(3, SINCE), "1"]
    for _ in range(3):
        moving.sync(dataset, posts, settle=3, since=SINCE)
        moving.clock.now += HOUR
    moving.clock.now -= HOUR
    tables = (dataset.read(), dataset.omissions(), dataset.revisions())
    assert all(len(table) for table in tables)
    sent = len(moving.requests)
    damage(min((tmp_path / "set").glob(name)))
    with pytest.raises(ep.DamagedDataset):
        dataset.verify()
    with pytest.warns(
        UserWarning,
        match=r"sync\(\) rebuilds .*; it was rebuilt, and the damaged tables are in .*damaged",
    ):
        moving.sync(dataset, posts, settle=3, since=SINCE)
    assert len(moving.requests) == sent
    for found, expected in zip(
        (dataset.read(), dataset.omissions(), dataset.revisions()), tables, strict=True
    ):
        pd.testing.assert_frame_equal(found, expected)
    assert (tmp_path / "set" / "damaged").is_dir()
    assert not (tmp_path / "set" / "rebuilding").exists()
    assert (
        str(moving.sync(dataset, posts, settle=3, since=SINCE)) == "up to date: nothing to request"
    )


@pytest.mark.slow
def test_damaged_tables_are_kept(moving: World, tmp_path: Path) -> None:
    """Each time they are moved to a new folder, byte for byte."""
    home = tmp_path / "set"
    dataset = ep.Dataset(home)
    posts = moving.posts(2)
    moving.sync(dataset, posts)
    damaged: list[dict[Path, bytes]] = []
    for number in (1, 2):
        truncate(Path(dataset.files()[0]))
        damaged.append({p.relative_to(home): p.read_bytes() for p in files(home / "counts")})
        with pytest.warns(UserWarning, match="the damaged tables are in .*damaged"):
            moving.sync(dataset, posts)
        folders = list((home / "damaged").iterdir())
        assert len(folders) == number
        kept = [
            {p.relative_to(kept_folder): p.read_bytes() for p in files(kept_folder / "counts")}
            for kept_folder in folders
        ]
        assert all(tables in kept for tables in damaged)


@pytest.mark.slow
def test_omissions_without_counts_are_rebuilt(moving: World, tmp_path: Path) -> None:
    """The post never had a count."""
    dataset = ep.Dataset(tmp_path / "set")
    moving.sync(dataset, ["1"])
    omitted = dataset.omissions()
    assert (dataset.read().empty, len(omitted)) == (True, 1)
    truncate(max((tmp_path / "set" / "omissions" / "_delta_log").glob("*.json")))
    with pytest.warns(UserWarning, match="the damaged tables are in .*damaged"):
        moving.sync(dataset, ["1"])
    pd.testing.assert_frame_equal(dataset.omissions(), omitted)


@pytest.mark.slow
def test_nothing_is_rebuilt_without_raw_responses(moving: World, folder: Path) -> None:
    """The damage is reported; nothing is sent, moved or written."""
    dataset = ep.Dataset(folder)
    truncate(Path(dataset.files()[0]))
    before = {path: path.read_bytes() for path in files(folder)}
    with pytest.raises(ep.DamagedDataset, match=r"parquet is damaged.*without them, append\(\)"):
        moving.sync(dataset, moving.posts(2))
    assert moving.requests == []
    now = {path: path.read_bytes() for path in files(folder) if path.name != "lock"}
    assert {path: content for path, content in now.items() if path in before} == before
    assert not (folder / "damaged").exists()


@pytest.mark.slow
def test_a_data_set_at_an_address_is_rebuilt(moving: World, tmp_path: Path) -> None:
    """The files are moved one by one."""
    dataset = ep.Dataset(f"file://{tmp_path}/set")
    posts = moving.posts(2)
    moving.sync(dataset, posts, raw=tmp_path / "raw")
    expected = dataset.read()
    truncate(Path(dataset.files()[0].removeprefix("file://")))
    with pytest.warns(UserWarning, match="is damaged"):
        moving.sync(dataset, posts, raw=tmp_path / "raw")
    pd.testing.assert_frame_equal(dataset.read(), expected)
