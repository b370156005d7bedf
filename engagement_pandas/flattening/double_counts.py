"""Detect counts that occur in two responses and would be summed twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from engagement_pandas.errors import RequestError
from engagement_pandas.flattening.compare_with_request import AnswerSummary
from engagement_pandas.response.nested_counts.expected_shape import ALL_TIME


def refuse_double_counts(answers: Sequence[AnswerSummary]) -> None:
    """Raise if two responses count the same post and type in the same hour."""
    posts = [answer.posts for answer in answers]
    if len(frozenset().union(*posts)) == sum(map(len, posts)):  # as in most plans
        return
    by_post: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    types_of = [frozenset(answer.counted_types) for answer in answers]
    for place, answer in enumerate(answers):
        span = answer.span or ALL_TIME
        for post in answer.posts:
            by_post[post].append((span.start, span.end, place))
    for post, spans in by_post.items():
        if len(spans) == 1:
            continue
        # End of the last response for each set of types; earlier responses ended before it.
        reach: dict[frozenset[str], tuple[int, int]] = {}
        for start, end, place in sorted(spans):
            for types, (until, other) in reach.items():
                if start < until and types & types_of[place]:
                    _refuse(post, types & types_of[place], answers, other, place)
            reach[types_of[place]] = end, place


def _refuse(
    post: str, types: frozenset[str], answers: Sequence[AnswerSummary], place: int, other: int
) -> None:
    first, second = sorted((place, other))
    spans = [answers[number].span for number in (first, second)]
    when = "" if None in spans else f" ({spans[0]} and {spans[1]})"
    msg = (
        f"responses {first} and {second} both count {min(types)} of post {post}{when}, which "
        "would be added up twice; keep one of them"
    )
    raise RequestError(msg)
