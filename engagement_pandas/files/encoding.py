"""Encoding of texts whose origin is unknown."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Final

_HEAD: Final = 2**16
_MARKS: Final[Mapping[bytes, str]] = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ASCII: Final = re.compile(r"[\t\n\r -~]{4,}|\A[\t\n\r -~]+\Z")


def codec_of(content: bytes) -> str:
    """Return the encoding of a text: by its byte order mark, or UTF-16 without one, or UTF-8.

    UTF-16 is recognised by ASCII words or numbers, such as headings and IDs, whatever else the
    text has: in UTF-8 there are no zero bytes between their letters. With the wrong byte order,
    few different characters are ASCII, though these may be frequent, such as that of U+4E00.

    >>> codec_of("post_id".encode("utf-16-be")), codec_of(b"post_id")
    ('utf-16-be', 'utf-8')
    """
    for mark, codec in _MARKS.items():
        if content.startswith(mark):
            return codec
    head = content[:_HEAD]
    letters = {"utf-8": 0}
    for codec in ("utf-16-le", "utf-16-be") if b"\0" in head else ():
        letters[codec] = len(set("".join(_ASCII.findall(head.decode(codec, "ignore")))))
    return max(letters, key=lambda codec: letters[codec])
