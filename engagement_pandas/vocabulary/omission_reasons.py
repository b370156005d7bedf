"""Reasons why a count is missing, and their texts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class OmissionReason(StrEnum):
    """Why a count is missing; :data:`OMISSION_REASONS` has the meanings."""

    UNAVAILABLE = "unavailable"
    FORBIDDEN = "forbidden"
    UNSUPPORTED_AGE = "unsupported_age"
    BEFORE_COUNTING = "before_counting"
    NOT_YET_POSTED = "not_yet_posted"
    REFUSED = "refused"
    NOT_ANSWERED = "not_answered"
    UNAUTHORIZED = "unauthorized"
    INVALID_ANSWER = "invalid_answer"


OMISSION_REASONS: Final[Mapping[OmissionReason, str]] = MappingProxyType(
    {
        OmissionReason.UNAVAILABLE: "deleted, suspended or protected",
        OmissionReason.FORBIDDEN: "not owned by the requesting account",
        OmissionReason.UNSUPPORTED_AGE: "the post is too old for this engagement type",
        OmissionReason.BEFORE_COUNTING: "the time series did not count this type yet",
        OmissionReason.NOT_YET_POSTED: "not yet posted in this window, so not requested",
        OmissionReason.REFUSED: "these credentials may not see this engagement type",
        OmissionReason.NOT_ANSWERED: "requested, but not in the answer",
        OmissionReason.UNAUTHORIZED: "the owner's tokens are not accepted or cannot be read",
        OmissionReason.INVALID_ANSWER: "every answer of the API was invalid",
    }
)
