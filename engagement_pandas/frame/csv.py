"""Read and write counts as CSV, with IDs as text throughout."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final, cast

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.files.atomic_write import atomic_write
from engagement_pandas.files.spreadsheet_formulas import guarded, unguarded
from engagement_pandas.frame.categories import MISSING, as_reasons, as_text, as_types, contract_of
from engagement_pandas.frame.coercion import contracted
from engagement_pandas.frame.contract import TEXT, to_iso_utc
from engagement_pandas.frame.csv_rows import read_table
from engagement_pandas.frame.parse_times import parse_iso
from engagement_pandas.text import check_digits, truncated_repr

_INTEGER: Final = r"-?[0-9]{1,19}"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]00:00(:00(\.0+)?)?)?"
_MOST: Final = 2**63 - 1
_HOURS: Final = frozenset(str(hour) for hour in range(24)) | {f"{hour:02d}" for hour in range(10)}
_COVERAGE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "endpoint": "endpoint",
        "first_retrieved_at": "retrieved_at",
        "retrieved_at_known_to": "retrieved_at_known_to",
        "covered_from": "start",
        "covered_until": "end",
    }
)
"""The columns that store ``attrs``, constant over all rows, and the key of each."""

_TIMES: Final = frozenset({"retrieved_at", "start", "end"})
"""Keys of ``attrs`` that are times."""

_OUTSIDE: Final = frozenset(
    {"engagement_type", "source", "reason", "message", "endpoint", "retrieved_at_known_to"}
)
"""Columns with text that may come from outside."""


def write_csv(counts: pd.DataFrame, path_or_buffer: str | os.PathLike[str] | IO[str]) -> None:
    """Write counts or omissions as CSV: days as ``YYYY-MM-DD``, ``<NA>`` as empty fields.

    The window in ``attrs`` is written to the last columns, constant over all rows:
    ``endpoint``, ``first_retrieved_at``, ``retrieved_at_known_to``, ``covered_from`` and
    ``covered_until``. Texts that a spreadsheet would run as a formula get a leading apostrophe,
    which :func:`read_csv` removes.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts or omissions. The index is not written.
    path_or_buffer : str, path or text buffer
        A path is replaced as by :func:`write_parquet`; suffixes such as ``.gz`` compress.

    Raises
    ------
    FrameError
        If the frame is neither.

    Examples
    --------
    >>> import engagement_pandas as ep, sys
    >>> write_csv(ep.flatten_json({"g": {"123": {"impressions": "5"}}}), sys.stdout)
    post_id,engagement_type,count
    123,impressions,5
    """
    counts, contract = contracted(counts)
    texts = counts.copy()
    if "day" in texts:
        # strftime() of pandas before 3.1 writes the years before 1000 with three digits.
        days = np.datetime_as_string(texts["day"].to_numpy(dtype="datetime64[D]"))
        texts["day"] = pd.Series(days, texts.index, dtype=TEXT)
    if "retrieved_at" in texts:
        texts["retrieved_at"] = texts["retrieved_at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for name in texts.columns.intersection(["start", "end"]):
        texts[name] = texts[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    for column, name in _COVERAGE.items() if contract == "counts" else ():
        if name in counts.attrs:
            value = counts.attrs[name]
            texts[column] = to_iso_utc(value, name) if name in _TIMES else str(value)
    _write(texts, path_or_buffer, _OUTSIDE)


def write_posts(posts: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write posts as CSV, as :func:`write_csv` writes counts; :func:`read_posts` reads them."""
    _write(posts.copy(), path, {"handle", "text"})


def _write(texts: pd.DataFrame, target: Any, outside: Collection[str]) -> None:
    """Write a frame; the columns ``outside`` have text from outside."""
    has_returns = False
    for name in (name for name in texts.columns if name in outside):
        texts[name] = texts[name].map(guarded, na_action="ignore")
        has_returns |= any("\r" in str(text) for text in texts[name].unique())

    def write(file: Any) -> None:
        texts.to_csv(
            file,
            index=False,
            na_rep=MISSING,
            lineterminator="\n",
            encoding="utf-8",
            # Python's writer does not quote a carriage return by itself.
            quoting=csv.QUOTE_ALL if has_returns else csv.QUOTE_MINIMAL,
        )

    if isinstance(target, str | os.PathLike):
        with atomic_write(Path(target)) as temporary:
            write(temporary)
    else:
        write(target)


def read_csv(path_or_buffer: str | os.PathLike[str] | IO[str]) -> pd.DataFrame:
    r"""Read a file written by :func:`write_csv`, with IDs as text throughout.

    Parameters
    ----------
    path_or_buffer : str, path or buffer
        UTF-8 or UTF-16, with commas, semicolons or tabs, possibly edited in a spreadsheet.
        ``.gz``, ``.bz2``, ``.xz``, ``.zst`` and ``.zip`` (of one file) are decompressed, to
        at most 256 MiB.

    Returns
    -------
    DataFrame
        Counts or omissions with the dtypes of the contract; ``attrs`` of counts as far as
        the file has them with the same value in every row.

    Raises
    ------
    FrameError
        If the file is not tidy counts or omissions, is truncated, or another program changed
        its IDs or numbers; the message has the line, the value and the remedy.

    Examples
    --------
    >>> import io
    >>> read_csv(io.StringIO("post_id,engagement_type,count\n0123,impressions,\n"))
      post_id engagement_type  count
    0    0123     impressions   <NA>
    """
    texts, file = read_table(path_or_buffer)
    readers = _OMISSION_READERS if "reason" in texts else _COUNT_READERS
    try:
        frame = pd.DataFrame(
            {
                name: readers.get(str(name), as_text)(texts[name])
                for name in texts.columns
                if name not in _COVERAGE or "reason" in texts
            },
            index=texts.index,
        ).reset_index(drop=True)
        contract_of(frame)
        for column, name in _COVERAGE.items() if "reason" not in texts else ():
            values: Any = texts[column].unique() if column in texts else []
            if len(values) == 1 and values[0]:
                value = unguarded(values[0])
                frame.attrs[name] = to_iso_utc(value, name) if name in _TIMES else value
    except FrameError as error:
        msg = f"{file}: {error}"
        raise FrameError(msg) from error
    return frame


def _refuse(texts: pd.Series, wrong: pd.Series, complaint: str) -> None:
    """Raise for the first wrong value; the index is the line, and ``{}`` the value."""
    invalid = texts[wrong]
    if len(invalid):
        msg = f"line {invalid.index[0]}: {complaint.format(truncated_repr(invalid.iloc[0])[1:-1])}"
        raise FrameError(msg)


def _as_ids(texts: pd.Series) -> pd.Series:
    lost = texts.str.fullmatch(r"[+-]?[0-9.,]+[eE][+-]?[0-9]+|[0-9]+\.[0-9]*")
    cure = "it was a float and lost its last digits; read the IDs again as text"
    _refuse(texts, lost, f"{{!r}} is not a post ID: {cure}")
    ids = as_text(texts)
    complaint = "{!r} is not a post ID of 1 to 19 digits; drop totals, headings and similar lines"
    _refuse(ids, ids.notna() & ~texts.str.fullmatch(r"[0-9]{1,19}"), complaint)
    check_digits(ids.dropna().unique(), FrameError)
    return ids


def _as_types(texts: pd.Series) -> pd.Series:
    return as_types(texts.map(unguarded))


def _as_messages(texts: pd.Series) -> pd.Series:
    return as_text(texts.map(unguarded))


def _as_counts(texts: pd.Series) -> pd.Series:
    missing = texts == MISSING
    filled = texts.mask(missing, "0")
    complaint = "'count' has {}, which is not an integer (int64); write it without separators"
    _refuse(texts, ~filled.str.fullmatch(_INTEGER), complaint)
    numbers = np.array([int(text) for text in filled], dtype=object)
    _refuse(texts, pd.Series((numbers > _MOST) | (numbers < -_MOST - 1), texts.index), complaint)
    return pd.Series(numbers.astype("int64"), texts.index).astype("Int64").mask(missing)


def _as_hours(texts: pd.Series) -> pd.Series:
    complaint = "'hour' has {!r}, which is not an integer (int8)"
    _refuse(texts, ~texts.str.fullmatch("[0-9]+"), complaint)
    _refuse(texts, ~texts.isin(_HOURS), "the hour {} is not from 0 to 23")
    return texts.astype("int8")


def _as_days(texts: pd.Series) -> pd.Series:
    complaint = "'day' has {!r}, which is not a time; write days such as 2026-03-01"
    _refuse(texts, ~texts.str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T].*)?"), complaint)
    _refuse(texts, ~texts.str.fullmatch(_DAY), "the day {} is not at midnight; write days only")
    moments = _moments(texts.str[:10].rename("day"))
    return cast("pd.Series", moments.dt.tz_localize(None))


def _as_bounds(texts: pd.Series) -> pd.Series:
    return _moments(texts)


def _moments(texts: pd.Series) -> pd.Series:
    moments = parse_iso(as_text(texts))
    complaint = f"{texts.name!r} has {{!r}}, which is not a time; write 2026-03-01T09:30:00Z"
    _refuse(texts, moments.isna() & (texts != MISSING), complaint)
    return moments


_Readers = Mapping[str, Callable[[pd.Series], pd.Series]]

_COUNT_READERS: Final[_Readers] = {
    "post_id": _as_ids,
    "engagement_type": _as_types,
    "retrieved_at": _as_bounds,
    "source": _as_types,
    "day": _as_days,
    "hour": _as_hours,
    "count": _as_counts,
}
_OMISSION_READERS: Final[_Readers] = {
    "post_id": _as_ids,
    "engagement_type": _as_messages,
    "message": _as_messages,
    "reason": as_reasons,
    "start": _as_bounds,
    "end": _as_bounds,
    "retrieved_at": _as_bounds,
}
