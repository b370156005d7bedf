"""Flatten response bodies without their request: bytes, text or parsed JSON."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from typing import IO, Any, Final

import msgspec
import pandas as pd

from engagement_pandas.errors import (
    AmbiguousGrouping,
    FrameError,
    RefusedError,
    ResponseShapeError,
)
from engagement_pandas.files.decompress import (
    FileTooLarge,
    NotDecompressed,
    decompressed,
    read_bounded,
)
from engagement_pandas.files.encoding import codec_of
from engagement_pandas.flattening.combine import add
from engagement_pandas.flattening.compare_with_request import false_zeros
from engagement_pandas.flattening.count_arrays import to_arrays
from engagement_pandas.flattening.infer_dimensions import infer
from engagement_pandas.flattening.tidy_frame import to_tidy_frame
from engagement_pandas.frame.contract import TEXT, check_counts, in_order
from engagement_pandas.request.grouping import Grouping, to_grouping
from engagement_pandas.response.envelope import Envelope
from engagement_pandas.response.json_decoding import as_bytes, decode_top_level
from engagement_pandas.response.nested_counts.checking_reader import read_objects
from engagement_pandas.response.nested_counts.expected_shape import ExpectedShape, HourRange
from engagement_pandas.response.nested_counts.fast_reader import (
    Decoded,
    decode_bodies,
    decode_grouping,
)
from engagement_pandas.response.validation import fitting, valid_counts
from engagement_pandas.text import format_list, truncated_repr
from engagement_pandas.vocabulary.answer_keys import RESERVED_KEYS
from engagement_pandas.vocabulary.dimensions import Dimension

_MOST_BYTES: Final = 1 << 28
_ROUNDED: Final = timedelta(hours=29)
_KEY: Final = rb'\s*"(?:[^"\\]|\\.)*+"\s*:\s*'
_BELOW: Final = re.compile(rb"(?:\{(?:%b(?=\{))?)*+" % _KEY, re.DOTALL)
_FIRST_KEY: Final = re.compile(
    rb'\s*\{\s*"(?P<name>[^"\\]+)"\s*:\s*(?P<below>%b)' % _BELOW.pattern, re.DOTALL
)
"""Matches the first keys of nested objects; the number of objects is that of the dimensions."""


def concat_counts(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate frames of counts into one tidy frame.

    They have the same columns; no count occurs in two of them.

    >>> answers = [{"g": {"2": {"replies": "1"}}}, {"g": {"1": {"favorites": "7"}}}]
    >>> concat_counts(map(flatten_json, answers))
      post_id engagement_type  count
    0       1       favorites      7
    1       2         replies      1
    """
    given = list(frames)
    columns = list(dict.fromkeys(tuple(frame.columns) for frame in given))
    if len(columns) != 1:
        msg = f"the answers have different columns, {columns}; concatenate those of one grouping"
        raise FrameError(msg)
    types = in_order({name for frame in given for name in frame["engagement_type"].cat.categories})
    dtype = pd.CategoricalDtype(pd.Index(types, dtype=TEXT))
    counts = pd.concat(
        [frame.astype({"engagement_type": TEXT}) for frame in given], ignore_index=True
    ).astype({"engagement_type": dtype})
    counts = counts.sort_values(list(columns[0][:-1]), ignore_index=True)
    check_counts(counts)
    return counts


def flatten_json(
    body: bytes | str | Mapping[str, Any] | os.PathLike[str] | IO[Any],
    *,
    group_by: Grouping | str | Sequence[str] | None = None,
    grouping: str | None = None,
) -> pd.DataFrame:
    """Flatten a response body from any source into a tidy frame of counts.

    Dimensions are inferred from the keys: ``YYYY-MM-DD`` is a day, ``00`` to ``23`` an
    hour, 1 to 19 digits a post, anything else an engagement type. Since the request is
    unknown, missing counts are not added; false zeros are ``<NA>`` as far as the body
    identifies them.

    Parameters
    ----------
    body : bytes, str, mapping, path or open file
        The raw or parsed JSON, or a file with it; UTF-8, UTF-16 or UTF-32, optionally compressed.
        Text that does not begin like a JSON object is a path.
    group_by : {"type", "post", "day", "hour"}, sequence of str or Grouping, optional
        The dimensions in order, if the keys are ambiguous; the words are those of
        :func:`historical`.
    grouping : str, optional
        Name of the grouping to flatten; required only if the body has several.

    Returns
    -------
    DataFrame
        As returned by :func:`flatten`. ``attrs`` have ``start`` and ``end`` only if the body
        states them exactly, which ``/28hr`` does not. Set them yourself then; otherwise the
        metrics cannot know which hours and days are complete.

    Raises
    ------
    AmbiguousGrouping
        If the body has several groupings, or its keys match several dimensions.
    OSError
        If the file cannot be opened.
    RefusedError
        If the body has errors and no grouping; ``messages`` holds the API's error texts.
    ResponseShapeError
        If the body is not a response of the API; ``path`` is the location.

    Examples
    --------
    >>> flatten_json('{"g": {"impressions": {"2026-03-01": {"07": "551", "08": 412}}}}')
      engagement_type        day  hour  count
    0     impressions 2026-03-01     7    551
    1     impressions 2026-03-01     8    412
    """
    content = _content(body)
    name, envelope, decoded = _open(content, grouping)
    members = decoded.members() if decoded else None
    del decoded  # frees memory for the frame
    if group_by is not None:
        dimensions = to_grouping(group_by).dimensions
    else:
        found = members or read_objects(_raw(content, name), name, None)[0]
        dimensions = infer(found.names(), name)
        del found
    shape = ExpectedShape(name, dimensions, unavailable=envelope.unavailable)
    valid = fitting(members, shape)
    del members
    arrays = to_arrays(valid or valid_counts(_raw(content, name), shape), dimensions)
    if not (valid and valid.members.hourly):
        arrays = add([arrays], name)
    del valid
    span = None
    if envelope.start is not None and envelope.end is not None:
        span = HourRange.covering(envelope.start, envelope.end)
        if span.start >= span.end:
            msg = f"the body states the window {span}, which ends before it begins"
            raise ResponseShapeError(msg, "$['start']")
    # The days in the keys take precedence over the window stated by the body.
    hint = None if Dimension.DAY in dimensions else span
    false = false_zeros(arrays, envelope.unsupported, None, dimensions, hint)
    counts = to_tidy_frame(replace(arrays, missing=false & (arrays.count == 0)), dimensions)
    # /28hr states a window rounded to 29 hours; a window of /historical is exact.
    start, end = envelope.start, envelope.end
    if start is not None and end is not None and (end - start != _ROUNDED or start.minute):
        counts.attrs |= {
            name: moment.astimezone(UTC).isoformat()
            for name, moment in (("start", start), ("end", end))
        }
    return counts


def _content(body: Any) -> bytes:
    """Return a body, or the content of the file or path in its place, as UTF-8."""
    if isinstance(body, os.PathLike) or (isinstance(body, str) and _is_file(body)):
        with open(body, "rb") as file:  # noqa: PTH123 - text too
            return _content(file)
    if isinstance(body, str):
        body = body.removeprefix("\ufeff")  # as a file read with another encoding than utf-8-sig
    if isinstance(body, str) and body.lstrip()[:1] != "{":
        msg = f"{truncated_repr(body)} is neither a JSON object nor a file"
        raise ResponseShapeError(msg)
    name = getattr(body, "name", "the body")
    try:
        content = as_bytes(read_bounded(body, _MOST_BYTES) if hasattr(body, "read") else body)
        content = decompressed(content, _MOST_BYTES)
        codec = codec_of(content)
        return content if codec == "utf-8" else content.decode(codec).encode()
    except UnicodeError as error:
        msg = f"{name} is not text in the encoding that its first bytes state: {error}"
        raise ResponseShapeError(msg) from error
    except (FileTooLarge, NotDecompressed) as error:
        msg = f"{name} {'has ' * isinstance(error, FileTooLarge)}{error}"
        raise ResponseShapeError(msg) from error


def _is_file(text: str) -> bool:
    return text.lstrip()[:1] != "{" and os.path.exists(text)  # noqa: PTH110 - of any length


def _open(content: bytes, grouping: str | None) -> tuple[str, Envelope, Decoded | None]:
    """Return the name of the grouping, the envelope, and the counts if they could be decoded.

    Most bodies have one grouping, as the first key; then one pass is enough.
    """
    begins = _FIRST_KEY.match(content)
    if begins is not None:
        name = begins["name"].decode(errors="replace")
        if grouping in (None, name):
            decoded = decode_bodies([content], name, begins["below"].count(b"{"))
            if decoded is not None:
                return name, Envelope.of(decoded.tops[0]), decoded
    top = decode_top_level(content)
    envelope = Envelope.of(top)
    name = _picked(top, envelope, grouping)
    raw = bytes(top[name])
    below = _BELOW.match(raw)
    return name, envelope, decode_grouping(raw, below[0].count(b"{")) if below else None


def _raw(content: bytes, name: str) -> bytes:
    return bytes(decode_top_level(content)[name])


def _picked(top: Mapping[str, msgspec.Raw], envelope: Envelope, name: str | None) -> str:
    others = {key: raw for key, raw in top.items() if key not in RESERVED_KEYS}
    names = [key for key, raw in others.items() if bytes(memoryview(raw)[:1]) == b"{"]
    if isinstance(name, str) and name in others:
        return name
    if len(names) == 1 and name is None:
        return names[0]
    if names:
        cure = "name one" if name is None else f"{name!r} is not one of them; name one"
        msg = f"the body has the groupings {format_list(names)}; {cure} with grouping=…"
        raise AmbiguousGrouping(msg)
    if envelope.errors:
        msg = f"the body has no counts; the API's errors are {list(envelope.errors)}"
        raise RefusedError(msg, messages=envelope.errors)
    msg = f"the body has no grouping, only {format_list(others)}"
    raise ResponseShapeError(msg)
