"""Data sets in an S3 store."""

from __future__ import annotations

import copy
import os
import re
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import pandas as pd
import pytest
from support.datasets.frames import some
from support.processes import end, start

import engagement_pandas as ep

FIRST, SECOND = (f"2026-04-01T0{hour}:05:00Z" for hour in range(2))
KEY, SECRET, REGION, BUCKET = "key", "secret", "us-east-1", "bucket"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not find_spec("moto") and "REQUIRE_PROGRAMS" not in os.environ,
        reason="moto runs S3 on this machine",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Run a store with a bucket in its own process, since deltalake holds the GIL while waiting."""
    server = start(
        *(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"), lasting=True
    )
    assert server.stderr is not None
    announced = (re.search(r"http://127\.0\.0\.1:(\d+)", line) for line in server.stderr)
    number = next(int(found[1]) for found in announced if found)
    threading.Thread(target=server.stderr.read, daemon=True).start()  # a full pipe would stop it
    import_module("boto3").client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{number}",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name=REGION,
    ).create_bucket(Bucket=BUCKET)
    yield number
    end(server)


def by_deltalake(port: int) -> ep.Dataset:
    """Return a data set at its S3 address."""
    options = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": REGION,
        "AWS_ALLOW_HTTP": "true",
    }
    return ep.Dataset(f"s3://{BUCKET}/by_address", storage_options=options)


def test_an_object_store_works_as_a_folder_does(port: int) -> None:
    """Two appends, a revision, a compaction and three concurrent writers give the same."""
    dataset = by_deltalake(port)
    assert dataset.append(some(FIRST)) == (288, 0)
    assert dataset.append(some(FIRST)) == (0, 0)
    assert dataset.append(some(SECOND, posts=["7"], count=6)) == (0, 144)
    for post in "12":
        dataset.append(some(FIRST, posts=[post]))
    assert len(dataset.files()) == 3 + 3 + 3
    dataset.compact(kept_hours=0)
    assert len(dataset.files()) == 3
    failed: list[BaseException] = []

    def write(into: ep.Dataset, posts: str) -> None:
        try:
            for post in posts:
                into.append(some(FIRST, posts=[post], days=1))
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failed.append(error)

    writers = [
        threading.Thread(target=write, args=(copy.copy(dataset), posts))
        for posts in ("34", "43", "5")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    found = dataset.read()
    assert found.groupby("post_id").size().to_dict() == {
        **dict.fromkeys("1278", 144),
        **dict.fromkeys("345", 48),
    }
    pd.testing.assert_frame_equal(dataset.read(post_ids=["1", "2"]), some(FIRST, posts=["1", "2"]))
    assert dataset.read(post_ids=["7"])["count"].unique().tolist() == [6]
    assert len(dataset.revisions()) == 144
    assert sum(len(chunk.read()) for chunk in dataset.pieces(rows=300)) == len(found)
