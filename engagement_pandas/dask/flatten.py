"""Stored responses as dask DataFrames of counts and of omissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from uuid import uuid4

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd

from engagement_pandas import flattening
from engagement_pandas.dask.merge_partitions import merge_partitions, stretches
from engagement_pandas.dask.partitions import (
    ROWS_PER_PARTITION,
    Partition,
    partitions,
    related,
    stored_requests,
)
from engagement_pandas.errors import RequestError
from engagement_pandas.flattening.combine import add
from engagement_pandas.flattening.count_arrays import CountArrays
from engagement_pandas.flattening.tidy_frame import to_tidy_frame
from engagement_pandas.flattening.time_buckets import Integers
from engagement_pandas.frame.contract import TEXT, empty_omissions, in_order
from engagement_pandas.frame.number_checks import whole_number
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.archives.archive import Archive
from engagement_pandas.response.archives.collection import Collection
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.text import format_list, warn


def flatten(
    stored: Archive | Collection | Iterable[Collection],
    grouping: str | None = None,
    *,
    retrieved_at: bool = False,
    rows: int = ROWS_PER_PARTITION,
) -> dd.DataFrame:
    """Flatten stored responses into a dask DataFrame of tidy counts.

    Only the list of requests is read immediately. Workers read, flatten and discard the
    responses one partition at a time, so they need access to the archive's folder, but not
    memory for all of it.

    Parameters
    ----------
    stored : Archive, Collection, or iterable of Collection
        With the same endpoint and the same dimensions.
    grouping : str, optional
        Name of the grouping to flatten; required only if a request has several.
    retrieved_at : bool
        Keep snapshots separate, as :func:`engagement_pandas.flatten` does.
    rows : int
        Maximum counts in a partition; exceeded only if responses must be read together: a
        single response, responses that are summed into the same counts, and those that
        could count the same thing.

    Returns
    -------
    dask DataFrame
        The rows of ``engagement_pandas.flatten(archive)``, with its columns and dtypes.
        ``engagement_type`` is a category of all *requested* types, since those present are
        not known yet. Rows are sorted by their key columns within each partition only, and
        each has its own index. ``attrs`` apply to each partition only. If the grouping sums
        over posts, there is a single partition, the sum of all responses.

    Raises
    ------
    RequestError
        As :func:`engagement_pandas.flatten`. Errors in responses are raised when they are
        read, in ``compute()``: if two count the same thing, or if one does not match its
        request (``ResponseShapeError``) or is damaged (``ArchiveError``).

    Warns
    -----
    UserWarning
        If a collection is not finished.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> from engagement_pandas import dask as epd
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     archive = ep.Archive(folder)
    ...     request = ep.totals(demo.posts, engagement_types=["favorites"])
    ...     collection = demo.client.collect(request, into=archive)
    ...     counts = epd.flatten(archive)
    ...     counts.compute().equals(ep.flatten(archive))
    True
    >>> list(counts.columns)
    ['post_id', 'engagement_type', 'count']
    """
    meta, parts, unfinished = open_stored(stored, grouping, rows, retrieved_at=retrieved_at)
    read = partial(_read, grouping=grouping, retrieved_at=retrieved_at, meta=meta)
    counts = _mapped(read, parts, meta, unfinished=unfinished)
    if "post_id" in meta or len(parts) == 1:
        return counts
    by = parts[0].shares[0].requests[0].grouping(grouping)
    return _reduced(counts, partial(_sums, by=by, meta=meta), meta)


def omissions(
    stored: Archive | Collection | Iterable[Collection], *, rows: int = ROWS_PER_PARTITION
) -> dd.DataFrame:
    """Return what was requested and has no count, and why, as a dask DataFrame.

    Parameters
    ----------
    stored : Archive, Collection, or iterable of Collection
    rows : int
        As for :func:`flatten`: the counts that are read to find omissions.

    Returns
    -------
    dask DataFrame
        One partition with the columns and dtypes of :func:`engagement_pandas.omissions`,
        one row per omission, sorted, without duplicates.

    Raises
    ------
    RequestError
        If there are no responses.

    Warns
    -----
    UserWarning
        If a collection is not finished.

    Examples
    --------
    >>> import engagement_pandas as ep, tempfile
    >>> from engagement_pandas import dask as epd
    >>> with tempfile.TemporaryDirectory() as folder, ep.demo_client("2026-04-15") as demo:
    ...     archive = ep.Archive(folder)
    ...     request = ep.totals(["1"], engagement_types=["favorites"])
    ...     collection = demo.public.collect(request, into=archive)
    ...     omitted = epd.omissions(archive).compute()
    >>> omitted[["post_id", "reason"]].values.tolist()
    [['1', 'unavailable']]
    """
    most = whole_number(rows, "rows", 1)
    collections = _collections_in(stored)
    flattening.omissions(_stand_ins(collections))
    meta = empty_omissions()
    parts = partitions(collections, [[part] for part in stored_requests(collections)], most)
    read = partial(_omissions, meta=meta)
    omitted = _mapped(read, parts, meta, unfinished=_warn_of_unfinished(collections))
    return omitted if len(parts) == 1 else _reduced(omitted, _once, meta)


def open_stored(
    stored: object, grouping: str | None, rows: int, *, retrieved_at: bool
) -> tuple[pd.DataFrame, tuple[Partition, ...], bool]:
    """Return a frame without rows, the partitions, and whether a collection is unfinished."""
    most = whole_number(rows, "rows", 1)
    collections = _collections_in(stored)
    meta = _empty_of(collections, grouping, retrieved_at=retrieved_at)
    families = related(collections, grouping, retrieved_at=retrieved_at)
    return meta, partitions(collections, families, most), _warn_of_unfinished(collections)


def _collections_in(stored: object) -> tuple[Collection, ...]:
    """Return the collections in the argument of a caller."""
    if isinstance(stored, Collection):
        return (stored,)
    collections = stored.collections if isinstance(stored, Archive) else stored
    if isinstance(collections, str | bytes | Mapping) or not isinstance(collections, Iterable):
        msg = f"stored responses are an Archive or its collections, not a {type(stored).__name__}"
        raise RequestError(msg)
    collections = tuple(collections)
    for collection in collections:
        if not isinstance(collection, Collection):
            msg = (
                f"one of the collections is a {type(collection).__name__}; flatten responses in "
                "memory with engagement_pandas.flatten()"
            )
            raise RequestError(msg)
    return collections


def _stand_ins(collections: Sequence[Collection]) -> list[EngagementResponse]:
    """Return a response without counts for each kind of request, to check that they match."""
    stand_ins = {
        (request.endpoint, request.groupings): EngagementResponse.unposted(
            request, collection.started
        )
        for collection in collections
        for request in (*collection.requests, *collection.unposted)
    }
    return list(stand_ins.values())


def _empty_of(
    collections: Sequence[Collection], grouping: str | None, *, retrieved_at: bool
) -> pd.DataFrame:
    """Return a frame of counts without rows: its columns, dtypes and engagement types."""
    empty = flattening.flatten(_stand_ins(collections), grouping, retrieved_at=retrieved_at)
    requested = {
        str(t) for part in stored_requests(collections) for t in part.request.engagement_types
    }
    types = pd.CategoricalDtype(pd.Index(in_order(requested), dtype=TEXT))
    return empty.astype({"engagement_type": types})


def _warn_of_unfinished(collections: Sequence[Collection]) -> bool:
    """Warn of unfinished collections, and return whether there are any."""
    unfinished = [collection for collection in collections if not collection.complete]
    if unfinished:
        more = f" (and {len(unfinished) - 1} more)" if len(unfinished) > 1 else ""
        msg = (
            f"{unfinished[0].path} is not finished{more}: requests without a response are left "
            "out; collect the same request again"
        )
        warn(msg)
    return bool(unfinished)


def _mapped(
    read: Callable[[Partition], pd.DataFrame],
    parts: Sequence[Partition],
    meta: pd.DataFrame,
    *,
    unfinished: bool,
) -> dd.DataFrame:
    """Return a dask DataFrame that reads each partition."""
    # An unfinished collection may grow, so a cluster must not reuse a cached result.
    name = f"stored-{uuid4().hex}" if unfinished else "stored"
    with dask.config.set({"dataframe.convert-string": False}):  # keep str
        mapped: dd.DataFrame = dd.from_map(read, parts, meta=meta, label=name)
    return mapped


def _reduced(
    frame: dd.DataFrame, less: Callable[[pd.DataFrame], pd.DataFrame], meta: pd.DataFrame
) -> dd.DataFrame:
    """Reduce all partitions to one, merging a few at a time."""
    with dask.config.set({"dataframe.convert-string": False}):  # keep str
        reduced: dd.DataFrame = dd.from_delayed([merge_partitions(frame, less)], meta=meta)
    return reduced


def _read(
    partition: Partition, *, grouping: str | None, retrieved_at: bool, meta: pd.DataFrame
) -> pd.DataFrame:
    responses = list(partition)
    if not responses:
        return meta
    counts = flattening.flatten(responses, grouping, retrieved_at=retrieved_at)
    hourly = {"day", "hour"} <= set(counts.columns)
    counts.attrs |= stretches(responses, hourly=hourly)
    return _typed(counts, meta)


def _typed(counts: pd.DataFrame, meta: pd.DataFrame) -> pd.DataFrame:
    requested, present = (frame["engagement_type"].cat.categories for frame in (meta, counts))
    unknown = present.difference(requested)
    if len(unknown):
        msg = (
            f"a response counts {format_list(unknown)}, which were not requested; use "
            "engagement_pandas.flatten()"
        )
        raise RequestError(msg)
    counts["engagement_type"] = counts["engagement_type"].cat.set_categories(requested)
    return counts


def _omissions(partition: Partition, *, meta: pd.DataFrame) -> pd.DataFrame:
    responses = list(partition)
    return flattening.omissions(responses) if responses else meta


def _once(omitted: pd.DataFrame) -> pd.DataFrame:
    """Return omissions sorted as in memory, without duplicates."""
    keys = ["post_id", "engagement_type", "reason", "start", "end", "message"]
    return omitted.drop_duplicates().sort_values(keys, na_position="first", ignore_index=True)


def _sums(counts: pd.DataFrame, *, by: Grouping, meta: pd.DataFrame) -> pd.DataFrame:
    """Sum counts over posts, as responses are summed in memory."""
    types = counts["engagement_type"].cat
    number = counts["count"].array
    arrays = CountArrays(
        ("",),
        tuple(types.categories),
        np.zeros(len(counts), np.int32),
        types.codes.to_numpy().astype(np.int32),
        _buckets(counts),
        number.to_numpy(dtype="int64", na_value=0),
        np.asarray(number.isna()),
    )
    return _typed(to_tidy_frame(add([arrays], by.name), by.dimensions), meta)


def _buckets(counts: pd.DataFrame) -> Integers:
    """Return the bucket of each row, see ``flattening.time_buckets``."""
    bucket = np.zeros(len(counts), np.int64)
    if "day" in counts:
        bucket += counts["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    if "hour" in counts:
        bucket = bucket * (24 if "day" in counts else 1) + counts["hour"].to_numpy()
    return bucket
