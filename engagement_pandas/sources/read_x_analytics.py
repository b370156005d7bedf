"""Exports of X Analytics by post: the content export, and the by-tweet files until 2024."""

from __future__ import annotations

import glob
import html
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import IO, Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError, InvalidPostId
from engagement_pandas.frame.coercion import tidy_counts
from engagement_pandas.frame.contract import (
    TEXT,
    empty_counts,
    in_order,
    to_iso_utc,
)
from engagement_pandas.request.post_files.column_names import key
from engagement_pandas.request.post_ids import created_at, parse_post_id, parse_post_link
from engagement_pandas.sources.creation import check_retrieval
from engagement_pandas.sources.sheet import Sheet, places_of, read_sheet, warn_of_headings
from engagement_pandas.sources.x_dates import DAY, ISO, MINUTE, parse_date
from engagement_pandas.sources.x_headings import BY_TWEET, BY_TWEET_NAMES, CONTENT, CONTENT_NAMES
from engagement_pandas.text import check_digits, format_list, pluralize, truncated_repr, warn

Path = str | os.PathLike[str] | IO[Any]
Moment = str | datetime

_WINDOWS: Final = (
    re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})_([0-9]{4}-[0-9]{2}-[0-9]{2})"),
    re.compile(r"_([0-9]{8})_([0-9]{8})(?:_|\.|\b)"),
)
_MANY: Final = 1000
_SHOWN: Final = 5
_FEW_OTHERS: Final = 4
"""An export has at least so many known columns for each that X or its reader has added."""
_DAY: Final = timedelta(days=1)
_OTHER: Final = frozenset({"post_id", "date", "text", "link", "time", "engagement_rate"})


@dataclass(frozen=True, slots=True)
class Export:
    """One exported file: its source, its table, and the column of each role."""

    source: str
    sheet: Sheet
    places: Mapping[str, int]

    def cells(self, role: str) -> list[str]:
        """Return the texts of a column; empty texts if there is none."""
        place = self.places.get(role)
        return [""] * len(self.sheet.rows) if place is None else self.sheet.column(place)


@dataclass(frozen=True, slots=True)
class ExportedPost:
    """A row of an export: the post, its line, and its place among the rows."""

    post_id: str
    handle: str | None
    line: int
    place: int


def read_x_analytics(
    path_or_paths: Path | Iterable[Path],
    *,
    retrieved_at: Moment | Sequence[Moment] | None = None,
    promoted: bool = False,
) -> pd.DataFrame:
    r"""Read posts' counts from exports of X Analytics.

    The content export of today's web client and of the one before it
    (``account_analytics_content_….csv``), and the by-tweet files until 2024
    (``tweet_activity_metrics_….csv``), in any language. :func:`read_posts` reads the posts of the
    same files, and :func:`read_x_overview` the overview.

    Parameters
    ----------
    path_or_paths : str, path, open file, or several
        Text may hold ``*``. Several files are snapshots, a row for each reading: see
        :func:`latest` and :func:`growth`. Files of the same time may overlap.
    retrieved_at : str or datetime, or one for each file, optional
        When it was exported, with a time zone; by default, the end of the last day of the
        window in the file name. ``attrs["retrieved_at_known_to"]`` is then ``"day"``.
    promoted : bool
        Include the promoted columns of by-tweet files, as ``promoted_impressions`` and so on.

    Returns
    -------
    DataFrame
        Tidy counts by post, totals up to the export: ``post_id``, ``engagement_type``,
        ``retrieved_at`` if known, ``source`` (``"x_analytics_content"`` or
        ``"x_analytics_by_tweet"``) and ``count``.

    Raises
    ------
    FrameError
        With file and line: if a file is neither export, is cut off, has a post twice, an ID
        that has lost digits and no link, or a number that is not whole; if the date of a row is
        not that of its ID; if several files have no time of retrieval, or one before a post; if
        files of the same time have different counts.

    Warns
    -----
    UserWarning
        If headings of an unknown language are read by position, columns or rows without a
        post are left out, or an export seems to be cut.

    Notes
    -----
    These files lack hours and days; promoted counts, quotes and video views; posts
    made before the window; and whether 0 is nothing or unknown, since the content export writes
    0 for both. Its counts are organic, engagements too, which hold neither bookmarks nor shares
    (mostly). Whether reposts include quotes is not known; nor, in by-tweet files, whether the
    plain columns include promoted counts. Reposts of others are not in the files. Export with a
    window that ends today, since whether later counts are in is not known.

    Examples
    --------
    >>> import io
    >>> file = io.StringIO(
    ...     "Post id,Date,Post text,Post Link,Impressions,Likes,Engagements,Bookmarks,Shares,"
    ...     "New follows,Replies,Reposts,Profile visits,Detail Expands,URL Clicks,"
    ...     "Hashtag Clicks,Permalink Clicks\n"
    ...     '2091095333082140951,"Sat, Aug 22, 2026",Hello,'
    ...     "https://x.com/bakery/status/2091095333082140951,551,7,30,1,0,0,2,1,4,9,3,0,0"
    ... )
    >>> counts = read_x_analytics(file, retrieved_at="2026-08-31T09:00:00Z")
    >>> counts[["post_id", "engagement_type", "count"]].head(2)
                   post_id engagement_type  count
    0  2091095333082140951     impressions    551
    1  2091095333082140951     engagements     30
    """
    paths = files_of(path_or_paths)
    exports = list(map(export_of, map(read_sheet, paths)))
    moments, known_to = _moments([export.sheet.name for export in exports], retrieved_at)
    parts = [
        _counts(export, moment, promoted=promoted)
        for export, moment in zip(exports, moments, strict=True)
    ]
    counts = concatenated(parts)
    origin = ", by the name of its file" if known_to else ""
    check_retrieval(counts, _DAY if known_to else timedelta(0), origin)
    if (moment := min((m for m in moments if m is not None), default=None)) is not None:
        counts.attrs["retrieved_at"] = moment.isoformat()
        counts.attrs |= {"retrieved_at_known_to": known_to} if known_to else {}
    return counts


def exported_posts(sheet: Sheet) -> pd.DataFrame | None:
    """Return the posts of an export; None if the table is not one."""
    try:
        export = export_of(sheet)
    except FrameError:
        return None
    rows = {row.post_id: row for row in reversed(_posts(export))}
    rows = dict(reversed(rows.items()))
    texts = [html.unescape(text) for text in export.cells("text")]
    picked = [texts[row.place] for row in rows.values()]
    return pd.DataFrame(
        {
            "post_id": pd.Series(list(rows), dtype=TEXT),
            "handle": pd.Series([row.handle for row in rows.values()], dtype=TEXT),
            "text": pd.Series(picked, dtype=TEXT),
            "created_at": pd.Series(map(created_at, rows), dtype="datetime64[us, UTC]"),
            "kind": pd.Series(
                ["reply" if t.startswith("@") else "post" for t in picked], dtype=TEXT
            ),
        }
    )


def files_of(path_or_paths: Path | Iterable[Path]) -> list[Path]:
    """Return the files as a list; a text with ``*`` names several."""
    if isinstance(path_or_paths, str) and any(sign in path_or_paths for sign in "*?["):
        found: list[Any] = sorted(glob.glob(path_or_paths))  # noqa: PTH207 - not relative
        if not found and not os.path.exists(path_or_paths):  # noqa: PTH110
            msg = f"no file is called {path_or_paths!r}"
            raise FrameError(msg)
        return found or [path_or_paths]
    if hasattr(path_or_paths, "columns"):
        msg = "a frame is given, and not a file; give the file, or see ep.counts_from(frame, …)"
        raise FrameError(msg)
    if isinstance(path_or_paths, str | os.PathLike) or hasattr(path_or_paths, "read"):
        return [path_or_paths]  # type: ignore[list-item]
    if not isinstance(path_or_paths, Iterable):
        msg = f"{truncated_repr(path_or_paths)} is neither a path, an open file nor several"
        raise FrameError(msg)
    paths = list(path_or_paths)
    if not paths:
        msg = "no files are given; name at least one"
        raise FrameError(msg)
    return paths


def concatenated(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the counts of several files as one tidy frame."""
    filled = [part for part in parts if len(part)] or list(parts[:1])
    columns = [sorted(part.columns) for part in filled]
    if any(names != columns[0] for names in columns):
        kinds = " and ".join(map(format_list, dict.fromkeys(map(tuple, columns))))
        msg = f"the files have different columns, {kinds}; read each kind into a table of its own"
        raise FrameError(msg)
    # Exports of one day may overlap, and equal rows are the same reading.
    rows = pd.concat(filled, ignore_index=True).drop_duplicates()
    twice = rows.duplicated([name for name in columns[0] if name != "count"])
    if twice.any():
        row = rows[twice].iloc[0]
        moment = f", {row['retrieved_at']}" if "retrieved_at" in rows else ""
        msg = (
            f"post {row['post_id']} has different counts of {row['engagement_type']!r} in files of "
            f"the same time{moment}; leave one out, or give retrieved_at=[…] with a time for each"
        )
        raise FrameError(msg)
    return tidy_counts(rows)


def export_of(sheet: Sheet) -> Export:
    """Return which export a table is; raise if it is none."""
    header = sheet.header
    content, unknown = places_of(sheet, CONTENT, CONTENT_NAMES)
    if _is_content(sheet, content):
        warn_of_headings(sheet, content, unknown)
        return Export("x_analytics_content", sheet, content)
    places, unknown = places_of(sheet, BY_TWEET, BY_TWEET_NAMES)
    if _is_by_tweet(sheet, places):
        warn_of_headings(sheet, places, unknown)
        return Export("x_analytics_by_tweet", sheet, places)
    hint = "see ep.counts_from(frame, …) for other tables"
    if header and header[0].casefold() in {"date", "day"} and "link" not in content:
        hint = "it is by day and has no posts: see ep.read_x_overview()"
    elif len(header) == 1 and len(sheet.rows) > 0:
        hint = "if it is the video overview, nothing reads that yet"
    msg = (
        f"{sheet.name} is not an export of X Analytics by post: its columns are "
        f"{format_list(header)}; {hint}"
    )
    raise FrameError(msg)


def _is_content(sheet: Sheet, places: Mapping[str, int]) -> bool:
    """Return whether a table has links to posts where the content export has them.

    Tables of other tools have some of its headings, such as Shares, with other meanings.
    """
    if "link" not in places or not {"impressions", "engagements", "favorites"} & places.keys():
        return False
    known = {CONTENT_NAMES[name] for name in map(key, sheet.header) if name in CONTENT_NAMES}
    others = len(sheet.header) - len(places)
    if others * _FEW_OTHERS > len(places):
        return False
    if {"link", "impressions"} <= known:
        return True
    links = [link for link in sheet.column(places["link"]) if link]
    return bool(links) and all(map(parse_post_link, links))


def _is_by_tweet(sheet: Sheet, places: Mapping[str, int]) -> bool:
    """Return whether a table is a by-tweet file: by its headings, or by its times."""
    if not {"post_id", "link", "time", "impressions"} <= places.keys():
        return False
    known = {BY_TWEET_NAMES[name] for name in map(key, sheet.header) if name in BY_TWEET_NAMES}
    if {"post_id", "time", "impressions"} <= known:
        return True
    times = [time for time in sheet.column(places["time"]) if time]
    return bool(times) and all(time.endswith(" +0000") for time in times)


def _posts(export: Export) -> list[ExportedPost]:
    """Return the posts of an export; rows without one cause a warning."""
    sheet = export.sheet
    found: list[ExportedPost] = []
    without: list[int] = []
    ids, links = export.cells("post_id"), export.cells("link")
    for place, (line, _) in enumerate(sheet.rows):
        if link := parse_post_link(links[place]):
            found.append(ExportedPost(link.post_id, link.handle, line, place))
        elif not re.search("[0-9]", ids[place]):
            without.append(line)
        else:
            try:
                found.append(ExportedPost(parse_post_id(ids[place]), None, line, place))
            except InvalidPostId as error:
                msg = f"line {line} of {sheet.name} has no link to its post, and: {error}"
                raise FrameError(msg) from error
    if without:
        some = ", ".join(map(str, without[:_SHOWN])) + (", …" if len(without) > _SHOWN else "")
        msg = f"{pluralize(len(without), 'row')} of {sheet.name} without a post left out: {some}"
        warn(msg)
    if unlinked := [row.post_id for row in found if row.handle is None]:
        # The IDs of rows with links show whether the column has lost digits.
        others = (ids[row.place] for row in found if row.handle is not None)
        check_digits([*unlinked, *filter(str.isdecimal, others)], FrameError)
    return found


def _counts(export: Export, moment: datetime | None, *, promoted: bool) -> pd.DataFrame:
    """Return the tidy counts of one file."""
    rows = _posts(export)
    _check_rows(export, rows)
    columns = ["post_id", "engagement_type", "source"]
    if moment is not None:
        columns.append("retrieved_at")
    types = [
        role
        for role in in_order(export.places.keys() - _OTHER)
        if not role.startswith("promoted_") or (promoted and role != "promoted_engagement_rate")
    ]
    places = [row.place for row in rows]
    posts = pd.Series([row.post_id for row in rows], dtype=TEXT)
    parts = []
    for role in types:
        numbers = export.sheet.numbers(export.places[role], places)
        part = pd.DataFrame({"post_id": posts, "count": numbers.array})
        parts.append(part.assign(engagement_type=role, source=export.source))
    if not rows:
        return empty_counts(columns)
    counts = pd.concat(parts, ignore_index=True)
    if moment is not None:
        counts["retrieved_at"] = pd.Series(moment, counts.index, dtype="datetime64[us, UTC]")
    return counts


def _check_rows(export: Export, rows: Sequence[ExportedPost]) -> None:
    """Raise if a post occurs twice, or its date is not that of its ID; warn of a cut export."""
    name = export.sheet.name
    lines: dict[str, int] = {}
    for row in rows:
        if row.post_id in lines:
            msg = (
                f"lines {lines[row.post_id]} and {row.line} of {name} are of the same post, "
                f"{row.post_id}; keep one of them"
            )
            raise FrameError(msg)
        lines[row.post_id] = row.line
    role = "time" if export.source == "x_analytics_by_tweet" else "date"
    dates = export.cells(role)
    made = [created_at(row.post_id) for row in rows]
    for row, moment in zip(rows, made, strict=True):
        day = _day(dates[row.place])
        if moment and day and not day - _DAY <= moment < day + 2 * _DAY:
            msg = (
                f"line {row.line} of {name}: post {row.post_id} was made on {moment:%Y-%m-%d}, and "
                f"the row is dated {dates[row.place]!r}; its columns are out of step, so export "
                "it again"
            )
            raise FrameError(msg)
    window = _window(name)
    first = min((moment for moment in made if moment), default=None)
    if window and first and len(rows) >= _MANY and first > window[0] + 2 * _DAY:
        msg = (
            f"{name} has {len(rows):,} posts, and the oldest is of {first:%Y-%m-%d}, though its "
            f"window begins on {window[0]:%Y-%m-%d}: X may have cut it; export shorter windows"
        )
        warn(msg)


def _day(text: str) -> datetime | None:
    """Return the UTC day in a date of an export; None if another program has changed it."""
    moment = parse_date(text, (*DAY, *ISO, MINUTE))
    return None if moment is None else moment.replace(hour=0, minute=0)


def _moments(
    names: Sequence[str], given: Moment | Sequence[Moment] | None
) -> tuple[list[datetime | None], str]:
    """Return when each file was exported, and how exactly that is known."""
    if given is not None:
        one = isinstance(given, str) or not isinstance(given, Iterable)
        every: Sequence[Any] = [given] * len(names) if one else list(given)  # type: ignore[arg-type]
        if len(every) != len(names):
            msg = f"retrieved_at has {len(every)} times for {len(names)} files; give one for each"
            raise FrameError(msg)
        read: Callable[[Any], datetime] = lambda m: datetime.fromisoformat(to_iso_utc(m))  # noqa: E731
        return [read(moment) for moment in every], ""
    moments: list[datetime | None] = []
    for name in names:
        window = _window(name)
        moments.append(window[1] if window else None)
        if window is None and len(names) > 1:
            msg = (
                f"the time of the export {name} is unknown, and several files need it; "
                "give retrieved_at=[…] with a time for each"
            )
            raise FrameError(msg)
    return moments, "day" if None not in moments else ""


def _window(name: str) -> tuple[datetime, datetime] | None:
    """Return the window in a file name: its start, and the end of its last day."""
    for pattern in _WINDOWS:
        for found in pattern.finditer(PurePath(name).name):
            try:
                start, last = (datetime.fromisoformat(found[n]).replace(tzinfo=UTC) for n in (1, 2))
            except ValueError:
                continue
            if start <= last:
                return start, last + _DAY
    return None
