"""What JSON of X API v2 has no counts of: problems with posts, and metrics that are null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pandas as pd

from engagement_pandas.frame.contract import REASONS, TEXT, empty_omissions
from engagement_pandas.sources.flatten_analytics import ANALYTICS_TYPES, buckets_of
from engagement_pandas.sources.flatten_lookup import LOOKUP_TYPES, Metrics, check_metrics, counts_of
from engagement_pandas.sources.v2_json import (
    Body,
    Document,
    document_of,
    is_analytics,
    kind_of_problem,
    message_of,
    post_id_of,
    resource_of,
)
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

_REASONS: Final[Mapping[str, OmissionReason]] = {
    "resource-not-found": OmissionReason.UNAVAILABLE,
    "resource-unavailable": OmissionReason.UNAVAILABLE,
    "disallowed-resource": OmissionReason.UNAVAILABLE,
    "not-authorized-for-resource": OmissionReason.FORBIDDEN,
    "not-authorized-for-field": OmissionReason.FORBIDDEN,
    "field-unauthorized": OmissionReason.FORBIDDEN,
    "field-hydration-failure": OmissionReason.NOT_ANSWERED,
    "internal-error": OmissionReason.NOT_ANSWERED,
}
"""Reasons by the last part of a problem's type."""

_EXPANSIONS: Final = frozenset(
    {
        *("referenced_tweets.id", "referenced_posts.id", "attachments.media_source_tweet"),
        *("edit_history_tweet_ids", "pinned_tweet_id"),
    }
)
"""Parameters of problems with posts that others refer to."""

_Row = tuple[str, str | None, OmissionReason, str]


def v2_omissions(body: Body | Document, metrics: Metrics = "public") -> pd.DataFrame:
    """Return the posts of an answer of X API v2 that have no counts, with the reason.

    Parameters
    ----------
    body, metrics
        As for :func:`flatten_lookup`; answers of ``/2/tweets/analytics`` too.

    Returns
    -------
    DataFrame
        As returned by :func:`omissions`: ``post_id``, ``engagement_type`` (``str``, ``<NA>`` for
        all types), ``reason`` (category), ``message`` (``str``, the API's own words), ``start``
        and ``end`` (``NaT``, since there is no window). Posts without these metrics and metrics
        that are null are included. Problems with other metrics are not, nor those with users,
        media and posts that others refer to.

    Raises
    ------
    ResponseShapeError
        If the body has another shape; with the position.
    RefusedError
        If it holds nothing but problems of the entire request.
    FrameError
        If ``metrics`` is not one of the four.

    Examples
    --------
    >>> problem = {"type": "https://api.x.com/2/problems/resource-not-found",
    ...            "resource_id": "8", "detail": "Could not find tweet with ids: [8]."}
    >>> v2_omissions({"data": [], "errors": [problem]})[["post_id", "reason"]]
      post_id       reason
    0       8  unavailable
    """
    check_metrics(metrics)
    document = document_of(body)
    if is_analytics(document):
        problems = list(_problems(document, "", ANALYTICS_TYPES))
        unknown = _unknown_in_buckets(document)
    else:
        problems = list(_problems(document, f"{metrics}_metrics", LOOKUP_TYPES))
        unknown = _unknown_in_posts(document, metrics)
    # A problem with a post states the reason for all its types, as one with a type does for it.
    stated = {key for post, name, *_ in problems for key in ((post, name), (post, ""))}
    rest = [row for row in unknown if not {(row[0], None), (row[0], row[1] or "")} & stated]
    return _omissions_of([*problems, *rest])


def _problems(document: Document, section: str, types: Mapping[str, str]) -> Iterator[_Row]:
    """Yield the problems with posts that were requested, and with the metrics of the section."""
    for problem in document.problems:
        post = resource_of(problem)
        within, _, name = str(problem.get("field") or section).rpartition(".")
        if (
            not post
            or (problem.get("resource_type") or "tweet") not in {"tweet", "post"}
            or (problem.get("section") or "data") != "data"
            or problem.get("parameter") in _EXPANSIONS
            or (section and section not in {within, name})
        ):
            continue
        reason = _REASONS.get(kind_of_problem(problem), OmissionReason.NOT_ANSWERED)
        type_name = None if name == section else types.get(name, name)
        yield post, type_name, reason, message_of(problem)


def _unknown_in_posts(document: Document, metrics: Metrics) -> Iterator[_Row]:
    """Yield posts without the metrics, and metrics that are null."""
    for item in document.originals:
        counts = list(counts_of(item, metrics))
        yield from _unknown(post_id_of(item), counts, f"it has no {metrics}_metrics")


def _unknown_in_buckets(document: Document) -> Iterator[_Row]:
    """Yield posts without buckets, and metrics that are null in one of them, or not in it."""
    posts = [(post_id_of(item), list(buckets_of(item))) for item in document.items]
    names = dict.fromkeys(name for _, buckets in posts for _, found, _ in buckets for name in found)
    for post, buckets in posts:
        counts = [
            (ANALYTICS_TYPES.get(name, name), found.get(name))
            for name in names
            for _, found, _ in buckets
        ]
        yield from _unknown(post, counts, "it has no metrics")


def _unknown(post: str, counts: Iterable[tuple[str, Any]], nothing: str) -> Iterator[_Row]:
    """Yield the counts of a post that are null, or the post if it has none."""
    counts = list(counts)
    if not counts:
        yield post, None, OmissionReason.NOT_ANSWERED, nothing
    for name, count in counts:
        if count is None:
            yield post, name, OmissionReason.NOT_ANSWERED, "the count is null, or not there"


def _omissions_of(rows: Iterable[_Row]) -> pd.DataFrame:
    """Return omissions with reason and message."""
    given = list(dict.fromkeys(rows))
    if not given:
        return empty_omissions()
    posts, types, reasons, messages = zip(*given, strict=True)
    empty = empty_omissions()
    frame = pd.DataFrame(
        {
            "post_id": pd.Series(posts, dtype=TEXT),
            "engagement_type": pd.Series(types, dtype=TEXT),
            "reason": pd.Series([str(reason) for reason in reasons]).astype(REASONS),
            "message": pd.Series(messages, dtype=TEXT),
        }
    )
    for name in ("start", "end"):
        frame[name] = pd.Series([None] * len(given), dtype=empty[name].dtype)
    return frame.sort_values("post_id", ignore_index=True, kind="stable")
