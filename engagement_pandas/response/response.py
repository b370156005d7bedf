"""A response: the answer, together with the request that it answers.

An answer is stored as the bytes that arrived; ``validation`` parses its nested counts.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from engagement_pandas.errors import RequestError, ResponseShapeError
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.request.window import to_utc
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.json_decoding import DECODE_ERRORS, as_bytes, decode_top_level
from engagement_pandas.text import format_bytes, html_facts
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

NOT_SENT: Final = 0
"""The status if there is no answer: nothing was sent, or no valid answer arrived."""

FAILED: Final = frozenset({OmissionReason.UNAUTHORIZED, OmissionReason.INVALID_ANSWER})
"""Reasons that may not apply at a later attempt; such requests are sent again."""


@dataclass(frozen=True, slots=True, repr=False)
class EngagementResponse:
    """One answer of the API, with the request that it answers.

    Parameters
    ----------
    request : EngagementRequest
        Exactly what this answer settles. Posts that the API refused are settled by the
        refusal: a response whose request names only them.
    content : bytes, str or mapping
        The body as it arrived; stored as bytes.
    status : int
        The HTTP status; 0 if there is no answer, see :meth:`uncounted`.
    retrieved_at : datetime
        When it arrived, aware UTC.
    reason : OmissionReason, optional
        Why there is no answer.
    """

    request: EngagementRequest
    content: bytes
    status: int = 200
    retrieved_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    reason: OmissionReason | None = None
    _read: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.request, EngagementRequest):
            msg = f"a {type(self.request).__name__} is not a request; give an EngagementRequest"
            raise RequestError(msg)
        if type(self.status) is not int:
            msg = f"the status is {self.status!r}; give the number, such as 200"
            raise RequestError(msg)
        object.__setattr__(self, "content", as_bytes(self.content))
        object.__setattr__(self, "retrieved_at", to_utc(self.retrieved_at, "retrieved_at"))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the fields only: what was read of the body is read again."""
        return type(self), (self.request, self.content, self.status, self.retrieved_at, self.reason)

    @classmethod
    def unposted(cls, request: EngagementRequest, at: datetime) -> EngagementResponse:
        """Return the response for a window that ends before its posts were created.

        Examples
        --------
        >>> import engagement_pandas as ep
        >>> june = ep.Window.covering("2018-06-01", "2018-06-02")
        >>> request = ep.historical(
        ...     ["1060976163948904448"], engagement_types=["replies"], window=june
        ... )
        >>> early = EngagementResponse.unposted(request, ep.plan(request).now)
        >>> ep.omissions(early)["reason"].to_list()
        ['not_yet_posted']
        """
        return cls.uncounted(request, at, OmissionReason.NOT_YET_POSTED)

    @classmethod
    def uncounted(
        cls, request: EngagementRequest, at: datetime, reason: OmissionReason, message: str = ""
    ) -> EngagementResponse:
        """Return the response for a request without an answer: no counts, and the reason.

        Examples
        --------
        >>> import engagement_pandas as ep
        >>> request = ep.totals(["7"], engagement_types=["favorites"])
        >>> reason = ep.OmissionReason.UNAUTHORIZED
        >>> now = ep.plan(request).now
        >>> failed = EngagementResponse.uncounted(request, now, reason, "HTTP 401")
        >>> failed.status, failed.failed, ep.omissions(failed)["message"].to_list()
        (0, True, ['HTTP 401'])
        """
        return cls(request, {"errors": [message]} if message else {}, NOT_SENT, at, reason)  # type: ignore[arg-type]

    @property
    def failed(self) -> bool:
        """Whether there is no answer, but a later attempt may get one."""
        return self.reason in FAILED

    def json(self) -> dict[str, Any]:
        """Return the body as nested dicts, parsed again on each call.

        Raises
        ------
        ResponseShapeError
            If the body is not a JSON object.
        """
        try:
            return msgspec.json.decode(self.content, type=dict[str, Any])
        except DECODE_ERRORS as error:
            msg = f"the body is not a JSON object: {error}"
            raise ResponseShapeError(msg) from error

    def envelope(self, top: Mapping[str, msgspec.Raw] | None = None) -> Envelope:
        """Return the window, errors and omitted posts of this answer.

        ``top`` are the top-level members of the body, if they were decoded.
        """
        kept: Envelope | None = self.kept(Envelope)
        if kept is None:
            kept = Envelope.of(self.top_level() if top is None else top)
            self.keep(Envelope, kept)
        return kept

    def top_level(self) -> Mapping[str, msgspec.Raw]:
        """Return the top-level members of the body: views of its bytes, not yet parsed."""
        kept: Mapping[str, msgspec.Raw] | None = self.kept(msgspec.Raw)
        if kept is None:
            kept = decode_top_level(self.content)
            self.keep(msgspec.Raw, kept)
        return kept

    def keep(self, key: Hashable, value: object) -> None:
        """Keep what was read of the body, so that it is not read again; nothing large."""
        self._read[key] = value

    def kept(self, key: Hashable) -> Any:
        """Return what was kept, or None."""
        return self._read.get(key)

    def _repr_html_(self) -> str:
        sent = self.status != NOT_SENT
        facts = {"status": f"HTTP {self.status}", "size": format_bytes(len(self.content))}
        return html_facts(
            "Response" if sent else "No response",
            {
                **(facts if sent else {"why": str(self.reason or "not yet posted, nothing sent")}),
                "read": f"{self.retrieved_at:%Y-%m-%d %H:%M:%S} UTC",
                "request": repr(self.request),
                "its counts": "flatten(response)",
                "what has no count": "omissions(response)",
            },
        )

    def __repr__(self) -> str:
        if self.status == NOT_SENT:
            why = str(self.reason) if self.failed else "not yet posted, nothing sent"
            return f"EngagementResponse({why}, for {self.request!r})"
        return (
            f"EngagementResponse(HTTP {self.status}, {len(self.content):,} bytes at "
            f"{self.retrieved_at:%Y-%m-%d %H:%M:%S} UTC for {self.request!r})"
        )
