"""Compressed files of several streams, as ``cat a.xz b.xz`` writes them, and their damage."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pyarrow as pa
import pytest

from engagement_pandas.files.decompress import NotDecompressed, decompressed

Compress = Callable[[bytes], bytes]


def zstd(content: bytes) -> bytes:
    """Compress a text."""
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


formats = pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd])


@formats
def test_all_streams_are_read(compress: Compress) -> None:
    """The content of one follows that of the other."""
    assert decompressed(compress(b"12345") + compress(b"67"), 7) == b"1234567"


@formats
@pytest.mark.parametrize("damage", [lambda text: b"\x01" + text[1:], lambda text: text[:-4]])
def test_a_damaged_second_stream_is_an_error(compress: Compress, damage: Compress) -> None:
    """Python's own files of bz2 and xz ignore it, and its rows would be lost."""
    with pytest.raises(NotDecompressed, match="damaged"):
        decompressed(compress(b"12345") + damage(compress(b"67")), 1000)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_zeros_after_a_stream_are_padding(compress: Compress) -> None:
    """Tapes and xz's own padding have them."""
    assert decompressed(compress(b"12345") + bytes(8), 1000) == b"12345"
