"""The ledger: the handles requested this month, which the contract bills.

X counts the distinct authorised handles that are queried in a month, and has no endpoint
that returns the number. A handle counts from the first answer to a request signed with its
tokens (HTTP 200, or a 400 or 403 that names what is refused); requests with a bearer token
do not count.

The limit is checked before each request. If two processes send new handles at the same
moment, both may exceed it: both are billed and recorded, with a warning.

The file has one line per handle and month, and is only appended to, by complete lines::

    {"ledger":"engagement_pandas","version":1}
    {"month":"2026-04","handle":"sandbox_bakery","first_asked_at":"2026-04-15T12:20:00Z"}
"""

from __future__ import annotations

import math
import os
import re
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import msgspec

from engagement_pandas.auth.json_lines_file import JsonLinesFile
from engagement_pandas.errors import LedgerError, LedgerFull, RequestError
from engagement_pandas.files.settings import config_file
from engagement_pandas.request.handle import normalize_handle
from engagement_pandas.text import format_list, html_facts, pluralize, warn
from engagement_pandas.transport.urls import BASE_URL_VARIABLE, is_loopback

PATH_VARIABLE: Final = "X_LEDGER"
LIMIT_VARIABLE: Final = "X_HANDLE_LIMIT"
WARN_FROM: Final = 0.8
"""The share of the limit from which each new handle causes a warning."""

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class _Entry(msgspec.Struct, frozen=True):
    month: str
    handle: str
    first_asked_at: datetime


class Ledger:
    """The handles requested in each month; several processes may share one file.

    Parameters
    ----------
    path : str or path, optional
        A file, created with the first handle. By default the file named by ``X_LEDGER``, or
        ``engagement_pandas/ledger.jsonl`` in your settings folder (``~/.config``).
    limit : int, optional
        Distinct handles per month that the contract covers. From 80 % of it each new handle
        causes a warning, and a handle beyond it is refused.
    clock, environ
        ``time.time`` and the environment, or replacements for tests. Months are in UTC.

    Notes
    -----
    If there is no ``path``, no ``X_LEDGER`` and no ``limit``, and the default file is not
    accessible, a warning is issued and handles are not recorded; otherwise that is an error.

    Raises
    ------
    RequestError
        If the limit is not a positive integer.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> ledger = Ledger(Path(folder.name, "ledger.jsonl"), limit=2, clock=lambda: 1776255600.0)
    >>> ledger.record("@sandbox_bakery")
    True
    >>> ledger.record("Sandbox_Bakery")
    False
    >>> ledger.handles(), ledger.handles("2026-03")
    (('sandbox_bakery',), ())
    >>> ledger.check(["sandbox_railway", "sandbox_observatory"])
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.LedgerFull: 1 of 2 handles were requested in 2026-04, and
    ['sandbox_observatory', 'sandbox_railway'] would be new; request fewer, wait for
    the next month (UTC), or raise the limit if the contract does
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        limit: int | None = None,
        clock: Callable[[], float] = time.time,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        if limit is not None and (type(limit) is not int or limit < 1):
            msg = f"limit is {limit!r}; give an integer of at least 1, or None"
            raise RequestError(msg)
        self.limit = limit
        self.of_contract = path is None
        environ = os.environ if environ is None else environ
        self._given = path or environ.get(PATH_VARIABLE)
        self._prefix = ""
        self._clock = clock
        self._environ = environ
        self._known: set[tuple[str, str]] = set()
        self._handles: dict[str, str] = {}

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, base_url: str | None = None
    ) -> Self:
        """Return the ledger at ``X_LEDGER``, with the limit in ``X_HANDLE_LIMIT``, if set.

        For a ``base_url`` (by default ``X_BASE_URL``) on this machine the file name gets the
        prefix ``sandbox-``, since no contract bills the answers of a sandbox.

        Raises
        ------
        RequestError
            If the limit is not a positive integer.
        """
        environ = os.environ if environ is None else environ
        text = environ.get(LIMIT_VARIABLE, "").strip()
        if text and not (text.isascii() and text.isdecimal() and int(text) > 0):
            msg = f"{LIMIT_VARIABLE} is {text!r}; set it to an integer of at least 1, or unset it"
            raise RequestError(msg)
        ledger = cls(limit=int(text) if text else None, environ=environ)
        ledger.of_contract = not is_loopback(base_url or environ.get(BASE_URL_VARIABLE, ""))
        ledger._prefix = "" if ledger.of_contract else "sandbox-"
        return ledger

    @cached_property
    def path(self) -> Path:
        """Path of the ledger file."""
        if self._given:
            path = Path(self._given)
        else:
            path = config_file("ledger.jsonl", PATH_VARIABLE, LedgerError, self._environ)
        return path.with_name(self._prefix + path.name) if self._prefix else path

    @property
    def _file(self) -> JsonLinesFile:
        return JsonLinesFile(self.path)

    @property
    def month(self) -> str:
        """The current month, UTC: ``"2026-04"``."""
        return _month(self._now())

    def handles(self, month: str | None = None) -> tuple[str, ...]:
        """Return the handles of a month, in order of first request; see :meth:`first_requests`."""
        return tuple(self.first_requests(month))

    def first_requests(self, month: str | None = None) -> dict[str, datetime]:
        """Return the handles of a month and the time of their first request (aware, UTC).

        Parameters
        ----------
        month : str, optional
            As ``"2026-04"``; the current one by default.

        Raises
        ------
        RequestError, LedgerError
            If it is not a month, or the file cannot be read.
        """
        wanted = self.month if month is None else month
        if not isinstance(wanted, str) or not _MONTH.fullmatch(wanted):
            msg = f"{month!r} is not a month; give it as '2026-04'"
            raise RequestError(msg)
        first: dict[str, datetime] = {}
        for entry in self._entries():
            if entry.month == wanted:
                first.setdefault(self._called(entry.handle), entry.first_asked_at)
        return first

    def check(self, handles: Iterable[str], at: datetime | None = None) -> tuple[str, ...]:
        """Return the handles that would be new, in lower case, without ``@``, sorted.

        Parameters
        ----------
        handles : iterable of str
        at : datetime, optional
            Aware; the present by default.

        Raises
        ------
        LedgerFull
            If they exceed the limit.
        RequestError, LedgerError
            If one is not a handle, or the file cannot be read.

        Warns
        -----
        UserWarning
            If some are new, and the month reaches 80 % of the limit or more.
        """
        if isinstance(handles, str):
            msg = f"handles is the string {handles!r}; give a list of handles"
            raise RequestError(msg)
        month = _month(self._now() if at is None else at)
        new, known = self._new(handles, month)
        total = known + len(new)
        if new and self.limit is not None and total >= WARN_FROM * self.limit:
            warn(
                f"{total} of {self.limit} handles of {month} are used with {format_list(new)}, "
                f"which would be new (ledger {self.path})",
            )
        return new

    def allow(self, handle: str) -> None:
        """Raise if a handle exceeds the limit, as :meth:`check`; call it before each request."""
        month = self.month
        if (month, self._called(handle)) not in self._known:
            self._new([handle], month)

    def record(self, handle: str, at: datetime | None = None) -> bool:
        """Record that a request for a handle was answered; call it after each answer.

        The entry is on disk when this returns.

        Parameters
        ----------
        handle : str
        at : datetime, optional
            Aware; the present by default.

        Returns
        -------
        bool
            Whether the handle is new this month.

        Raises
        ------
        RequestError, LedgerError
            If it is not a handle, or the file cannot be read or written.

        Warns
        -----
        UserWarning
            If it exceeds the limit, which another process has reached in the meantime.
        """
        moment = self._now() if at is None else at
        entry = _Entry(_month(moment), self._called(handle), moment.astimezone(UTC))
        if (entry.month, entry.handle) in self._known:
            return False
        known: tuple[str, ...] = (entry.handle,)
        with self._accessible(), self._file.writing():
            known = self.handles(entry.month)
            if entry.handle not in known:
                self._file.append(msgspec.json.encode(entry) + b"\n")
        self._known.add((entry.month, entry.handle))
        if entry.handle not in known and len(known) >= (self.limit or math.inf):
            warn(
                f"{entry.handle} is handle {len(known) + 1} of {self.limit} in {entry.month}: "
                f"another process has reached the limit in the meantime (ledger {self.path})",
            )
        return entry.handle not in known

    def alias(self, number: str, handle: str) -> None:
        """Count an owner's number, such as ``user_9``, as this handle from now on."""
        self._handles[normalize_handle(number)] = normalize_handle(handle)

    def _called(self, handle: str) -> str:
        name = normalize_handle(handle)
        return self._handles.get(name, name)

    @contextmanager
    def _accessible(self) -> Iterator[None]:
        """Warn if a default file is not accessible; still raise if it is damaged."""
        try:
            yield
        except LedgerError as error:
            if self._given or self.limit is not None or error.__cause__ is None:
                raise
            # Issued once, since it is attributed to this line for all callers.
            warnings.warn(f"{error}; handles are not recorded until then", stacklevel=1)

    def _new(self, handles: Iterable[str], month: str) -> tuple[tuple[str, ...], int]:
        """Return the handles that are new to a month, and the number already recorded."""
        known: tuple[str, ...] = ()
        with self._accessible():
            known = self.handles(month)
        new = tuple(sorted({self._called(handle) for handle in handles} - set(known)))
        if new and self.limit is not None and len(known) + len(new) > self.limit:
            msg = (
                f"{len(known)} of {pluralize(self.limit, 'handle')} were requested in {month}, "
                f"and {format_list(new)} would be new; request fewer, wait for the next month "
                "(UTC), or raise the limit if the contract does"
            )
            raise LedgerFull(msg)
        return new, len(known)

    def _entries(self) -> Iterator[_Entry]:
        for number, line in self._file.lines():
            try:
                entry = msgspec.json.decode(line, type=_Entry)
                fits = _MONTH.fullmatch(entry.month) and entry.handle == normalize_handle(
                    entry.handle
                )
            except (msgspec.DecodeError, UnicodeDecodeError, RequestError):
                fits = None
            if not fits:
                raise self._file.damaged(number)
            yield entry

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def __repr__(self) -> str:
        return f"Ledger({self._place}" + (")" if self.limit is None else f", limit={self.limit})")

    @property
    def _place(self) -> str:
        try:
            return str(self.path)
        except LedgerError as error:
            return str(error)

    def __str__(self) -> str:
        of = "" if self.limit is None else f" of {self.limit}"
        try:
            month = self.month
            return (
                f"Ledger({self.path}: {len(self.handles(month))}{of} handles requested in {month})"
            )
        except LedgerError as error:
            return f"Ledger({error})"

    def _repr_html_(self) -> str:
        limit = "none given" if self.limit is None else f"{self.limit:,} handles a month"
        return html_facts(
            "Ledger of requested handles",
            {
                "file": self._place,
                "limit": limit,
                "this month's use": "print(ledger)",
                "handles": "ledger.first_requests()",
            },
        )


def _month(moment: datetime) -> str:
    if moment.tzinfo is None:
        msg = f"{moment} has no time zone; add one (tzinfo=UTC)"
        raise RequestError(msg)
    return f"{moment.astimezone(UTC):%Y-%m}"
