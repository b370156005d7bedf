"""The wording of the API's errors: which reason, posts and types they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from engagement_pandas.vocabulary.omission_reasons import OmissionReason

_WORDS: Final = re.compile(r"\w+")

# Error texts are parsed only if the API gives no status or key instead, and only here. Accepts
# both wordings ("Forbidden to access tweets: 1, 2" and "... for author id 9: 1, 2").
_FORBIDDEN: Final = r"forbidden to access (?:{})\b[^:]{{0,100}}:(?P<names>.*)"
_FLAGS: Final = re.IGNORECASE | re.DOTALL
FORBIDDEN_POSTS: Final = re.compile(_FORBIDDEN.format("tweets?|posts?"), _FLAGS)
FORBIDDEN_TYPES: Final = re.compile(_FORBIDDEN.format("metrics?|engagement types?"), _FLAGS)

# Patterns by reason; they affect only the messages of omissions.
WORDING: Final = {
    OmissionReason.UNAVAILABLE: re.compile("unavailable", re.IGNORECASE),
    OmissionReason.FORBIDDEN: FORBIDDEN_POSTS,
    OmissionReason.UNSUPPORTED_AGE: re.compile("older than", re.IGNORECASE),
    OmissionReason.REFUSED: FORBIDDEN_TYPES,
}


def reason_of(text: str) -> OmissionReason | None:
    """Return the reason that an error states, or None."""
    return next((reason for reason, words in WORDING.items() if words.search(text)), None)


def names_in(errors: tuple[str, ...], pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield the names in the errors of one kind, each with the text before them."""
    for text in errors:
        found = pattern.search(text)
        if found:
            before = text[: found.start("names")].rstrip()
            for name in _WORDS.findall(found["names"]):
                yield name, before
