"""What the headers say of the quota, and what they leave open."""

from __future__ import annotations

from typing import Any

import pytest

from engagement_pandas.quota import Quota

NOW = 1_776_255_600.0


def quota(at: list[float] | None = None) -> tuple[Quota, list[float]]:
    """Return a quota and the time that it reads."""
    time = at or [NOW]
    return Quota(clock=lambda: time[0]), time


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, 0),
        ({"x-per-minute-remaining": "3", "x-per-minute-reset": str(NOW + 30)}, 0),
        ({"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 30)}, 30),
        ({"x-per-second-remaining": "0", "x-per-second-reset": str(NOW + 0.5)}, 0.5),
        ({"x-per-minute-remaining": "0"}, 60),
        ({"x-per-second-remaining": "0"}, 1),
        ({"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW - 5)}, 60),
        ({"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 9e9)}, 60),
        ({"x-per-minute-remaining": "0", "x-per-minute-reset": "soon"}, 60),
        ({"x-per-minute-remaining": "none"}, 0),
        ({"x-per-minute-remaining": "nan"}, 0),
        ({"x-per-minute-remaining": "-1", "x-per-minute-reset": "inf"}, 60),
        ({"x-rate-limit-remaining": "0"}, 0),
        ({"retry-after": "7"}, 0),
        (
            {
                "x-per-minute-remaining": "0",
                "x-per-minute-reset": str(NOW + 20),
                "x-per-second-remaining": "0",
            },
            20,
        ),
    ],
)
def test_pause(headers: dict[str, str], pause: float) -> None:
    """Seconds to wait: until the reset, the period where that makes no sense; else none."""
    it, _ = quota()
    it.learn(headers)
    assert it.pause() == pytest.approx(pause)


def test_a_period_ends() -> None:
    """After the reset there is nothing left to wait for."""
    it, time = quota()
    it.learn({"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 30)})
    time[0] = NOW + 30
    assert it.pause() == 0


def test_an_answer_without_headers_says_nothing() -> None:
    """A proxy's page in between leaves what is known as it is."""
    it, _ = quota()
    it.learn({"x-per-minute-remaining": "0"})
    it.learn({})
    assert it.pause() == 60


def test_a_clock_that_is_wrong() -> None:
    """The reset is told by the server's clock: a local one an hour off changes nothing."""
    it, _ = quota([NOW - 3600])
    it.learn(
        {
            "x-per-minute-remaining": "0",
            "x-per-minute-reset": str(NOW + 30),
            "date": "Wed, 15 Apr 2026 12:20:00 GMT",
        }
    )
    assert it.pause() == pytest.approx(30)


@pytest.mark.parametrize("date", ["", "today", None])
def test_an_unreadable_date(date: Any) -> None:
    """Then the local clock will do."""
    it, _ = quota()
    it.learn({"x-per-minute-remaining": "0", "x-per-minute-reset": str(NOW + 30), "date": date})
    assert it.pause() == pytest.approx(30)


def test_limits_are_kept() -> None:
    """What the contract allows, once an answer has said it."""
    it, _ = quota()
    it.learn({"x-per-minute-limit": "600", "x-per-second-limit": "20"})
    assert it.limits == {"minute": 600, "second": 20}
