"""The complete command line: help, exit codes, invalid arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import shtab

import engagement_pandas as ep
from engagement_pandas.cli import main, parser
from engagement_pandas.cli.errors_in_words import in_words
from engagement_pandas.cli.exit_codes import EXIT_CODES


def test_the_help_of_each_command_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    """It has the options, an example and the exit codes."""
    for subcommand in (
        "demo",
        "totals",
        "last-28-hours",
        "historical",
        "flatten",
        "verify",
        "sandbox",
    ):
        with pytest.raises(SystemExit) as caught:
            main([subcommand, "--help"])
        assert caught.value.code == 0
        text = capsys.readouterr().out
        assert "exit codes:" in text
        assert all(meaning in text for _, _, meaning in EXIT_CODES)


def errors_below(error_type: type[BaseException]) -> Iterator[type[BaseException]]:
    """Yield an error class and all its subclasses."""
    yield error_type
    for derived in error_type.__subclasses__():
        yield from errors_below(derived)


def test_every_error_has_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the root of our errors has the code 1, that of a fault in the program."""
    documented = dict.fromkeys(code for _, code, _ in EXIT_CODES)
    for error_type in (*errors_below(ep.EngagementError), *errors_below(KeyboardInterrupt)):
        code = next(code for base, code, _ in EXIT_CODES if issubclass(error_type, base))
        assert (code == 1) == (error_type is ep.EngagementError), error_type
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out.partition("exit codes:")[2]
    assert {int(code) for code in re.findall(r"\b\d+\b", listed)} == {0, *documented}


@pytest.mark.parametrize(
    "command",
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
def test_invalid_arguments_are_refused(command: list[str]) -> None:
    """The parser exits with code 2."""
    with pytest.raises(SystemExit) as caught:
        main(command)
    assert caught.value.code == 2


def test_quiet_prints_only_the_result_and_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A successful command prints nothing else with --quiet."""
    (tmp_path / "a.json").write_text('{"g": {"1": {"favorites": "7"}}}')
    out = str(tmp_path / "counts.csv")
    assert main(["flatten", str(tmp_path / "a.json"), "--out", out]) == 0
    assert capsys.readouterr().err == f"1 row in {out}\n"
    assert main(["flatten", str(tmp_path / "a.json"), "--out", out, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["flatten", str(tmp_path / "b.json"), "-q"]) == 7
    assert capsys.readouterr().err == f"engagement-pandas: {tmp_path}/b.json does not exist\n"
    assert main(["flatten", str(tmp_path / "a.json"), "--out", out]) == 0
    assert capsys.readouterr().err == f"1 row in {out}\n"  # --quiet is for one command only


@pytest.mark.parametrize(
    ("error", "message"),
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
def test_system_errors_have_readable_messages(error: BaseException, message: str) -> None:
    """A message has the file and what is wrong with it, without a number."""
    assert message in in_words(error)


def test_shell_completion_works() -> None:
    """Shtab makes a script of the parser; the shell completes files and folders."""
    script = shtab.complete(parser(), "bash")
    assert "engagement-pandas" in script
    assert "_shtab_engagement_pandas_report___posts_COMPGEN=_shtab_compgen_files" in script
    assert "_shtab_engagement_pandas_verify_pos_0_COMPGEN=_shtab_compgen_files" in script
