"""Data sets: append stored responses one after another, and read them in parallel."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import dask
import dask.dataframe as dd
import pandas as pd
from dask.delayed import delayed

from engagement_pandas import flattening
from engagement_pandas.dask.flatten import open_stored
from engagement_pandas.dask.partitions import ROWS_PER_PARTITION, Partition
from engagement_pandas.dataset.chunks import Chunk, Moment
from engagement_pandas.dataset.dataset import Dataset
from engagement_pandas.dataset.merge import KEY, as_readings
from engagement_pandas.dataset.runs import Appended
from engagement_pandas.errors import DatasetError
from engagement_pandas.frame.contract import TEXT, empty_counts, in_order
from engagement_pandas.request.engagement_types import parse_engagement_types
from engagement_pandas.response.archives.archive import Archive
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.text import format_list
from engagement_pandas.vocabulary.endpoints import Endpoint
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES


def append(
    stored: Archive | Collection | Iterable[Collection],
    dataset: Dataset,
    grouping: str | None = None,
    *,
    rows: int = ROWS_PER_PARTITION,
) -> Appended:
    """Append stored responses and their omissions to a data set.

    Workers flatten in parallel and append in turn, since a data set has one writer at a time.
    Appending is idempotent: it does not matter if a worker crashes before or after its
    append, and after an error the same call continues.

    Parameters
    ----------
    stored : Archive, Collection, or iterable of Collection
        From ``historical()``, by post, type, day and hour.
    dataset : Dataset
        In a folder or at a URL that all workers can access.
    grouping : str, optional
        Name of the grouping to flatten; required only if a request has several.
    rows : int
        Maximum counts in one append, see :func:`engagement_pandas.dask.flatten`. Each append
        adds one file per day; ``dataset.compact()`` merges them.

    Returns
    -------
    Appended
        The number of counts ``added`` and ``revised``; possibly too low if a worker
        crashed.

    Warns
    -----
    UserWarning
        If a collection is not finished.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> from engagement_pandas import dask as epd
    >>> march = ep.Window.covering("2026-03-01", "2026-03-08")
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     archive, dataset = ep.Archive(f"{folder}/raw"), ep.Dataset(f"{folder}/counts.ds")
    ...     request = ep.historical(demo.posts[:4], engagement_types=["replies"], window=march)
    ...     collection = demo.client.collect(request, into=archive)
    ...     epd.append(archive, dataset), epd.append(archive, dataset)
    (Appended(added=672, revised=0), Appended(added=0, revised=0))
    """
    into = _checked(dataset)
    meta, parts, _ = open_stored(stored, grouping, rows, retrieved_at=True)
    as_readings(meta)  # raises if they are not hourly counts
    done = delayed(Appended(0, 0))
    for part in parts:
        done = delayed(_append)(done, delayed(_read)(part, grouping), into)
    appended: Appended = done.compute()
    return appended


def read(  # noqa: PLR0913 - the arguments of Dataset.read
    dataset: Dataset,
    since: Moment | None = None,
    until: Moment | None = None,
    *,
    post_ids: Iterable[Any] | None = None,
    engagement_types: Iterable[str] | None = None,
    rows: int = ROWS_PER_PARTITION,
) -> dd.DataFrame:
    """Return the current counts of a data set as a dask DataFrame.

    Parameters
    ----------
    dataset : Dataset
        In a folder or at a URL that all workers can access.
    since, until : str or date or datetime, optional
        Half-open, UTC; hours that start within it. All by default.
    post_ids : iterable of str or int, optional
    engagement_types : iterable of str, optional
    rows : int
        Maximum counts in the files of a partition; exceeded only if a single file has more.

    Returns
    -------
    dask DataFrame
        The rows of :meth:`engagement_pandas.Dataset.read`, with its columns and dtypes, in
        partitions of entire files, ordered by day. ``engagement_type`` is a category of
        ``engagement_types``, or of all types of ``historical()``. Rows are sorted by their
        key columns within each partition only, and each has its own index.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> from engagement_pandas import dask as epd
    >>> march = ep.Window.covering("2026-03-01", "2026-03-08")
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     dataset = ep.Dataset(folder)
    ...     request = ep.historical(demo.posts[:4], engagement_types=["replies"], window=march)
    ...     done = dataset.append(ep.flatten(demo.client.fetch(request)))
    ...     counts = epd.read(dataset, since="2026-03-02", until="2026-03-04")
    ...     days = ep.over_time(dataset.read("2026-03-02", "2026-03-04"))
    ...     epd.over_time(counts)["count"].equals(days["count"])
    True
    """
    named = None
    if engagement_types is not None:
        named = [
            str(name) for name in parse_engagement_types(engagement_types, Endpoint.HISTORICAL)
        ]
    chunks = _checked(dataset).pieces(
        since, until, post_ids=post_ids, engagement_types=named, rows=rows
    )
    categories = pd.Index(in_order(SERIES_TYPES if named is None else named), dtype=TEXT)
    meta = empty_counts(KEY).astype({"engagement_type": pd.CategoricalDtype(categories)})
    with dask.config.set({"dataframe.convert-string": False}):  # keep str
        counts: dd.DataFrame = (
            dd.from_map(partial(_of_chunk, meta=meta), chunks, meta=meta, label="dataset")
            if chunks
            else dd.from_pandas(meta, npartitions=1)
        )
    return counts


def _of_chunk(chunk: Chunk, meta: pd.DataFrame) -> pd.DataFrame:
    counts = chunk.read()
    possible, present = (frame["engagement_type"].cat.categories for frame in (meta, counts))
    unknown = present.difference(possible)
    if len(unknown):
        msg = (
            f"the data set has counts of {format_list(unknown)}, which /historical does not have; "
            "use Dataset.read()"
        )
        raise DatasetError(msg)
    return counts.astype({"engagement_type": meta["engagement_type"].dtype})


def _checked(dataset: object) -> Dataset:
    if not isinstance(dataset, Dataset):
        msg = f"the data set is a {type(dataset).__name__}; pass engagement_pandas.Dataset(path)"
        raise DatasetError(msg)
    return dataset


def _read(partition: Partition, grouping: str | None) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    responses = list(partition)
    if not responses:
        return None
    counts = flattening.flatten(responses, grouping, retrieved_at=True)
    return counts, flattening.omissions(responses, retrieved_at=True)


def _append(
    before: Appended, frames: tuple[pd.DataFrame, pd.DataFrame] | None, into: Dataset
) -> Appended:
    """Append to a data set after the previous append; return the totals of all so far."""
    step = Appended(0, 0) if frames is None else into.append(*frames)
    return Appended(before.added + step.added, before.revised + step.revised)
