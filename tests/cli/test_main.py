"""The command line as a whole: help, exit codes, what cannot be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.cli.exit_codes import EXIT_CODES


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """Every verb tells its options, an example and the exit codes."""
    for verb in ("demo", "totals", "last-28-hours", "historical", "flatten", "verify", "sandbox"):
        with pytest.raises(SystemExit) as caught:
            main([verb, "--help"])
        assert caught.value.code == 0
        told = capsys.readouterr().out
        assert "exit codes:" in told
        assert all(meaning in told for _, _, meaning in EXIT_CODES)


def errors_below(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    """Yield an error class, and those that are derived from it."""
    yield kind
    for derived in kind.__subclasses__():
        yield from errors_below(derived)


def test_every_error_has_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of our tree has a documented one, and none but the root that of a program's fault."""
    documented = dict.fromkeys(code for _, code, _ in EXIT_CODES)
    for kind in (*errors_below(ep.EngagementError), *errors_below(KeyboardInterrupt)):
        code = next(code for each, code, _ in EXIT_CODES if issubclass(kind, each))
        assert (code == 1) == (kind is ep.EngagementError), kind
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out.partition("exit codes:")[2]
    assert {int(code) for code in re.findall(r"\b\d+\b", listed)} == {0, *documented}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["tweets"],
        ["totals"],
        ["totals", "7", "--by", "tweet.id"],
        ["totals", "7", "--out", "counts.xlsx"],
        ["last-28-hours", "7", "--app-only"],
        ["totals", "7", "--start", "2026-03-01"],
        ["totals", "7", "--types", ""],
        ["totals", "7", "--types", " , "],
        ["totals", "7", "--by", ""],
        ["totals", "7", "--per-minute", "0"],
        ["totals", "7", "--per-minute", "nan"],
        ["totals", "7", "--per-minute", "many"],
    ],
)
def test_what_cannot_be_typed(words: list[str]) -> None:
    """Exit code 2 from the parser."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
