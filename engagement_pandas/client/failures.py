"""Parts of a plan without an answer: how they are reported, and when the fetch gives up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from engagement_pandas.errors import CredentialsError, EngagementError, LedgerError, Unauthorized
from engagement_pandas.response.response import EngagementResponse
from engagement_pandas.text import format_list, pluralize, warn
from engagement_pandas.vocabulary.omission_reasons import OmissionReason

GIVE_UP: Final = 10
"""Batches of posts with only invalid answers, before any valid one: the service is at fault."""

CURES: Final[Mapping[OmissionReason | None, str]] = {
    OmissionReason.UNAUTHORIZED: "have the owner authorise the app (engagement-pandas login)",
    OmissionReason.INVALID_ANSWER: "leave these posts out if the error persists",
}

_FEW: Final = 3


@dataclass(slots=True)
class Failures:
    """The parts of a plan that failed while others were answered.

    ``several`` is whether the requests are signed by several owners. ``done`` counts the parts
    that are complete, ``answered`` the answers. ``owners`` has the errors of owners whose tokens
    do not work; nothing more is signed with them. ``first`` is the error to raise if nothing is
    answered in the end, ``ledger`` the error if an answer could not be recorded in the ledger.
    """

    several: bool
    done: int = 0
    answered: int = 0
    owners: dict[str, EngagementError] = field(default_factory=dict)
    first: EngagementError | None = None
    ledger: LedgerError | None = None
    _responses: list[tuple[int, str, EngagementResponse]] = field(default_factory=list)
    _invalid: set[str] = field(default_factory=set)

    def set_unusable(self, owner: str, error: EngagementError) -> None:
        """Remember that the tokens of one of several owners do not work; raise other errors."""
        suspended = getattr(error, "status", None) == HTTPStatus.FORBIDDEN
        if not (self.several and (suspended or isinstance(error, CredentialsError | Unauthorized))):
            raise error
        self.owners.setdefault(owner, error)

    def add(
        self,
        number: int,
        batch: str,
        owner: str,
        response: EngagementResponse,
        error: EngagementError,
    ) -> None:
        """Add a response that settles (a piece of) a part without an answer."""
        self.first = self.first or error
        self._responses.append((number, owner, response))
        if response.reason is OmissionReason.INVALID_ANSWER and not self.answered:
            self._invalid.add(batch)
            if len(self._invalid) >= GIVE_UP:
                raise error

    def settled(self) -> Iterator[tuple[int, EngagementResponse]]:
        """Yield the responses that settle the parts without an answer, and warn about them."""
        if self.first is not None and not self.answered:
            raise self.first
        alike = defaultdict[tuple[str, OmissionReason | None], list[EngagementResponse]](list)
        for number, owner, response in self._responses:
            alike[owner, response.reason].append(response)
            yield number, response
        for (owner, reason), failed in alike.items():
            posts = list(
                dict.fromkeys(post for response in failed for post in response.request.post_ids)
            )
            named = format_list(posts[:_FEW]) + ("" if len(posts) <= _FEW else ", …")
            of_owner = f" of {owner}" if owner else ""
            warn(
                f"no answer for {pluralize(len(posts), 'post')}{of_owner}, {named}: "
                f"{'; '.join(failed[0].envelope().errors)}; {CURES[reason]}; the same call sends "
                "only what is missing",
            )
