"""The plan of a request: its parts, each small enough to send, and their cost.

Each part is itself an :class:`~engagement_pandas.EngagementRequest`. Nothing is lost or
requested twice: posts are divided into batches, the window into adjacent windows. Counts that
could only be zero are not requested.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from engagement_pandas.errors import RequestError
from engagement_pandas.request.cost import (
    PostsWithoutCount,
    expected_omissions,
    max_rows,
    queried_posts,
)
from engagement_pandas.request.coverage_check import uncovered
from engagement_pandas.request.packing import pack
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.request.window import Window, to_utc
from engagement_pandas.text import html_table, pluralize
from engagement_pandas.vocabulary.engagement_types import EngagementType
from engagement_pandas.vocabulary.omission_reasons import OMISSION_REASONS, OmissionReason

_HEADINGS: Final = ("requests", "posts in each", "hours", "span")


class ExpectedOmission(NamedTuple):
    """A count known to be missing before the request is sent.

    Attributes
    ----------
    post_id : str
    engagement_type : EngagementType or None
        None if it applies to all of them.
    reason : OmissionReason
    """

    post_id: str
    engagement_type: EngagementType | None
    reason: OmissionReason


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """The API requests that one request needs, and what to expect of them.

    Iterating gives the requests; ``len`` counts them; printing shows a table.

    Attributes
    ----------
    request : EngagementRequest
        The complete request.
    requests : tuple of EngagementRequest
        Its parts: batch by batch of posts, window by window within.
    now : datetime
        The time used for the ages of the posts, aware UTC.
    per_minute : float, optional
        The rate limit of the contract, in requests per minute; if given, the table shows the
        minutes.
    unposted : tuple of EngagementRequest
        What is not requested: posts, with a window that ends before they were created.

    Raises
    ------
    RequestError
        If ``requests`` and ``unposted`` do not cover the complete request: each post, type
        and hour of it exactly once, and nothing else.
    """

    request: EngagementRequest
    requests: tuple[EngagementRequest, ...]
    now: datetime
    per_minute: float | None = None
    unposted: tuple[EngagementRequest, ...] = ()

    def __post_init__(self) -> None:
        if why := uncovered([self.request], [*self.requests, *self.unposted]):
            msg = f"the requests of the plan do not cover the complete request: {why}"
            raise RequestError(msg)

    def __len__(self) -> int:
        return len(self.requests)

    def __iter__(self) -> Iterator[EngagementRequest]:
        return iter(self.requests)

    @property
    def minutes(self) -> int | None:
        """The minutes of rate limit that the plan takes; None if the limit is not known.

        Examples
        --------
        >>> from engagement_pandas import plan, totals
        >>> plan(totals(range(1, 601), engagement_types=["favorites"]), per_minute=2).minutes
        2
        """
        return None if self.per_minute is None else math.ceil(len(self) / self.per_minute)

    @property
    def most_counts(self) -> int:
        """The maximum number of rows in the responses, all groupings together.

        Posts (if the grouping separates them) times engagement types times, by the grouping,
        hours of the window, days, hours of the day, or one. A day at the edge of the window
        is a row of its own, however few of its hours lie inside. ``/28hr`` has no fixed
        window and is counted at its longest: 29 hourly buckets, since the first and the last
        may be partial, on 3 days. Posts that the API does not answer reduce the number. Time
        before a post was created is not counted if it is not requested.

        Examples
        --------
        >>> from engagement_pandas import BY_DAY, Window, historical, plan
        >>> night = Window.covering("2026-03-01T22:00:00Z", "2026-03-02T02:00:00Z")
        >>> request = historical(["7", "8"], engagement_types=["replies"], window=night)
        >>> plan(request).most_counts, plan(request.replace(groupings=BY_DAY)).most_counts
        (8, 4)
        """
        return max_rows(self.request, self.unposted)

    @property
    def handles(self) -> tuple[str, ...]:
        """The handles whose posts are requested, as far as they are known.

        X bills the distinct authorised handles that are requested in a month. They are known
        if the posts were given as a frame with a ``handle`` column.

        Examples
        --------
        >>> import pandas as pd
        >>> from engagement_pandas import plan, totals
        >>> posts = pd.DataFrame({"post_id": ["7", "8", "9"], "handle": ["a", "b", "a"]})
        >>> plan(totals(posts, engagement_types=["replies"])).handles
        ('a', 'b')
        """
        return tuple(sorted(handle for handle in self._owners() if handle is not None))

    def _owners(self) -> set[str | None]:
        known = self.request.owners
        return {known.get(post) for post in queried_posts(self.request, self.unposted)}

    @property
    def expected_omissions(self) -> tuple[ExpectedOmission, ...]:
        """What cannot be counted, according to the post ages in the IDs and the window.

        One entry per post and type that is too old, or whose window lies (partly) before the
        day on which the time series began to count it. These are requested all the same,
        since the response decides. One more per post created after the window began, for the
        time that is not requested.
        """
        return tuple(
            ExpectedOmission(post, engagement_type, reason)
            for engagement_type, reason, posts in self._expected()
            for post in posts
        )

    def _expected(self) -> Iterator[PostsWithoutCount]:
        return expected_omissions(self.request, self.unposted, self.now)

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
        price = f"up to {pluralize(self.most_counts, 'count')}"
        if self.minutes is not None:
            price += (
                f"; {pluralize(self.minutes, 'minute')} at {self.per_minute:g} requests per minute"
            )
        return (
            f"Plan: {pluralize(len(self), 'request')} to {self.request.endpoint.facts.path} "
            f"for {pluralize(len(self.request.post_ids), 'post')}\n"
            f"  {what}\n  {by}\n  {price}" + self._billed()
        )

    def _billed(self) -> str:
        owners = self._owners()
        if not owners - {None}:
            return ""
        unknown = " and of unknown owners" if None in owners else ""
        return f"\n  posts of {pluralize(len(owners - {None}), 'handle')}{unknown}"

    def _warnings(self) -> list[str]:
        expected = [
            (engagement_type, reason, pluralize(len(posts), "post"))
            for engagement_type, reason, posts in self._expected()
        ]
        return [
            f"{posts} created within the window: the hours before are not requested"
            if engagement_type is None
            else f"{posts} will have no {engagement_type}: {OMISSION_REASONS[reason]}"
            for engagement_type, reason, posts in expected
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
        cells = (
            (f"{number:,}", f"{posts:,}", hours, html.escape(span))
            for number, posts, hours, span in self.rows()
        )
        table = html_table(_HEADINGS, cells, "Requests of the plan, by size and hours")
        notes = "".join(f"<li>{html.escape(w)}</li>" for w in self._warnings())
        return f"<p>{title}</p>{table}" + (f"<ul>{notes}</ul>" if notes else "")


def plan(
    request: EngagementRequest, *, per_minute: float | None = None, now: datetime | None = None
) -> Plan:
    """Split a request into requests that the API accepts.

    Parameters
    ----------
    request : EngagementRequest
        Of any size.
    per_minute : float, optional
        The rate limit, in requests per minute: it is in your contract, and in the API's
        header ``x-per-minute-limit``. The plan then shows how many minutes it takes.
    now : datetime, optional
        Aware; the ages of the posts are computed for this time. The present by default.

    Returns
    -------
    Plan
        Requests of at most 250 (``/totals``) or 25 posts, and windows of at most 28 days
        in complete UTC hours, as few as possible. Every post and hour is requested exactly
        once, except for windows that end before the post was created.

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
             2             25    336  2026-03-01 00:00 to 2026-03-15 00:00 UTC
             2             25    672  2026-03-15 00:00 to 2026-04-12 00:00 UTC
             1             10    336  2026-03-01 00:00 to 2026-03-15 00:00 UTC
             1             10    672  2026-03-15 00:00 to 2026-04-12 00:00 UTC
    """
    if not isinstance(request, EngagementRequest):
        msg = (
            f"a {type(request).__name__} is not a request; create one with totals(), "
            "last_28_hours() or historical()"
        )
        raise RequestError(msg)
    if per_minute is not None and not per_minute > 0:
        msg = f"per_minute is {per_minute!r}; pass the requests per minute of your contract"
        raise RequestError(msg)
    now = datetime.now(UTC) if now is None else to_utc(now, "now")
    requests, unposted = pack(request, now)
    return Plan(request, requests, now, per_minute, unposted)
