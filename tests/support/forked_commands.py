"""Commands with closed or redirected streams, each run in a fork of one process.

A fork has already imported everything, so many cases take the time of one start.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a command."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(slots=True)
class Forks:
    """A process that runs commands in its forks."""

    process: Any = field(init=False)

    def __enter__(self) -> Self:
        from support.processes import start  # noqa: PLC0415 - not in the process itself

        self.process = start(sys.executable, __file__, stderr=None, lasting=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()

    def run(self, *words: str, closed: str = "", **redirected: str) -> Done:
        """Run a command with closed or redirected descriptors.

        ``closed="02"`` closes standard input and error; ``out="/dev/full"`` redirects.
        """
        case = {
            "words": words,
            "closed": closed,
            "cwd": str(Path.cwd()),
            "environ": dict(os.environ),
        }
        self.process.stdin.write(json.dumps(case | {"redirected": redirected}) + "\n")
        self.process.stdin.flush()
        return Done(*json.loads(self.process.stdout.readline()))


def serve() -> None:
    """Run each case from standard input, and print its result."""
    for name in (
        "auth.pin_login",
        "client.client",
        "dataset.sync",
        "flattening",
        "frame",
        "plots",
        "sandbox",
    ):
        import_module(f"engagement_pandas.{name}")  # once, for all forks
    import_module("matplotlib.figure")
    folder = Path(tempfile.mkdtemp())
    for line in sys.stdin:
        case, paths = json.loads(line), [folder / "out", folder / "err"]
        for path in paths:
            path.write_text("")
        child = os.fork()
        if child == 0:
            become(case, paths)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output = (path.read_text(encoding="utf-8") for path in paths)
        print(json.dumps([code, *output]), flush=True)  # noqa: T201 - the test reads it
    shutil.rmtree(folder)


def become(case: dict[str, Any], paths: list[Path]) -> None:
    """Set up the streams like a new interpreter, run the command, and exit."""
    from engagement_pandas.cli import main  # noqa: PLC0415

    os.chdir(case["cwd"])
    os.environ.clear()
    os.environ |= case["environ"]
    targets = {"in": os.devnull, "out": str(paths[0]), "err": str(paths[1])} | case["redirected"]
    for number, (target, mode) in enumerate(zip(targets.values(), "rww", strict=True)):
        name = ("stdin", "stdout", "stderr")[number]
        if str(number) in case["closed"]:
            os.close(number)
            setattr(sys, name, None)
            continue
        flags = os.O_RDONLY if mode == "r" or target == os.devnull else os.O_WRONLY
        opened = os.open(target, flags)
        os.dup2(opened, number)
        os.close(opened)
        stream = os.fdopen(number, mode, closefd=False, encoding="utf-8")
        setattr(sys, name, stream)
    sys.exit(main(case["words"]))  # a regular exit, which flushes the streams


if __name__ == "__main__":
    serve()
