"""What the sandbox's posts say: synthetic, varied, and awkward on purpose.

Dollar signs and angle brackets upset plot labels and HTML, right-to-left script and
emoji upset layouts, long texts upset tables. All names and places are invented;
``.invalid`` is a domain that can never exist (RFC 2606).
"""

from __future__ import annotations

from typing import Final

from engagement_pandas.sandbox.dice import roll

OPENINGS: Final = (
    "Doors are open, come in from the rain.",
    "Today only: two for $5, three for $7 🎉",
    "If x < 3 and y > 2, you have found our back entrance.",
    "مساء الخير! الباب مفتوح حتى التاسعة.",
    "בוקר טוב! היום פתוחים עד תשע.",
    "We asked, you answered: 72% prefer the window seat.",
    "New schedule from Monday. Nothing else changes, promise.",
    "Behind the scenes 📸",
    "A short thread about a long night 🧵",
    "おはようございます。今日も一日よろしくお願いします。",
    "Budget note: $1,200 in, $1,150 out, $50 to spare.",
    "<b>Not bold</b>, just loud. & proud.",
    "Lost and found: one red umbrella, one very good sandwich 🥪",
    "Über alle Maße schöner Morgen, ça commence bien.",
    "Thank you for 10,000 visits! 🙏🏽",
    "What should we try next? Reply with your best idea.",
    "Sold out. Again. We are as surprised as you are 😅",
    "Maintenance tonight from 22:00 to 23:30 UTC.",
    "👩🏽‍🍳👨‍👩‍👧‍👦🏳️‍🌈",
    "100 % real, 0 % serious: $$$ \\o/ _underscore_ *asterisk*",
    'She said "it depends", and it did.',
    "First = last; second = third; the rest is commas, commas, commas",
    "A question for the patient: " + "how long is too long, " * 10 + "and who decides?",
    "Line one\nline two\nline three, with a\ttab",
)

CLOSINGS: Final = (
    "",
    "More soon.",
    "Tell a friend.",
    "You know where to find us.",
    "Pictures to follow 👀",
    "No questions asked.",
    "Details below ⬇️",
    "See you there!",
)

HASHTAGS: Final = ("#SandboxDays", "#synthetic", "#opendoors", "#数え歌", "#NotReal")
CAMPAIGN: Final = "Get the app."


def text_of(post: int, *, link: bool, hashtag: bool, app: bool) -> str:
    """Return what a post says.

    Parameters
    ----------
    post : int
        The post ID as a number; it decides the words.
    link, hashtag, app : bool
        What the text must contain, so that clicks on it make sense.

    Returns
    -------
    str
        At most 400 characters.
    """
    bits = roll(post, 0x7E87)
    parts = [
        OPENINGS[bits % len(OPENINGS)],
        CLOSINGS[(bits >> 16) % len(CLOSINGS)],
        CAMPAIGN if app else "",
        HASHTAGS[(bits >> 32) % len(HASHTAGS)] if hashtag else "",
        f"https://sandbox.invalid/{(bits >> 40):06x}" if link else "",
    ]
    return " ".join(part for part in parts if part)
