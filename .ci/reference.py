"""Build the reference of the public names from their docstrings, into ``.reference/``.

Run ``.venv/bin/python .ci/reference.py``, and open ``.reference/index.html``. Needs the extra
``docs``. A warning of pdoc is an error.
"""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path

import pdoc

import engagement_pandas as ep

_LINE = re.compile(r"^    ((?:\w+, )*\w+)(?: +(.*))?$", re.MULTILINE)
_GROUP = re.compile(r"^(\w[^\n]*)\n(?=    \w)", re.MULTILINE)
_NAME = re.compile(r"(?<=^- )\w+|(?<=, )[a-z]\w*(?=[,:])|\b\w*[A-Z_]\w*\b")
_EXAMPLE = (">>>", "...", "[")


def linked(text: str) -> str:
    """Return the docstring of the package as Markdown: lists, with a link for each name."""
    groups = _GROUP.sub(r"## \1\n\n", text)
    lists = _LINE.sub(r"- \1: \2", groups).replace(": \n", "\n")
    return "\n".join(
        line if line.startswith(_EXAMPLE) else _NAME.sub(_link, line) for line in lists.splitlines()
    )


def _link(name: re.Match[str]) -> str:
    return f"`{name[0]}`" if name[0] in dir(ep) else name[0]


def main(folder: Path) -> None:
    """Write the reference to a folder."""
    warnings.simplefilter("error")
    # What pdoc documents; the package itself has no __all__, see there.
    vars(ep).update(__all__=dir(ep), __doc__=linked(str(ep.__doc__)))
    footer = f"engagement_pandas {ep.__version__}"
    pdoc.render.configure(docformat="numpy", show_source=False, footer_text=footer)
    pdoc.pdoc("engagement_pandas", output_directory=folder)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".reference"))
