"""The files of an archive: decompression bombs, full disks, and leftovers of killed processes."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import stat
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from client.test_failures import Rule
from support.archive.asking import in_parts
from support.scripted import Scripted, ScriptedServer, Seen

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.files import atomic_write as files
from engagement_pandas.response.archives import stored_file_format
from engagement_pandas.response.archives.answer_files import MANIFEST, PROBE
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.response.body_size import MAX_BODY_BYTES

LIMIT = 1_000_000
QUESTION_LIMIT = 2_000_000


@pytest.fixture
def archive(tmp_path: Path, server: ScriptedServer) -> ep.Archive:
    """Return an archive, and a server that counts 5 for each post."""

    def answer(seen: Seen) -> Scripted:
        return Scripted(200, {"by_post": {p: {"replies": "5"} for p in seen.body["tweet_ids"]}})

    server.script = Rule(server, answer)
    return ep.Archive(tmp_path / "raw")


def question(posts: int = 3) -> Any:
    """Return a plan with one request for each post."""
    window = ep.Window.covering("2026-04-01", "2026-04-02")
    ids = [str(number) for number in range(1, posts + 1)]
    request = ep.historical(ids, engagement_types=["replies"], window=window, by=ep.BY_POST)
    return in_parts(request, 1)


def collect(client: ep.EngagementClient, archive: ep.Archive, todo: Any = None) -> Collection:
    """Collect without a progress bar."""
    return client.collect(todo or question(), into=archive, watch=lambda _: None)


# Bombs


def bomb(size: int, head: bytes = b"", members: int = 1) -> bytes:
    """Return a gzip file of this number of zeros after a header, in one or more members."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packing.compress(head + bytes(size // members)) + packing.flush()
    return packed + gzip.compress(bytes(size // members)) * (members - 1)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the bounds small, so that they are soon exceeded."""
    monkeypatch.setattr(stored_file_format, "MAX_BODY_BYTES", LIMIT)
    monkeypatch.setattr(stored_file_format, "LONGEST_LINE", LIMIT)
    for function in (stored_file_format.decode_record,):
        monkeypatch.setattr(function, "__defaults__", (LIMIT,))
    monkeypatch.setattr(
        "engagement_pandas.response.archives.collection.LONGEST_MANIFEST", QUESTION_LIMIT
    )


def head_of(path: Path) -> bytes:
    """Return the first line of a stored file."""
    return gzip.decompress(path.read_bytes()).partition(b"\n")[0] + b"\n"


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "no line": lambda _: bomb(20 * LIMIT),
    "a body": lambda head: bomb(20 * LIMIT, head),
    "many members": lambda head: bomb(20 * LIMIT, head, 40),
}


def test_stored_bodies_have_the_bound_of_received_ones() -> None:
    """A body that cannot arrive is not read either."""
    assert stored_file_format.MAX_BODY_BYTES == MAX_BODY_BYTES < 64_000_000


@pytest.mark.slow
@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("content", BOMBS)
@pytest.mark.parametrize("place", ["an answer", "the question", "what is set aside"])
def test_a_stored_bomb_is_reported_as_damage(
    client: ep.EngagementClient, archive: ep.Archive, content: str, place: str
) -> None:
    """20 kB unpack to 20 MB; the memory stays within the bound."""
    collection = collect(client, archive)
    request = collection.requests[1]
    path = {
        "an answer": collection.records.file(request),
        "the question": collection.path / MANIFEST,
        "what is set aside": collection.records.aside(request),
    }[place]
    packed = BOMBS[content](head_of(collection.records.file(request)))
    assert len(packed) < LIMIT
    path.write_bytes(packed)
    if place == "what is set aside":
        collection.records.file(request).unlink()
    tracemalloc.start()
    try:
        (damage,) = archive.verify()
        with pytest.raises(ep.ArchiveError) as caught:
            ep.flatten(archive)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * LIMIT
    if place == "what is set aside":  # then the response is just missing
        assert damage.why == "missing"
    else:
        assert damage.path == path
        assert "bytes" in damage.why
        assert path.name in str(caught.value)
    assert isinstance(caught.value, OSError)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_the_command_line_reports_a_stored_bomb(
    client: ep.EngagementClient, archive: ep.Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints a message and returns an exit code; the same call repairs it."""
    collection = collect(client, archive)
    path = collection.records.file(collection.requests[1])
    path.write_bytes(bomb(20 * LIMIT, head_of(path)))
    assert main(["verify", str(archive.folder)]) == 9
    assert f"{path}\tFileTooLarge: more than 1,000,000 bytes" in capsys.readouterr().out
    assert main(["flatten", str(archive.folder)]) == 7
    assert path.name in capsys.readouterr().err
    collect(client, archive)
    assert archive.verify() == ()


def test_a_manifest_too_large_to_read_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is raised before anything is sent."""
    monkeypatch.setattr(stored_file_format, "LONGEST_MANIFEST", 100)
    with pytest.raises(ep.ArchiveError, match="too large to store; collect it in several"):
        stored_file_format.encode_record({"parts": ["x" * 100]}, b"")


# Full disks


class Usage(NamedTuple):
    """A stand-in for the tuple of shutil.disk_usage."""

    total: int
    used: int
    free: int


def test_nothing_is_sent_without_disk_space_for_the_responses(
    client: ep.EngagementClient,
    archive: ep.Archive,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten bytes a count are enough."""
    free = 9
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, free))
    with pytest.raises(ep.ArchiveError, match=r"has 9 bytes free.*take 10 bytes; free some room"):
        collect(client, archive)
    assert server.seen == []
    free = 10
    assert len(list(collect(client, archive))) == 3
    free = 0  # reading it again needs no space
    assert len(list(collect(client, archive))) == 3
    assert len(server.seen) == 3


def fill_disk(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Make all but this number of temporary files fail to open: a quota, or a read-only folder."""
    real, written = Path.open, iter(range(10**6))

    def opened(self: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if mode == "xb" and next(written) >= after:
            raise OSError(122, os.strerror(122))
        return real(self, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", opened)


def test_nothing_is_sent_if_nothing_can_be_written(
    client: ep.EngagementClient,
    archive: ep.Archive,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The manifest was stored before the disk quota was used up."""
    with pytest.raises(RuntimeError):
        client.collect(question(), into=archive, watch=_raising)
    fill_disk(monkeypatch, 0)
    with pytest.raises(ep.ArchiveError, match=r"cannot store answers.*free some room"):
        collect(client, archive)
    assert server.seen == []


def _raising(_: Any) -> None:
    raise RuntimeError


def test_nothing_is_sent_after_a_response_that_cannot_be_stored(
    client: ep.EngagementClient,
    archive: ep.Archive,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The disk takes the manifest, the probe and one response; the second is the last sent."""
    fill_disk(monkeypatch, 3)
    with pytest.raises(ep.ArchiveError, match="cannot be written"):
        collect(client, archive, question(20))
    assert len(server.seen) == 2


def test_the_probe_of_disk_space_is_removed(
    client: ep.EngagementClient, archive: ep.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has 64 kB, and is removed even if it fails."""
    sizes: list[int] = []
    real = files.os.fsync

    def fsync(handle: int) -> None:
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode):  # folders are flushed as well, and may be of any size
            sizes.append(status.st_size)
        real(handle)

    monkeypatch.setattr(files.os, "fsync", fsync)
    collection = collect(client, archive)
    assert sizes.count(PROBE) == 1
    assert not [path for path in collection.path.iterdir() if path.name.startswith(".")]


# Leftovers of killed processes


def leave_temporary(folder: Path, name: str, age: float, *, a_folder: bool = False) -> Path:
    """Leave a temporary file or folder of some age."""
    path = folder / f".{'0123456789abcdef' * 2}-{name}"
    if a_folder:
        path.mkdir()
        (path / MANIFEST).write_bytes(b"half")
    else:
        path.write_bytes(b"half")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


HOUR = 3600


@pytest.mark.slow
@pytest.mark.parametrize("by", ["collect", "verify"])
def test_old_temporary_files_are_removed(
    client: ep.EngagementClient, archive: ep.Archive, by: str
) -> None:
    """Files in a collection and folders next to it are removed after an hour."""
    collection = collect(client, archive)
    name = collection.records.file(collection.requests[0]).name
    for age in (HOUR + 60, HOUR - 60):
        temporary = [
            leave_temporary(collection.path, name, age),
            leave_temporary(collection.path, "complete", age),
            *([leave_temporary(archive.folder, "historical-0123", age, a_folder=True)]),
        ]
        mine = collection.path / ".notes"
        mine.write_text("mine")
        os.utime(mine, (0, 0))
        if by == "collect":
            collect(client, archive)
        else:
            assert archive.verify() == ()
        assert [path.exists() for path in temporary] == [age < HOUR] * 3
        assert mine.exists()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_exports_remove_their_own_temporary_files(tmp_path: Path, ending: str) -> None:
    """The next export to the same path removes them after an hour, and no others."""
    counts = ep.flatten_json(json.dumps({"g": {"1": {"replies": "1"}}}))
    path = tmp_path / f"counts.{ending}"
    old = leave_temporary(tmp_path, path.name, HOUR + 60)
    other = leave_temporary(tmp_path, f"others.{ending}", HOUR + 60)
    (ep.write_csv if ending == "csv" else ep.write_parquet)(counts, path)
    assert (old.exists(), other.exists()) == (False, True)
    young = leave_temporary(tmp_path, path.name, HOUR - 60)
    (ep.write_csv if ending == "csv" else ep.write_parquet)(counts, path)
    assert young.exists()


def test_a_link_is_removed_without_its_target(tmp_path: Path) -> None:
    """The folder behind the link stays."""
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("mine")
    link = tmp_path / f".{'0' * 32}-name"
    link.symlink_to(kept)
    os.utime(link, (0, 0), follow_symlinks=False)
    files.sweep(tmp_path)
    assert (link.is_symlink(), (kept / "file").exists()) == (False, True)
