"""The complete service without HTTP: it takes a request and returns a response."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from engagement_pandas.sandbox import limits
from engagement_pandas.sandbox.auth import App, Authority
from engagement_pandas.sandbox.http_answer import HttpAnswer, Refusal, to_json
from engagement_pandas.sandbox.pin_login import PATHS as LOGIN_PATHS
from engagement_pandas.sandbox.pin_login import Grants
from engagement_pandas.sandbox.post_access import (
    UNAVAILABLE_KEY,
    error_texts,
    refuse_private,
    refuse_unowned,
    too_old,
    visible_posts,
)
from engagement_pandas.sandbox.rate_limit import RateLimit
from engagement_pandas.sandbox.response_body import grouped, series_grid, totals_grid
from engagement_pandas.sandbox.stable_random import shuffled
from engagement_pandas.sandbox.validation import ParsedRequest, parse_request
from engagement_pandas.sandbox.world import Post, World

TOKEN_PATH: Final = "/oauth2/token"  # noqa: S105
PATHS: Final = {f"/insights/engagement/{endpoint}": endpoint for endpoint in limits.TYPES}

GZIP_TEXT: Final = (
    "This request requires gzip compression. Retry the request after setting "
    "'Accept-Encoding' header in the request to 'gzip'."
)
_COMPRESSION_LEVEL: Final = 1  # speed matters more than size


@dataclass(frozen=True, slots=True)
class Settings:
    """Rate limits, and behaviour that the documentation leaves open.

    Attributes
    ----------
    per_minute, per_second : int
        Rate limits, in requests.
    penalty : int
        Requests that each response with status 429 uses up in the next minute with requests,
        so that a client that ignores the limit is blocked for longer. This rule is the
        sandbox's own; X's is not known.
    half_window : {"filled", "refused"}
        Treatment of a window with only ``start`` or only ``end``: the other one defaults to
        the present, or to four weeks before; or the request is refused (400).
    content_type : {"any", "json"}
        Whether a request with another ``Content-Type`` than JSON is accepted or refused (415).
    hour_without_day : {"flat", "by_day"}
        Nesting of hours if days are not requested: flat, as hours of the day summed over the
        window, or inside days nevertheless.
    forbidden : {"posts", "by_author"}
        Error text: ``Forbidden to access tweets: …``, or the older ``… for author id 9: …``
        with one entry per author.
    errors_beside_data : bool
        Whether a response with status 200 and omissions also has ``errors``.
    app : App
        Keys of the app.
    """

    per_minute: int = 600
    per_second: int = 20
    penalty: int = 0
    half_window: Literal["filled", "refused"] = "filled"
    content_type: Literal["any", "json"] = "any"
    hour_without_day: Literal["flat", "by_day"] = "flat"
    forbidden: Literal["posts", "by_author"] = "posts"
    errors_beside_data: bool = False
    app: App = field(default_factory=App)


class Service:
    """Service that responds to requests like X.

    ``clock`` returns the current time in the sandbox, as an aware datetime. ``wall`` returns
    seconds since 1970, for signatures and rate limits.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        settings: Settings | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings or Settings()
        self.world = World(clock)
        self.wall = wall
        self.grants = Grants(self.settings.app, wall)
        self._authority = Authority(self.settings.app, wall)
        limit = self.settings.per_minute, self.settings.per_second, self.settings.penalty
        self._rate_limit = RateLimit(*limit, wall)

    def answer(
        self, path: str, headers: Mapping[str, str], body: bytes, method: str = "POST"
    ) -> HttpAnswer:
        """Return the response to one request.

        ``path`` is from the request line. Header names are in any case, and ``Host`` is part of the
        signed URL. The response is compressed, except for logins and for token requests without
        ``Accept-Encoding``.
        """
        headers = {name.lower(): value for name, value in headers.items()}
        if path.partition("?")[0] in LOGIN_PATHS:
            return self.grants.answer(method, path, headers, body)
        quota: dict[str, str] = {}
        status = 200
        try:
            document = self._document(method, path, headers, body, quota)
        except Refusal as refusal:
            status, document = refusal.status, refusal.document
            quota.update(refusal.headers)
        answered = {"Content-Type": "application/json;charset=utf-8", **quota}
        plain = to_json(document)
        if path.partition("?")[0] == TOKEN_PATH and not _accepts_gzip(headers):
            return HttpAnswer(status, plain, answered)
        answered["Content-Encoding"] = "gzip"
        return HttpAnswer(status, gzip.compress(plain, _COMPRESSION_LEVEL, mtime=0), answered)

    def _document(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        quota: dict[str, str],
    ) -> dict[str, Any]:
        bare = path.partition("?")[0]
        endpoint = PATHS.get(bare)
        if endpoint is None and bare != TOKEN_PATH:
            raise Refusal(404, f"{bare} not found")
        if method != "POST":
            raise Refusal(405, f"{method} not allowed, use POST", headers={"Allow": "POST"})
        if endpoint is None:
            return dict(self._authority.issue(headers, body))
        if not _accepts_gzip(headers):
            raise Refusal(406, GZIP_TEXT)
        content_type = headers.get("content-type", "")
        if self.settings.content_type == "json" and not _is_json(content_type):
            text = f"Content-Type [{content_type}] is not supported, use application/json"
            raise Refusal(415, text)
        url = f"http://{headers.get('host', '127.0.0.1')}{path}"
        account = self._authority.identify(method, url, headers, body.decode(errors="replace"))
        quota.update(self._rate_limit.spend())
        now = self.world.now()
        request = parse_request(endpoint, body, now, self.settings.half_window)
        if account is None:
            refuse_private(request)
        seen, unavailable = visible_posts(self.world, request, now)
        notes: dict[str, Any] = {UNAVAILABLE_KEY: unavailable} if unavailable else {}
        if account is not None:
            refuse_unowned(seen, account, self.settings.forbidden)
        if not seen:
            raise Refusal(400, error_texts(notes, now)[UNAVAILABLE_KEY], keys=notes)
        notes |= too_old(request, seen, now, notes)
        if self.settings.errors_beside_data and notes:
            notes["errors"] = [
                text for key, text in error_texts(notes, now).items() if key in notes
            ]
        return self._answered(request, seen, now, notes, zlib.crc32(body))

    def _answered(
        self,
        request: ParsedRequest,
        posts: Sequence[Post],
        now: datetime,
        notes: Mapping[str, Any],
        seed: int,
    ) -> dict[str, Any]:
        if request.window is None:
            grid, echoed = totals_grid(request, posts, now), {}
        else:
            grid = series_grid(request, posts, request.window, now)
            echoed = request.window.echoed
        document: dict[str, Any] = {**echoed, **notes}
        for number, (name, dimensions) in enumerate(request.groupings):
            document[name] = grouped(grid, self._nesting(dimensions), seed + number)
        keys = shuffled(list(document), seed)
        return {key: document[key] for key in keys}

    def _nesting(self, dimensions: Sequence[str]) -> list[str]:
        if self.settings.hour_without_day == "flat" or limits.DAY in dimensions:
            return list(dimensions)
        return [
            name
            for dimension in dimensions
            for name in ((limits.DAY,) * (dimension == limits.HOUR) + (dimension,))
        ]


def _accepts_gzip(headers: Mapping[str, str]) -> bool:
    accepted = headers.get("accept-encoding", "").lower().split(",")
    for entry in accepted:
        coding, *parameters = (part.strip() for part in entry.split(";"))
        if coding == "gzip":
            return not any(p.replace(" ", "").rstrip("0.") == "q=" for p in parameters)
    return False


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def as_clock(now: datetime | str | Callable[[], datetime] | None) -> Callable[[], datetime]:
    """Return a clock function for a fixed time or your own clock; by default the real time.

    Text is in ISO format, and UTC if it has no time zone.
    """
    if now is None:
        return lambda: datetime.now(UTC)
    if callable(now):
        return now
    if isinstance(now, str):
        moment = datetime.fromisoformat(now)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    else:
        moment = now
    if moment.tzinfo is None:
        msg = f"now {moment} has no time zone; add one (tzinfo=UTC)"
        raise ValueError(msg)
    return lambda: moment
