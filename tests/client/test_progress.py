"""Progress on a terminal is a bar; in a log it is a line from time to time."""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.client import progress
from engagement_pandas.client.progress import Progress, bar

BEGUN = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)


def lines(steps: list[tuple[float, Progress]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines that are written for steps at the given seconds."""
    seconds = [0.0]
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    total = steps[-1][1].total
    with bar(total, lambda: BEGUN + timedelta(seconds=seconds[0])) as watch:
        for seconds[0], step in steps:
            watch(step)
    assert "\r" not in stream.getvalue()
    return stream.getvalue().splitlines()


def test_a_short_job_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cron sends no mail for three requests in a minute."""
    steps = [(20.0 * done, Progress(done, 3)) for done in range(3)]
    assert lines([*steps, (59, Progress(3, 3)), (59, Progress(3, 3))], monkeypatch) == []


def test_lines_of_a_wait_and_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first wait is written immediately, then at most a line a minute, and the end once."""
    why = "waiting {} s for the quota"
    steps = [(5, Progress(1, 3)), (6, Progress(1, 3, why.format(120)))]
    steps += [(6 + n, Progress(1, 3, why.format(120 - n))) for n in range(1, 120)]
    steps += [(127, Progress(2, 3)), (128, Progress(3, 3)), (128, Progress(3, 3))]
    assert lines(steps, monkeypatch) == [
        "2026-04-15T12:00:06Z 1 of 3 requests; waiting 120 s for the quota",
        "2026-04-15T12:01:06Z 1 of 3 requests; waiting 60 s for the quota",
        "2026-04-15T12:02:07Z 2 of 3 requests",
        "2026-04-15T12:02:08Z 3 of 3 requests",
    ]


@pytest.mark.slow
def test_lines_become_less_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is written after a tenth more time: at most 84 in the 10,080 minutes of a week."""
    steps = [(10.0 * n, Progress(n, 60_481, "waiting 5 s for the quota")) for n in range(60_480)]
    written = lines(steps, monkeypatch)
    # One a minute for ten minutes, then ln(1008) / ln(1.1) = 72.6 more, in full steps.
    assert 70 <= len(written) <= 84


@given(gaps=st.lists(st.floats(0, 4000), min_size=1, max_size=60), waits=st.booleans())
def test_lines_are_a_minute_apart(gaps: list[float], waits: bool) -> None:  # noqa: FBT001
    """The last line may be closer; all are in order."""
    at, steps = 0.0, []
    for number, gap in enumerate(gaps):
        at += gap
        steps.append((at, Progress(number, len(gaps) + 1, "waiting 9 s" if waits else "")))
    steps.append((at, Progress(len(gaps) + 1, len(gaps) + 1)))
    with pytest.MonkeyPatch.context() as monkeypatch:
        written = lines(steps, monkeypatch)
    times = [datetime.fromisoformat(line.split()[0]) for line in written]
    apart = [b - a for a, b in pairwise(times[:-1])]
    assert all(gap >= timedelta(seconds=59) for gap in apart)  # a line shows full seconds
    assert not written or written[-1].endswith(f"{len(gaps) + 1} of {len(gaps) + 1} requests")
    assert bool(written) == (waits or at >= 60)


def test_one_request_has_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no progress bar either."""
    assert lines([(0, Progress(0, 1, "waiting 9 s")), (99, Progress(1, 1))], monkeypatch) == []


@pytest.mark.parametrize("stream", [None, "closed", "/dev/full"])
def test_progress_without_standard_error(
    monkeypatch: pytest.MonkeyPatch, stream: str | None
) -> None:
    """The job continues."""
    if stream == "closed":
        closed = io.StringIO()
        closed.close()
        monkeypatch.setattr(sys, "stderr", FailingStream(closed))
    else:
        monkeypatch.setattr(sys, "stderr", None if stream is None else FailingStream(None))
    with bar(2, lambda: BEGUN) as watch:
        watch(Progress(1, 2, "waiting 9 s"))
        watch(Progress(2, 2))


class FailingStream(io.StringIO):
    """A stream that cannot be written to."""

    def __init__(self, inner: io.StringIO | None) -> None:
        super().__init__()
        self._inner = inner

    def write(self, text: str) -> int:
        if self._inner is None:
            raise OSError(28, "No space left on device")
        return self._inner.write(text)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn in place, with the reason of the wait."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with bar(3) as watch:
        watch(Progress(1, 3, "waiting 9 s for the quota"))
    assert "\r" in stream.getvalue()
    assert "waiting 9 s for the quota" in stream.getvalue()


def test_a_notebook_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has one although its standard error is not a terminal."""
    drawn = []

    class Notebook(progress.tqdm):  # type: ignore[misc,type-arg]
        @staticmethod
        def status_printer(_: object) -> object:
            return drawn.append

    monkeypatch.setattr(progress, "tqdm", Notebook)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with bar(3) as watch:
        watch(Progress(1, 3))
    assert any("3" in text for text in drawn)


def test_lines_have_the_time_of_the_clients_clock(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lines of the demo have the demo's time."""
    with ep.demo_client(now="2026-04-15T12:20:00Z", posts=20) as demo:
        waited = []
        demo.client._transport._clock = lambda: 1_776_255_600.0 + sum(waited)
        with bar(2, demo.client.now) as watch:
            waited.append(61)
            watch(Progress(1, 2))
    assert re.fullmatch(r"2026-04-15T\d\d:\d\d:\d\dZ 1 of 2 requests\n", capsys.readouterr().err)
