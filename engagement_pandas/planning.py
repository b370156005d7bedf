"""From one question to requests small enough to send.

Each part is itself an :class:`~engagement_pandas.EngagementRequest`. Nothing is lost and
nothing asked twice: posts are cut into batches, the window into neighbouring windows.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from engagement_pandas.errors import RequestError
from engagement_pandas.grouping import Grouping
from engagement_pandas.posts import created_at
from engagement_pandas.request import EngagementRequest
from engagement_pandas.vocabulary import (
    MAX_WINDOW,
    OMISSION_REASONS,
    Dimension,
    EngagementType,
    OmissionReason,
)
from engagement_pandas.window import Window, as_moment
from engagement_pandas.wording import counted

_MOVING: Final = (29, 3)
"""Hours and days that the last 28 hours can touch: 27 whole hours and two in part."""

_HEADINGS: Final = ("requests", "posts in each", "hours", "span")


class ExpectedOmission(NamedTuple):
    """A count that there will not be, known before asking.

    Attributes
    ----------
    post_id : str
    engagement_type : EngagementType
    reason : OmissionReason
    """

    post_id: str
    engagement_type: EngagementType
    reason: OmissionReason


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """The requests that a question takes, and what to expect of them.

    Iterating gives the requests; ``len`` counts them; printing shows a table.

    Attributes
    ----------
    request : EngagementRequest
        The question.
    requests : tuple of EngagementRequest
        Its parts: batch by batch of posts, window by window within.
    now : datetime
        When the ages of the posts were taken, aware UTC.
    per_minute : float, optional
        The quota of the contract, in requests a minute; then the table tells the minutes.
    """

    request: EngagementRequest
    requests: tuple[EngagementRequest, ...]
    now: datetime
    per_minute: float | None = None

    def __len__(self) -> int:
        return len(self.requests)

    def __iter__(self) -> Iterator[EngagementRequest]:
        return iter(self.requests)

    @property
    def minutes(self) -> int | None:
        """How many minutes of quota the plan takes; None where the quota is not known.

        Examples
        --------
        >>> from engagement_pandas import plan, totals
        >>> plan(totals(range(1, 601), engagement_types=["favorites"]), per_minute=2).minutes
        2
        """
        return None if self.per_minute is None else math.ceil(len(self) / self.per_minute)

    @property
    def most_counts(self) -> int:
        """The most rows that the answers can hold, all groupings together.

        Posts (where they are told apart) times engagement types times, by the grouping,
        hours of the window, days, hours of the day, or one. A day at the edge of the
        window is a row of its own, however few of its hours lie inside. ``/28hr``, asked
        at one moment, is taken at its longest: 29 hourly buckets, since the first and the
        last may be partial, on 3 days. Posts that the API does not answer make it fewer.

        Examples
        --------
        >>> from engagement_pandas import BY_DAY, Window, historical, plan
        >>> night = Window.covering("2026-03-01T22:00:00Z", "2026-03-02T02:00:00Z")
        >>> asked = historical(["7", "8"], engagement_types=["replies"], window=night)
        >>> plan(asked).most_counts, plan(asked.replace(groupings=BY_DAY)).most_counts
        (8, 4)
        """
        return sum(_most_rows(self.request, grouping) for grouping in self.request.groupings)

    @property
    def expected_omissions(self) -> tuple[ExpectedOmission, ...]:
        """What cannot be counted, as the age in the post IDs and the window tell.

        One entry a post and type: too old for it, or the window lies (in part) before
        the day on which the time series began to count it. They are asked all the same:
        the answer has the last word.
        """
        return tuple(_expected(self.request, self.now))

    def rows(self) -> list[tuple[int, int, str, str]]:
        """Return the table: requests, posts in each, hours in each, span."""
        groups: dict[tuple[int, int | None], list[Window | None]] = {}
        for part in self.requests:
            hours = part.window.hours if part.window else None
            groups.setdefault((len(part.post_ids), hours), []).append(part.window)
        table = []
        for (posts, hours), windows in groups.items():
            spans = [w for w in windows if w]
            span = (
                str(Window(min(w.start for w in spans), max(w.end for w in spans)))
                if spans
                else self.request.endpoint.facts.meaning
            )
            table.append((len(windows), posts, "" if hours is None else f"{hours:,}", span))
        return table

    def _title(self) -> str:
        types = self.request.engagement_types
        what = ", ".join(types) if len(types) <= 4 else f"{len(types)} engagement types"  # noqa: PLR2004
        by = "; ".join(map(str, self.request.groupings))
        price = f"up to {counted(self.most_counts, 'count')}"
        if self.minutes is not None:
            price += f"; {counted(self.minutes, 'minute')} at {self.per_minute:g} requests a minute"
        return (
            f"Plan: {counted(len(self), 'request')} to {self.request.endpoint.facts.path} "
            f"for {counted(len(self.request.post_ids), 'post')}\n"
            f"  {what}\n  {by}\n  {price}"
        )

    def _warnings(self) -> list[str]:
        posts = Counter((o.engagement_type, o.reason) for o in self.expected_omissions)
        return [
            f"no {kind} to expect for {counted(number, 'post')}: {OMISSION_REASONS[reason]}"
            for (kind, reason), number in posts.items()
        ]

    def __repr__(self) -> str:
        requests, posts, hours, span = _HEADINGS
        lines = [self._title(), "", f"  {requests}  {posts}  {hours}  {span}"]
        lines += [
            f"  {number:>8,}  {posts:>13,}  {hours:>5}  {span}"
            for number, posts, hours, span in self.rows()
        ]
        warnings = self._warnings()
        return "\n".join([*lines, *([""] if warnings else []), *(f"  {w}" for w in warnings)])

    def _repr_html_(self) -> str:
        title = html.escape(self._title()).replace("\n", "<br>")
        cells = "".join(
            f"<tr><td>{number:,}</td><td>{posts:,}</td><td>{hours}</td><td>{html.escape(span)}</td></tr>"
            for number, posts, hours, span in self.rows()
        )
        head = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
        notes = "".join(f"<li>{html.escape(w)}</li>" for w in self._warnings())
        return (
            f"<p>{title}</p><table><caption>Requests of the plan, alike ones in one row</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>"
            + (f"<ul>{notes}</ul>" if notes else "")
        )


def plan(
    request: EngagementRequest, *, per_minute: float | None = None, now: datetime | None = None
) -> Plan:
    """Cut a question into requests that the API takes.

    Parameters
    ----------
    request : EngagementRequest
        Of any size.
    per_minute : float, optional
        The quota, in requests a minute: your contract names it, and the API in the header
        ``x-per-minute-limit``. The plan then tells how many minutes it takes.
    now : datetime, optional
        Aware; against this the ages of the posts are taken. The present by default.

    Returns
    -------
    Plan
        Requests of at most 250 (``/totals``) or 25 posts, and windows of at most 28 days
        on whole UTC hours. Every post and hour is asked exactly once.

    Examples
    --------
    >>> from engagement_pandas import BY_DAY, Window, historical, plan
    >>> spring = Window.covering("2026-03-01", "2026-04-12")
    >>> plan(historical(range(1, 61), engagement_types=["impressions"], window=spring, by=BY_DAY))
    Plan: 6 requests to /insights/engagement/historical for 60 posts
      impressions
      by_day: tweet.id > engagement.type > engagement.day
      up to 2,520 counts
    <BLANKLINE>
      requests  posts in each  hours  span
             2             25    672  2026-03-01 00:00 to 2026-03-29 00:00 UTC
             2             25    336  2026-03-29 00:00 to 2026-04-12 00:00 UTC
             1             10    672  2026-03-01 00:00 to 2026-03-29 00:00 UTC
             1             10    336  2026-03-29 00:00 to 2026-04-12 00:00 UTC
    """
    if not isinstance(request, EngagementRequest):
        msg = (
            f"a {type(request).__name__} is no request; ask totals(), last_28_hours() or "
            "historical()"
        )
        raise RequestError(msg)
    if per_minute is not None and not per_minute > 0:
        msg = f"per_minute is {per_minute!r}; give the requests a minute of your contract"
        raise RequestError(msg)
    now = datetime.now(UTC) if now is None else as_moment(now, "now")
    size = request.endpoint.facts.posts_per_request
    ids = request.post_ids
    batches = [ids[first : first + size] for first in range(0, len(ids), size)]
    windows = request.window.split(MAX_WINDOW) if request.window else (None,)
    parts = tuple(
        request.replace(post_ids=batch, window=window) for batch in batches for window in windows
    )
    return Plan(request, parts, now, per_minute)


def _most_rows(request: EngagementRequest, grouping: Grouping) -> int:
    """Return the most rows of one grouping, its parts added up."""
    hours, days = _MOVING
    if request.window is not None:
        hours = request.window.hours
        last = request.window.end - timedelta(hours=1)
        days = (last.date() - request.window.start.date()).days + 1
    buckets = {
        (True, True): hours,
        (True, False): days,
        (False, True): min(hours, 24),
        (False, False): 1,
    }
    posts, day, hour = (
        dimension in grouping.dimensions
        for dimension in (Dimension.POST_ID, Dimension.DAY, Dimension.HOUR)
    )
    told_apart = len(request.post_ids) if posts else 1
    return told_apart * len(request.engagement_types) * buckets[day, hour]


def _expected(request: EngagementRequest, now: datetime) -> Iterator[ExpectedOmission]:
    series = request.endpoint.facts.time_series
    for kind in request.engagement_types:
        facts = kind.facts
        oldest = facts.oldest_post_series if series else facts.oldest_post_totals
        if oldest is not None:
            for post_id in request.post_ids:
                made = created_at(post_id)
                if made is not None and now - made > oldest:
                    yield ExpectedOmission(post_id, kind, OmissionReason.UNSUPPORTED_AGE)
        if (
            facts.series_since is not None
            and request.window is not None
            and request.window.start.date() < facts.series_since
        ):
            for post_id in request.post_ids:
                yield ExpectedOmission(post_id, kind, OmissionReason.BEFORE_COUNTING)
