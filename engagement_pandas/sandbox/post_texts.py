"""Synthetic texts of the sandbox's posts, some of them deliberately awkward.

Dollar signs and angle brackets break plot labels and HTML, right-to-left script and emoji
break layouts, long texts break tables, and spreadsheets treat a leading equals sign as a
formula. All names and places are invented; ``.invalid`` is a domain that can never exist
(RFC 2606).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engagement_pandas.sandbox.stable_random import hash64


class Words(NamedTuple):
    """Parts of texts."""

    openings: tuple[str, ...]
    closings: tuple[str, ...]
    hashtags: tuple[str, ...]


EVERYDAY: Final = Words(
    (
        "Doors are open, come in from the rain.",
        "We asked, you answered: most of you prefer the window seat.",
        "New schedule from Monday. Nothing else changes, promise.",
        "What should we try next? Reply with your best idea.",
        "Maintenance tonight from 22:00 to 23:30 UTC.",
        "A quiet start to the day, and a busy one ahead.",
        "Thank you for a wonderful week, all of you.",
        "We are looking for two more people to join the team.",
        "Good morning! Everything is running on time today.",
        "Sold out again by ten. We will make more tomorrow.",
        "The new season starts here on Saturday.",
        "Lost and found: one red umbrella, one very good sandwich.",
        "Our longest day of the year, from before sunrise.",
        "Ten years ago today we began with three chairs.",
        "A few words about how we work, and why it takes time.",
        "Questions? We are here until six.",
    ),
    ("", "More soon.", "Tell a friend.", "You know where to find us.", "See you there!"),
    ("#SandboxDays", "#synthetic", "#opendoors", "#NotReal"),
)
AWKWARD: Final = Words(
    (
        "Today only: two for $5, three for $7 🎉",
        "If x < 3 and y > 2, you have found our back entrance.",
        "مساء الخير! الباب مفتوح حتى التاسعة.",
        "בוקר טוב! היום פתוחים עד תשע.",
        "=SUM(everything) comes to one very good day",
        "A short thread about a long night 🧵",
        "おはようございます。今日も一日よろしくお願いします。",
        "Budget note: $1,200 in, $1,150 out, $50 to spare.",
        "<b>Not bold</b>, just loud. & proud.",
        "Über alle Maße schöner Morgen, ça commence bien.",
        "👩🏽‍🍳👨‍👩‍👧‍👦🏳️‍🌈",
        "100 % real, 0 % serious: $$$ \\o/ _underscore_ *asterisk*",
        'She said "it depends", and it did.',
        "First = last; second = third; the rest is commas, commas, commas",
        "A question for the patient: " + "how long is too long, " * 10 + "and who decides?",
        "Line one\nline two\nline three, with a\ttab",
    ),
    ("", "Pictures to follow 👀", "No questions asked.", "Details below ⬇️"),
    ("#SandboxDays", "#数え歌"),
)
CAMPAIGN: Final = "Get the app."
_SHARE_AWKWARD: Final = 3
"""One in this many texts is awkward."""


def text_of(post: int, *, link: bool, hashtag: bool, app: bool, everyday: bool = False) -> str:
    """Return the text of a post, at most 400 characters.

    It is determined by ``post``, the post ID as a number. ``link``, ``hashtag`` and ``app`` say
    whether it contains them, so that clicks on them are plausible. ``everyday`` excludes awkward
    texts.
    """
    bits = hash64(post, 0x7E87)
    words = EVERYDAY if everyday or (bits >> 8) % _SHARE_AWKWARD else AWKWARD
    parts = [
        words.openings[bits % len(words.openings)],
        words.closings[(bits >> 16) % len(words.closings)],
        CAMPAIGN if app else "",
        words.hashtags[(bits >> 32) % len(words.hashtags)] if hashtag else "",
        f"https://sandbox.invalid/{(bits >> 40):06x}" if link else "",
    ]
    return " ".join(part for part in parts if part)
