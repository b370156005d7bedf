"""How names, numbers and moments are written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from engagement_pandas.errors import FrameError

_KILO: Final = 1000
_TEN: Final = 9.95  # what is more is told as 10
_LONGEST: Final = 60
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


def listed(names: Iterable[object]) -> str:
    """Return names as a list of texts, long ones cut short.

    >>> listed(["a", 1])
    "['a', '1']"
    """
    return f"[{', '.join(shown(str(name)) for name in names)}]"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "post"), counted(2500, "post")
    ('1 post', '2,500 posts')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def sized(number: int) -> str:
    """Return a number of bytes in two digits or so, for people.

    >>> sized(900), sized(2_749_602), sized(15_400_000_000)
    ('900 bytes', '2.7 MB', '15 GB')
    """
    size, unit = float(number), 0
    while size >= _KILO and unit < len(_UNITS) - 1:
        size, unit = size / _KILO, unit + 1
    short = f"{size:.1f}" if unit and size < _TEN else f"{size:,.0f}"
    return f"{short} {_UNITS[unit]}"


def lasting(time: timedelta) -> str:
    """Return a length of time in its two largest units, for people.

    >>> lasting(timedelta(hours=3, minutes=20)), lasting(timedelta(days=7)), lasting(timedelta())
    ('3 h 20 min', '7 days', '0 s')
    """
    seconds = abs(int(time.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    sizes = (
        counted(days, "day") if days else "",
        f"{rest // 3600} h" if rest >= 3600 else "",  # noqa: PLR2004
        f"{rest % 3600 // 60} min" if rest % 3600 >= 60 else "",  # noqa: PLR2004
        f"{rest % 60} s" if rest % 60 else "",
    )
    return " ".join([size for size in sizes if size][:2]) or "0 s"


def shown(value: object) -> str:
    """Return a value as it stands in a message: its repr, cut short where it is long.

    >>> shown("impressions"), shown("x" * 1_000_000)
    ("'impressions'", "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'")
    """
    if isinstance(value, str | bytes):  # first, or its repr would be many times as long
        return repr(value) if len(value) <= _LONGEST else f"{repr(value[:_LONGEST])[:-1]}…'"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def spot(*keys: object) -> str:
    """Return a JSONPath, long keys cut short.

    >>> spot("by_post", "123")
    "$['by_post']['123']"
    """
    return "$" + "".join(f"[{shown(key)}]" for key in keys)


def moment_text(moment: str | datetime, name: str = "retrieved_at") -> str:
    """Return a moment as ISO text in UTC.

    Examples
    --------
    >>> moment_text("2026-03-01T10:00:00+01:00")
    '2026-03-01T09:00:00+00:00'
    """
    try:
        aware = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if aware.utcoffset() is None:
            msg = f"{name} {moment!r} has no time zone; add one (Z, or tzinfo=UTC)"
            raise FrameError(msg)
        return aware.astimezone(UTC).isoformat()
    except (ValueError, AttributeError) as error:
        if isinstance(error, FrameError):
            raise
        msg = f"{name} {moment!r} is not a time; write 2026-03-01T09:30:00Z"
        raise FrameError(msg) from error
