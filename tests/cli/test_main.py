"""The command line as a whole: help, exit codes, what cannot be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import shtab

import engagement_pandas as ep
from engagement_pandas.cli import main, parser
from engagement_pandas.cli.exit_codes import EXIT_CODES, in_words


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


def test_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --quiet, a command that succeeds prints nothing but its result; errors are printed."""
    (tmp_path / "a.json").write_text('{"g": {"1": {"favorites": "7"}}}')
    out = str(tmp_path / "counts.csv")
    assert main(["flatten", str(tmp_path / "a.json"), "--out", out]) == 0
    assert capsys.readouterr().err == f"1 row in {out}\n"
    assert main(["flatten", str(tmp_path / "a.json"), "--out", out, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["flatten", str(tmp_path / "b.json"), "-q"]) == 7
    assert capsys.readouterr().err == f"engagement-pandas: {tmp_path}/b.json does not exist\n"
    assert main(["flatten", str(tmp_path / "a.json"), "--out", out]) == 0
    assert capsys.readouterr().err == f"1 row in {out}\n"  # of one command only


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.csv"), "a.csv does not exist"),
        (PermissionError(13, "Permission denied", "a.csv"), "a.csv may not be read or written"),
        (IsADirectoryError(21, "Is a directory", "a"), "a is a folder, not a file"),
        (OSError(28, "No space left on device", "a.csv"), "a.csv: No space left on device"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (OSError("standard output cannot be written"), "standard output cannot be written"),
        (KeyboardInterrupt(), "stopped"),
    ],
)
def test_errors_of_the_system_in_words(error: BaseException, words: str) -> None:
    """A message names the file and what is wrong with it, without a number."""
    assert words in in_words(error)


def test_completion() -> None:
    """Shtab makes a script of the parser; files and folders are completed by the shell."""
    script = shtab.complete(parser(), "bash")
    assert "engagement-pandas" in script
    assert "_shtab_engagement_pandas_report___posts_COMPGEN=_shtab_compgen_files" in script
    assert "_shtab_engagement_pandas_verify_pos_0_COMPGEN=_shtab_compgen_files" in script
