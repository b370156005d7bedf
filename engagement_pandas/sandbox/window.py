"""The time window of a request, and its echo in the response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from engagement_pandas.sandbox.limits import EARLIEST, MAX_WINDOW, MOVING_WINDOW

HOUR: Final = timedelta(hours=1)
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class CountedWindow:
    """A counted time span, and its echo in the response.

    All times are UTC. ``start`` and ``end`` are echoed. The counted span is half-open; nothing
    after the present is counted.
    """

    start: datetime
    end: datetime
    counted_from: datetime
    counted_to: datetime

    @property
    def echoed(self) -> dict[str, str]:
        """The ``start`` and ``end`` of the response."""
        return {"start": _text(self.start), "end": _text(self.end)}

    @property
    def milliseconds(self) -> tuple[int, int]:
        """The counted span, in milliseconds since 1970."""
        return milliseconds(self.counted_from), milliseconds(self.counted_to)


def milliseconds(moment: datetime) -> int:
    """Return milliseconds since 1970, UTC."""
    return (moment - _UNIX_EPOCH) // timedelta(milliseconds=1)


def last_28_hours_window(now: datetime) -> CountedWindow:
    """Return the window of ``/28hr``: 28 full hours, or 29 with a partial first and last one."""
    start = now - MOVING_WINDOW
    return CountedWindow(floored(start), ceiled(now), start, now)


def requested_window(
    fields: Mapping[str, Any], now: datetime, half: str = "filled"
) -> tuple[CountedWindow | None, list[str]]:
    """Parse the window of a ``/historical`` request.

    A missing end defaults to the present, echoed to the minute without rounding; a missing start
    defaults to four weeks before the end. If ``half`` is ``"refused"``, a window with only one end
    is invalid.

    ``fields`` is the JSON body; ``now`` is UTC. An invalid window is None, with error messages for
    the response.
    """
    given = {name: fields[name] for name in ("start", "end") if fields.get(name) is not None}
    forms = "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ"
    wrong = [
        f"{name}: [{value}] is not a valid time, use {forms}"
        for name, value in given.items()
        if _moment(value) is None
    ]
    if len(given) == 1 and half == "refused":
        wrong += [f"{name}: field is required" for name in ("start", "end") if name not in given]
    if wrong:
        return None, wrong
    end = _moment(given.get("end")) or now.replace(second=0, microsecond=0)
    start = _moment(given.get("start")) or max(ceiled(end) - MAX_WINDOW, EARLIEST)
    window, wrong = _judged(start, end, now)
    if window is not None and "end" not in given:
        window = replace(window, end=end, counted_to=end)
    return window, wrong


def _judged(
    start: datetime, end: datetime, now: datetime
) -> tuple[CountedWindow | None, list[str]]:
    first, last = floored(start), floored(end)
    checks = (
        (start < EARLIEST, f"start: [{_text(start)}] is before {_text(EARLIEST)}"),
        (end > now, f"end: [{_text(end)}] is in the future"),
        (start >= end, f"start: [{_text(start)}] is not before end [{_text(end)}]"),
        (
            # Full hours count, and a partial last hour counts as a full one.
            last - first > MAX_WINDOW or (last - first == MAX_WINDOW and last < end),
            f"start: more than {MAX_WINDOW.days} days from [{_text(first)}] to end [{_text(end)}]",
        ),
    )
    wrong = [text for broken, text in checks if broken]
    if wrong:
        return None, wrong
    last = ceiled(end)
    return CountedWindow(first, last, first, min(last, now)), []


def floored(moment: datetime) -> datetime:
    """Return the start of the hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def ceiled(moment: datetime) -> datetime:
    """Return the moment if it is a full hour, otherwise the end of its hour."""
    floor = floored(moment)
    return floor if floor == moment else floor + HOUR


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        # X appears to treat times without a zone as UTC.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(moment: datetime) -> str:
    # Not strftime, whose padding of years below 1000 depends on the platform.
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
