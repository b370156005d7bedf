"""Reading an archive of many small answers, compared with the least that this can take.

That is ``gzip.decompress`` and ``orjson.loads`` of each file, without checksums, limits and
comparison with the request. All run alternately in one run; the minimum CPU time counts::

    python -m pytest tests/benchmarks/test_archives.py -o addopts= --benchmark-only -s
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from benchmarks.test_flattening import least

import engagement_pandas as ep
from engagement_pandas.response.archives.answer_files import MANIFEST

ANSWERS = 2_000
NOW = datetime(2026, 5, 1, tzinfo=UTC)
BOUNDS = {"resume": 6.5, "verify": 8.5, "flatten": 8.5}
"""Maximum times of each, relative to the least."""


def collected(folder: Path) -> list[Path]:
    """Store answers of 48 counts each, and return their files."""
    types = ["replies", "url_clicks"]
    ids = [str(2_020_000_000_000_000_000 + 4096 * number) for number in range(ANSWERS)]
    window = ep.Window.covering("2026-03-01", "2026-03-02")
    planned = ep.plan(ep.historical(ids, engagement_types=types, window=window), now=NOW)
    parts = tuple(planned.request.replace(post_ids=(post,)) for post in ids)
    collection = ep.Archive(folder).collection(replace(planned, requests=parts), "me", NOW)
    hours = {f"{hour:02}": str(hour) for hour in range(24)}
    for part in parts:
        counts = {post: {name: {"2026-03-01": hours} for name in types} for post in part.post_ids}
        body = orjson.dumps(
            {
                "start": "2026-03-01T00:00:00Z",
                "end": "2026-03-02T00:00:00Z",
                part.groupings[0].name: counts,
            }
        )
        collection.keep(ep.EngagementResponse(part, body, 200, NOW), gzipped=gzip.compress(body))
    return [path for path in collection.path.glob("*.json.gz") if path.name != MANIFEST]


def test_many_small_answers(
    benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each way to read them takes at most a small multiple of the least."""
    files, archive = collected(tmp_path), ep.Archive(tmp_path)
    ways = {
        "resume": lambda: archive.collections[0].unanswered,
        "verify": archive.verify,
        "flatten": lambda: ep.flatten(archive.collections[0]),
    }

    def read_files() -> None:
        for file in files:
            orjson.loads(gzip.decompress(file.read_bytes()).partition(b"\n")[2])

    assert len(files) == ANSWERS
    archive.collections[0].finish()
    assert ways["resume"]() == ways["verify"]() == ()
    base, *ours = benchmark.pedantic(lambda: least(3, read_files, *ways.values()))
    ratios = {name: seconds / base for name, seconds in zip(ways, ours, strict=True)}
    with capsys.disabled():
        print(f"\nsmall answers: { {n: round(r, 1) for n, r in ratios.items()} } x")  # noqa: T201
    assert all(ratios[name] <= BOUNDS[name] for name in ways)
