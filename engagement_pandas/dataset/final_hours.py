"""Which stored hours are final, kept in a file, so that each sync reads only the days that changed.

The file has the final hours of each post and engagement type, and the state of each file of the
data set when it was verified. A day is read and verified again if its files are others, have
changed since, or were verified four weeks ago. So a sync takes no longer the more is stored. If
this file is lost or invalid, everything is read once more.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from engagement_pandas.dataset.delta_errors import translate_errors
from engagement_pandas.dataset.hours_to_request import (
    Scope,
    created_before,
    first_hour,
    hour_of,
    moment_of,
)
from engagement_pandas.dataset.snapshot import DataFile
from engagement_pandas.dataset.tables import Tables

_NAME: Final = "final_hours"
_DAYS: Final = "counts/day="
_AGAIN: Final = 28 * 86_400 * 10**9
"""Nanoseconds after which a file that seems unchanged is verified again."""


class State(NamedTuple):
    """A file when it was verified: its size in bytes, and times in nanoseconds since 1970."""

    size: int
    changed: int
    verified: int


@dataclass(frozen=True)
class FinalHours:
    """Final hours of posts and types from ``start`` to ``until``, in hours since 1970, UTC.

    ``hours`` are the bounds of half-open ranges, alternately first and last. ``files`` are all
    files of the data set when the hours were read. ``settle`` is that of :class:`Scope`.
    """

    start: int = 0
    until: int = 0
    settle: int = -1
    hours: Mapping[str, Mapping[str, list[int]]] = field(default_factory=dict)
    files: Mapping[str, State] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """The moment up to which hours are covered, aware UTC."""
        return moment_of(self.until)

    @classmethod
    def of(cls, tables: Tables) -> FinalHours:
        """Return what is stored; no final hours if nothing is, or it is invalid."""
        try:
            return msgspec.json.decode(tables.load(_NAME) or "", type=cls)
        except msgspec.DecodeError:
            return cls()

    def days(self) -> dict[date, set[str]]:
        """Return the files of each covered day."""
        found = defaultdict[date, set[str]](set)
        for name in self.files:
            day = date.fromisoformat(name[len(_DAYS) :][:10]) if name.startswith(_DAYS) else None
            if day is not None and first_hour(day) < self.until:
                found[day].add(name)
        return found


def verify_changed(tables: Tables, known: FinalHours) -> dict[str, State]:
    """Verify the files that have changed since they were verified; return the state of each."""
    tables.forget()  # once in each sync, the logs themselves are verified too
    now, files = time.time_ns(), tables.files()
    with translate_errors(tables.home, "read"):
        found = tables.storage.states(files)
    states = {}
    for name, (table, file) in files.items():
        before = known.files.get(name)
        if before is None or before[:2] != found.get(name) or now - before.verified > _AGAIN:
            table.content(file)
            before = State(*found.get(name, (-1, -1)), now)
        states[name] = before
    return states


def refresh(
    tables: Tables, known: FinalHours, states: Mapping[str, State], scope: Scope
) -> FinalHours:
    """Return the final hours of these posts and types, after reading the days that changed.

    It reaches to the last day whose hours have all been over for ``settle`` hours. ``states``
    are those of the verified files.
    """
    first, end = scope.since.date(), (scope.now - timedelta(hours=scope.settle)).date()
    if known.settle != scope.settle or known.start > hour_of(scope.since):
        known = FinalHours()
    present = defaultdict[date, dict[str, DataFile]](dict)
    for name, (_, file) in tables.files().items():
        if file.day is not None and first <= file.day < end:
            present[file.day][name] = file
    if not present:
        return FinalHours()
    read = {day: names for day, names in known.days().items() if first <= day < end}
    unchanged = {name for name, state in known.files.items() if states.get(name) == state}
    changed = {
        day
        for day in present.keys() | read.keys()
        if present[day].keys() != read.get(day) or present[day].keys() - unchanged
    }
    types = set(map(str, scope.engagement_types))
    new = {
        post
        for post in scope.post_ids
        if not known.hours.get(post, {}).keys() >= types
        and (created_before(post, scope.now) or scope.since).date() < end
    }
    if not changed and not new:
        return known
    hours = {} if changed else dict(known.hours)  # of other posts, which are not read again
    for part in scope.parts():
        part.add_covered(known.hours, changed)
        for day, files in present.items():
            wanted = [post for post in part.post_ids if day in changed or post in new]
            if wanted:
                part.read(tables.readings(files.values(), wanted))
        for post, ranges in part.covered(first_hour(end)).items():
            hours[post] = {**hours.get(post, {}), **ranges}
    fresh = FinalHours(hour_of(scope.since), first_hour(end), scope.settle, hours, states)
    tables.save(_NAME, msgspec.json.encode(fresh).decode())
    return fresh
