"""Flatten any number of responses into one tidy frame of counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final

import pandas as pd

from engagement_pandas.errors import RequestError
from engagement_pandas.flattening.combine import add
from engagement_pandas.flattening.compare_with_request import (
    AnswerSummary,
    compare_as_one,
    compare_with_request,
)
from engagement_pandas.flattening.count_arrays import CountArrays
from engagement_pandas.flattening.covered_window import Answer, covered_window
from engagement_pandas.flattening.double_counts import refuse_double_counts
from engagement_pandas.flattening.snapshots import Times, refuse_sums
from engagement_pandas.flattening.tidy_frame import to_tidy_frame
from engagement_pandas.frame.contract import empty_counts
from engagement_pandas.request.grouping import Grouping
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.text import format_list

ANSWERED: Final = 200

_BATCH: Final = 2**20
"""Maximum bytes of answers that are read as one; larger ones have less to gain."""


def flatten(
    responses: EngagementResponse | Iterable[EngagementResponse],
    grouping: str | None = None,
    *,
    retrieved_at: bool = False,
) -> pd.DataFrame:
    """Flatten responses into one tidy frame of counts.

    Responses to parts of one plan are summed, so the counts are those of the entire plan.
    Only zeros of windows that end before a post was created are absent, since a plan does
    not request them. Zeros that are not counts become ``<NA>``, and so do counts that a
    response lacks for a post it counts; :func:`omissions` gives the reasons.

    Parameters
    ----------
    responses : EngagementResponse or iterable of EngagementResponse
        Responses to requests with the same endpoint and the same dimensions.
    grouping : str, optional
        Name of the grouping to flatten; required only if a request has several.
    retrieved_at : bool
        Keep snapshots separate: a request that was repeated, as in an ``Archive`` of
        ``/totals``, has rows for each retrieval.

    Returns
    -------
    DataFrame
        One row per count, sorted by its key columns, with a new ``RangeIndex``:
        ``post_id`` (``str``), ``engagement_type`` (category of the types present), ``day``
        (``datetime64[us]``, midnight UTC), ``hour`` (``int8``, UTC) as far as the grouping
        has them; after the type ``retrieved_at`` (``datetime64[us, UTC]``), if requested;
        and ``count`` (``Int64``: counts per hour, UTC, or per day, or in the entire window,
        not cumulative). ``attrs["retrieved_at"]`` is the ISO text of the earliest
        retrieval, ``attrs["endpoint"]`` the endpoint, and ``attrs["start"]`` and
        ``attrs["end"]`` the exact window, if it is the same for all posts. A merge or
        another program may lose ``attrs``: then set ``merged.attrs = counts.attrs``, or
        results that depend on them are ``<NA>``.

    Raises
    ------
    RequestError
        If there are no responses, if they do not belong together, or if two of them count
        the same post and type in the same hour. AmbiguousGrouping if there are several
        groupings and none is named.
    ResponseShapeError
        If the JSON does not match the request; ``path`` is the location.

    Notes
    -----
    Counts are JSON strings, sometimes integers, and can be negative in a time series
    (unlikes). A response with a status other than 200 has no counts.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> request = ep.totals(["123"], engagement_types=["favorites", "retweets"])
    >>> body = {"by_post": {"123": {"retweets": "26", "favorites": "67"}}}
    >>> flatten(ep.EngagementResponse(request, body))
      post_id engagement_type  count
    0     123       favorites     67
    1     123        retweets     26
    """
    given = gathered(responses)
    groupings = _picked(given, grouping)
    counts = (_kept_apart if retrieved_at else _added)(given, groupings)
    earliest = min(response.retrieved_at for response in given)
    counts.attrs["retrieved_at"] = earliest.astimezone(UTC).isoformat()
    counts.attrs["endpoint"] = str(given[0].request.endpoint)
    return counts


def _added(responses: Sequence[EngagementResponse], groupings: Sequence[Grouping]) -> pd.DataFrame:
    """Return the counts of the responses, summed if they share a key."""
    read = _read(responses, groupings)
    answers, parts = [*chain.from_iterable(answers for answers, _ in read)], [c for _, c in read]
    del read  # frees memory for the frame
    refuse_double_counts([summary for _, summary in answers])
    if not answers:
        return empty_counts(groupings[0].columns)
    arrays = parts[0] if len(parts) == 1 else add(parts, groupings[0].name)
    del parts  # frees memory for the frame
    counts = to_tidy_frame(arrays, groupings[0].dimensions)
    counts.attrs.update(covered_window(answers))
    return counts


def _kept_apart(
    responses: Sequence[EngagementResponse], groupings: Sequence[Grouping]
) -> pd.DataFrame:
    """Return the counts of the responses with the time of each."""
    for response, grouping in zip(responses, groupings, strict=True):
        refuse_sums(response, grouping)
    read = _read(responses, groupings)
    answers = [*chain.from_iterable(answers for answers, _ in read)]
    by_time: dict[datetime, list[AnswerSummary]] = {}
    for response, summary in answers:
        by_time.setdefault(response.retrieved_at, []).append(summary)
    for summaries in by_time.values():
        refuse_double_counts(summaries)
    if not any(len(part) for _, part in read):
        return empty_counts((*groupings[0].columns, "retrieved_at"))
    times = Times.of([part for _, part in read], list(by_time))
    parts = [
        times.number(
            part, {post: response.retrieved_at for response, own in given for post in own.posts}
        )
        for given, part in read
    ]
    del read
    arrays = add(parts, groupings[0].name)
    del parts  # frees memory for the frame
    counts = to_tidy_frame(arrays, groupings[0].dimensions, times)
    covered = [covered_window([answer]) for answer in answers]
    if len(answers) == len(responses) and all(window == covered[0] for window in covered):
        counts.attrs.update(covered[0])
    return counts


def _read(
    responses: Sequence[EngagementResponse], groupings: Sequence[Grouping]
) -> list[tuple[list[Answer], CountArrays]]:
    """Return the answers among the responses, as far as possible many in one part, with counts."""
    read = []
    for batch, grouping in _batches(responses, groupings):
        together = compare_as_one(batch, grouping) if len(batch) > 1 else None
        if together:
            summaries, counts = together
            read.append(([*zip(batch, summaries, strict=True)], counts))
            continue
        for response in batch:
            summary, counts = compare_with_request(response, grouping)
            read.append(([(response, summary)], counts))
    return read


def _batches(
    responses: Sequence[EngagementResponse], groupings: Sequence[Grouping]
) -> Iterator[tuple[list[EngagementResponse], Grouping]]:
    """Yield successive answers whose requests differ only in their posts, as many as are small."""
    batch: list[EngagementResponse] = []
    size, of = 0, groupings[0]
    for response, grouping in zip(responses, groupings, strict=True):
        if response.status != ANSWERED:
            continue
        size += len(response.content)
        if batch and (size > _BATCH or grouping != of or not _alike(response, batch[0])):
            yield batch, of
            batch, size = [], len(response.content)
        batch.append(response)
        of = grouping
    if batch:
        yield batch, of


def _alike(response: EngagementResponse, other: EngagementResponse) -> bool:
    """Return whether two requests have the same types and window."""
    one, two = response.request, other.request
    return one.engagement_types == two.engagement_types and one.window == two.window


def gathered(
    responses: EngagementResponse | Iterable[EngagementResponse],
) -> list[EngagementResponse]:
    """Return responses as a list."""
    if isinstance(responses, EngagementResponse):
        return [responses]
    if isinstance(responses, pd.DataFrame):
        msg = (
            "flatten() and omissions() take the responses of client.fetch() or an archive, and "
            "this is a frame; counts do not hold their omissions"
        )
        raise RequestError(msg)
    if isinstance(responses, str | bytes | dict) or not isinstance(responses, Iterable):
        msg = (
            f"flatten() takes responses, not a {type(responses).__name__}; for the body of an "
            "answer use flatten_json()"
        )
        raise RequestError(msg)
    given = list(responses)
    for response in given:
        if not isinstance(response, EngagementResponse):
            msg = (
                f"there is a {type(response).__name__} among the responses; wrap a body as "
                "EngagementResponse(request, body), or use flatten_json()"
            )
            raise RequestError(msg)
    if not given:
        msg = "there are no responses, and so no columns; give at least one"
        raise RequestError(msg)
    return given


def _picked(responses: Sequence[EngagementResponse], name: str | None) -> list[Grouping]:
    """Return the grouping of that name in each response, with the same columns in all."""
    picked = [response.request.grouping(name) for response in responses]
    endpoints = list(dict.fromkeys(response.request.endpoint for response in responses))
    if len(endpoints) > 1:
        msg = (
            f"the responses are from {format_list(f'/{endpoint}' for endpoint in endpoints)}, "
            "whose "
            "counts do not mean the same; flatten each on its own"
        )
        raise RequestError(msg)
    columns = list(dict.fromkeys(grouping.columns for grouping in dict.fromkeys(picked)))
    if len(columns) > 1:
        msg = (
            f"the responses are grouped by {' and by '.join(format_list(c) for c in columns)}; "
            "flatten each on its own, or name a grouping they share"
        )
        raise RequestError(msg)
    return picked
