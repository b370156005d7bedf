"""Keys of a store: in no pickle, copy, repr or token; sent to no worker."""

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


def test_it_is_not_pickled(keyed: ep.Dataset) -> None:
    """Nor is a piece of it: the error names the cure."""
    for one in (keyed, keyed.pieces()[0], keyed._store):
        with pytest.raises(ep.DatasetError, match="environment variables") as caught:
            pickle.dumps(one)
        assert CANARY not in str(caught.value)


@pytest.mark.slow
def test_it_is_not_shown(keyed: ep.Dataset) -> None:
    """Whatever one looks at, also after it was used."""
    for one in (keyed, keyed._store, keyed._store.counts, keyed.pieces()[0], vars(keyed)):
        assert CANARY not in repr(one)
    for made in (copy.copy(keyed), copy.deepcopy(keyed)):
        assert CANARY not in repr(vars(made))
        assert len(made.read()) == 288


@pytest.mark.slow
def test_without_keys_it_is_pickled(tmp_path: Path) -> None:
    """And is the same data set there."""
    dataset = ep.Dataset(tmp_path / "set")
    dataset.append(some("2026-04-01T00:05:00Z"))
    there: ep.Dataset = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - our own
    assert there.read().equals(dataset.read())
    piece: Any = pickle.loads(pickle.dumps(dataset.pieces()[0]))  # noqa: S301 - our own
    assert piece.read().equals(dataset.read())


def test_dask_in_this_process(keyed: ep.Dataset) -> None:
    """Threads need no pickle; the names of tasks hold no key."""
    with dask.config.set(scheduler="threads"):
        counts = epd.read(keyed)
        assert len(counts.compute()) == 288
    assert CANARY not in str(dict(counts.dask))
    assert tokenize(keyed.pieces()) == tokenize(keyed.pieces())
    assert threading.active_count()
