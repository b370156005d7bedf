"""HTML documents that need no other file and run no script."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engagement_pandas.errors import FrameError
from engagement_pandas.files.atomic_write import atomic_write
from engagement_pandas.text import format_bytes

_STYLE: Final = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 62rem; background: #fff;
  color: #1a1f26; font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid #dfe4ea; vertical-align: top;
  text-align: left; overflow-wrap: break-word; }
th, thead td { border-bottom: 2px solid #aab4c0; font-weight: 600; vertical-align: bottom; }
a { color: #0b5a94; }
figure { margin: 0; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; overflow: visible; }
figcaption { font-weight: 600; font-size: .95rem; margin-bottom: .2rem; }
@page { size: A4; margin: 16mm; }
@media print {
  html { font-size: 10pt; }
  body { padding: 0; max-width: none; }
  a { color: inherit; }
  .wide { overflow: visible; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
"""

_NOTHING_ELSE: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Content security policy: no script and no request, whatever the page holds."""


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """An HTML document: ``str(page)`` is its text, and a notebook shows it.

    ``body`` is HTML already, and ``style`` is CSS in addition to that of every page.

    >>> page = HtmlPage("5 < 6", "<p>Hello</p>")
    >>> page, "<title>5 &lt; 6</title>" in str(page)
    (HtmlPage('5 < 6', 1.4 kB), True)
    """

    title: str
    body: str
    style: str = ""

    def __str__(self) -> str:
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_ELSE}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>{html.escape(self.title)}</title>\n<base target="_blank">\n'
            f"<style>{_STYLE}{self.style}</style>\n</head>\n<body>\n{self.body}\n</body>\n</html>\n"
        )

    def __repr__(self) -> str:
        return f"HtmlPage({self.title!r}, {format_bytes(len(self._encoded))})"

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(str(self))}" title="{html.escape(self.title)}" '
            'sandbox="allow-popups" style="width:100%;height:40rem;border:1px solid #aab4c0">'
            "</iframe>"
        )

    @property
    def _encoded(self) -> bytes:
        # Half of a surrogate pair, as in a text that was cut off, is not a character.
        return str(self).encode(errors="replace")

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the document atomically, as UTF-8.

        Raises
        ------
        FrameError
            If the path is a folder, or its folder does not exist.
        """
        target = Path(path)
        if target.is_dir() or not target.parent.is_dir():
            msg = f"{target} cannot be written: it is a folder, or its folder does not exist"
            raise FrameError(msg)
        with atomic_write(target) as temporary:
            temporary.write_bytes(self._encoded)
