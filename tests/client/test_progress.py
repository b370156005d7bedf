"""A bar for a person, and lines now and then for a log."""

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
    """Return what is written in steps at so many seconds."""
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
    """No mail from cron for three requests in a minute."""
    steps = [(20.0 * done, Progress(done, 3)) for done in range(3)]
    assert lines([*steps, (59, Progress(3, 3)), (59, Progress(3, 3))], monkeypatch) == []


def test_a_wait_and_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first wait at once, what is at most each minute, and the end once."""
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
def test_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer and fewer: a line when a tenth more time has passed, 84 in 10,080 minutes."""
    steps = [(10.0 * n, Progress(n, 60_481, "waiting 5 s for the quota")) for n in range(60_480)]
    written = lines(steps, monkeypatch)
    # One a minute for ten minutes, then ln(1008) / ln(1.1) = 72.6 more, of whole steps.
    assert 70 <= len(written) <= 84


@given(gaps=st.lists(st.floats(0, 4000), min_size=1, max_size=60), waits=st.booleans())
def test_lines_are_a_minute_apart(gaps: list[float], waits: bool) -> None:  # noqa: FBT001
    """But for the last, and they are in order."""
    at, steps = 0.0, []
    for number, gap in enumerate(gaps):
        at += gap
        steps.append((at, Progress(number, len(gaps) + 1, "waiting 9 s" if waits else "")))
    steps.append((at, Progress(len(gaps) + 1, len(gaps) + 1)))
    with pytest.MonkeyPatch.context() as monkeypatch:
        written = lines(steps, monkeypatch)
    times = [datetime.fromisoformat(line.split()[0]) for line in written]
    apart = [b - a for a, b in pairwise(times[:-1])]
    assert all(gap >= timedelta(seconds=59) for gap in apart)  # a line shows whole seconds
    assert not written or written[-1].endswith(f"{len(gaps) + 1} of {len(gaps) + 1} requests")
    assert bool(written) == (waits or at >= 60)


def test_one_request_has_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it has no bar."""
    assert lines([(0, Progress(0, 1, "waiting 9 s")), (99, Progress(1, 1))], monkeypatch) == []


@pytest.mark.parametrize("stream", [None, "closed", "/dev/full"])
def test_no_standard_error(monkeypatch: pytest.MonkeyPatch, stream: str | None) -> None:
    """The job goes on."""
    if stream == "closed":
        closed = io.StringIO()
        closed.close()
        monkeypatch.setattr(sys, "stderr", Watched(closed))
    else:
        monkeypatch.setattr(sys, "stderr", None if stream is None else Watched(None))
    with bar(2, lambda: BEGUN) as watch:
        watch(Progress(1, 2, "waiting 9 s"))
        watch(Progress(2, 2))


class Watched(io.StringIO):
    """A stream that takes nothing."""

    def __init__(self, inner: io.StringIO | None) -> None:
        super().__init__()
        self._inner = inner

    def write(self, text: str) -> int:
        if self._inner is None:
            raise OSError(28, "No space left on device")
        return self._inner.write(text)


class Terminal(io.StringIO):
    """Somebody watches."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn in place, with what it waits for."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with bar(3) as watch:
        watch(Progress(1, 3, "waiting 9 s for the quota"))
    assert "\r" in stream.getvalue()
    assert "waiting 9 s for the quota" in stream.getvalue()


def test_a_notebook_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its standard error is no terminal."""
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


def test_a_fetch_goes_by_the_clock_of_its_client(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """So the time in a line is that of the demo."""
    with ep.demo_client(now="2026-04-15T12:20:00Z", posts=20) as demo:
        waited = []
        demo.client._transport._clock = lambda: 1_776_255_600.0 + sum(waited)
        with bar(2, demo.client.now) as watch:
            waited.append(61)
            watch(Progress(1, 2))
    assert re.fullmatch(r"2026-04-15T\d\d:\d\d:\d\dZ 1 of 2 requests\n", capsys.readouterr().err)
