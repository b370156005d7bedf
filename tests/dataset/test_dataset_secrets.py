"""The keys of a store are in no pickle, copy, repr or token, and are sent to no worker."""

from __future__ import annotations

import copy
import pickle
import threading
from pathlib import Path
from typing import Any

import dask
import pytest
from dask.base import tokenize
from support.datasets.frames import some

import engagement_pandas as ep
from engagement_pandas import dask as epd

CANARY = "canary-secret"
OPTIONS = {"AWS_SECRET_ACCESS_KEY": CANARY, "AWS_REGION": "us-east-1"}


@pytest.fixture
def keyed(tmp_path: Path) -> ep.Dataset:
    """Return a data set at an address, with keys."""
    made = ep.Dataset(f"file://{tmp_path}/set", storage_options=OPTIONS)
    made.append(some("2026-04-01T00:05:00Z"))
    return made


def test_a_data_set_with_keys_cannot_be_pickled(keyed: ep.Dataset) -> None:
    """Neither can its chunks; the error names the cure."""
    for part in (keyed, keyed.pieces()[0], keyed._tables):
        with pytest.raises(ep.DatasetError, match="environment variables") as caught:
            pickle.dumps(part)
        assert CANARY not in str(caught.value)


@pytest.mark.slow
def test_no_repr_shows_a_key(keyed: ep.Dataset) -> None:
    """The same holds after the data set was used."""
    for part in (keyed, keyed._tables, keyed._tables.counts, keyed.pieces()[0], vars(keyed)):
        assert CANARY not in repr(part)
    for copied in (copy.copy(keyed), copy.deepcopy(keyed)):
        assert CANARY not in repr(vars(copied))
        assert len(copied.read()) == 288


@pytest.mark.slow
def test_a_data_set_without_keys_can_be_pickled(tmp_path: Path) -> None:
    """The unpickled data set has the same counts."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some("2026-04-01T00:05:00Z"))
    unpickled: ep.Dataset = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - our own
    assert unpickled.read().equals(dataset.read())
    chunk: Any = pickle.loads(pickle.dumps(dataset.pieces()[0]))  # noqa: S301 - our own
    assert chunk.read().equals(dataset.read())


def test_dask_in_this_process_reads_without_pickling(keyed: ep.Dataset) -> None:
    """Threads need no pickle, and the names of tasks hold no key."""
    with dask.config.set(scheduler="threads"):
        counts = epd.read(keyed)
        assert len(counts.compute()) == 288
    assert CANARY not in str(dict(counts.dask))
    assert tokenize(keyed.pieces()) == tokenize(keyed.pieces())
    assert threading.active_count()
