"""Stored answers into a data set: flattened anywhere, appended one after the other."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from dask.delayed import delayed

from engagement_pandas import flattening
from engagement_pandas.archive import Archive
from engagement_pandas.collection import Collection
from engagement_pandas.dask.counts import ROWS, collections_in, empty_of, warn_of_open
from engagement_pandas.dask.partitions import Partition, partitions, related
from engagement_pandas.dataset import Dataset
from engagement_pandas.errors import DatasetError
from engagement_pandas.lake.readings import as_readings
from engagement_pandas.lake.store import Appended
from engagement_pandas.metrics.columns import whole_number


def append(
    stored: Archive | Collection | Iterable[Collection],
    dataset: Dataset,
    grouping: str | None = None,
    *,
    rows: int = ROWS,
) -> Appended:
    """Put stored answers into a data set, with what they told of the rest.

    Workers flatten at the same time and append in turn, since a data set has one writer at a
    time. To append again changes nothing: so it does not matter whether a worker dies before
    it has appended or right after, and after an error the same call goes on.

    Parameters
    ----------
    stored : Archive, Collection, or iterable of Collection
        Of ``historical()``, by post, type, day and hour.
    dataset : Dataset
        In a folder, or at an address, that all workers see.
    grouping : str, optional
        The name of the grouping to take; needed only where a request has several.
    rows : int
        At most so many counts in one append, see :func:`engagement_pandas.dask.flatten`.
        Each append leaves a file a day; ``dataset.compact()`` puts them together.

    Returns
    -------
    Appended
        How many counts were ``added`` and ``revised``; where a worker died, perhaps fewer
        than there were.

    Raises
    ------
    FrameError
        As :meth:`engagement_pandas.Dataset.append`; what can be refused by its columns and
        endpoint is, before anything is read.
    RequestError
        As :func:`engagement_pandas.dask.flatten`.
    DatasetError
        Where it cannot be written.

    Warns
    -----
    UserWarning
        Where a collection is not finished.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> from engagement_pandas import dask as epd
    >>> march = ep.Window.covering("2026-03-01", "2026-03-08")
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     archive, dataset = ep.Archive(f"{folder}/raw"), ep.Dataset(f"{folder}/counts.ds")
    ...     asked = ep.historical(demo.posts[:4], engagement_types=["replies"], window=march)
    ...     collection = demo.client.collect(asked, into=archive)
    ...     epd.append(archive, dataset), epd.append(archive, dataset)
    (Appended(added=672, revised=0), Appended(added=0, revised=0))
    """
    most = whole_number(rows, "rows", 1)
    if not isinstance(dataset, Dataset):
        msg = f"the data set is a {type(dataset).__name__}; give engagement_pandas.Dataset(path)"
        raise DatasetError(msg)
    collections = collections_in(stored)
    as_readings(empty_of(collections, grouping, retrieved_at=True))
    warn_of_open(collections)
    into = copy.copy(dataset)
    if into.local:
        into.path = str(Path(into.path).resolve())
    parts = partitions(collections, related(collections, grouping, retrieved_at=True), most)
    done = delayed(Appended(0, 0))
    for part in parts:
        done = delayed(_append)(done, delayed(_read)(part, grouping), into)
    appended: Appended = done.compute()
    return appended


def _read(partition: Partition, grouping: str | None) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    responses = list(partition)
    if not responses:
        return None
    counts = flattening.flatten(responses, grouping, retrieved_at=True)
    return counts, flattening.omissions(responses)


def _append(
    before: Appended, told: tuple[pd.DataFrame, pd.DataFrame] | None, into: Dataset
) -> Appended:
    """Append to a data set, after others have; return what all of them changed."""
    step = Appended(0, 0) if told is None else into.append(*told)
    return Appended(before.added + step.added, before.revised + step.revised)
