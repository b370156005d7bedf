"""The ledger: on whose behalf was asked this month, which is what a contract bills.

X counts the distinct authorised handles that are queried in a month, and has no endpoint
that tells the number. A handle counts from the first answer to a request signed with its
tokens (HTTP 200, or a 400 or 403 that names what is refused); what a bearer token asks counts
for nobody.

The limit is checked before each request. Where two processes send new handles at the same
moment, both may pass it: both are billed and written down, with a warning.

The file has a line a handle and month, and grows by whole lines only::

    {"ledger":"engagement_pandas","version":1}
    {"month":"2026-04","handle":"sandbox_bakery","first_asked_at":"2026-04-15T12:20:00Z"}
"""

from __future__ import annotations

import html
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

from engagement_pandas.auth.ledger_file import JsonLinesFile
from engagement_pandas.errors import LedgerError, LedgerFull, RequestError
from engagement_pandas.files import config_file
from engagement_pandas.request.handle import normalize_handle
from engagement_pandas.text import format_list, pluralize
from engagement_pandas.transport.urls import BASE_URL_VARIABLE, is_loopback

PATH_VARIABLE: Final = "X_LEDGER"
LIMIT_VARIABLE: Final = "X_HANDLE_LIMIT"
WARN_FROM: Final = 0.8
"""The share of the limit from which each new handle is warned about."""

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class _Entry(msgspec.Struct, frozen=True):
    month: str
    handle: str
    first_asked_at: datetime


class Ledger:
    """Whose counts were asked for each month; several processes may keep one.

    Parameters
    ----------
    path : str or path, optional
        A file; made with the first handle. By default the one that ``X_LEDGER`` names, or
        ``engagement_pandas/ledger.jsonl`` among your settings (``~/.config``).
    limit : int, optional
        Distinct handles a month that the contract pays for. From 80 % of it a warning
        comes with each new handle, and the one beyond it is refused.
    clock, environ
        ``time.time`` and the environment, or a test's own. Months are those of UTC.

    Notes
    -----
    Where nobody has named a file or a limit, one that cannot be had is warned of, and nobody
    is noted.

    Raises
    ------
    RequestError
        Where the limit is not a positive whole number.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> ledger = Ledger(Path(folder.name, "ledger.jsonl"), limit=2, clock=lambda: 1776255600.0)
    >>> ledger.note("@sandbox_bakery")
    True
    >>> ledger.note("Sandbox_Bakery")
    False
    >>> ledger.handles(), ledger.handles("2026-03")
    (('sandbox_bakery',), ())
    >>> ledger.check(["sandbox_railway", "sandbox_observatory"])
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.LedgerFull: 1 of 2 handles have been asked in 2026-04, and
    ['sandbox_observatory', 'sandbox_railway'] would be new; ask for fewer, wait for
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
            msg = f"limit is {limit!r}; give a whole number of handles, at least one, or None"
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
        """Return the ledger at ``X_LEDGER``, with the limit in ``X_HANDLE_LIMIT``, if any.

        For a ``base_url`` (by default ``X_BASE_URL``) on this machine it is another file,
        ``sandbox-`` before its name: what a sandbox answers, no contract bills.

        Raises
        ------
        RequestError
            Where the limit is not a positive whole number.
        """
        environ = os.environ if environ is None else environ
        text = environ.get(LIMIT_VARIABLE, "").strip()
        if text and not (text.isascii() and text.isdecimal() and int(text) > 0):
            msg = f"{LIMIT_VARIABLE} is {text!r}; set it to a whole number, at least 1, or unset it"
            raise RequestError(msg)
        ledger = cls(limit=int(text) if text else None, environ=environ)
        ledger.of_contract = not is_loopback(base_url or environ.get(BASE_URL_VARIABLE, ""))
        ledger._prefix = "" if ledger.of_contract else "sandbox-"
        return ledger

    @cached_property
    def path(self) -> Path:
        """The file."""
        if self._given:
            path = Path(self._given)
        else:
            path = config_file("ledger.jsonl", PATH_VARIABLE, LedgerError, self._environ)
        return path.with_name(self._prefix + path.name) if self._prefix else path

    @property
    def _journal(self) -> JsonLinesFile:
        return JsonLinesFile(self.path)

    @property
    def month(self) -> str:
        """The present month, UTC: ``"2026-04"``."""
        return _month(self._now())

    def handles(self, month: str | None = None) -> tuple[str, ...]:
        """Return the handles of a month, the first one first; as :meth:`asked`."""
        return tuple(self.asked(month))

    def asked(self, month: str | None = None) -> dict[str, datetime]:
        """Return the handles of a month, and when each was first asked with (aware, UTC).

        Parameters
        ----------
        month : str, optional
            As ``"2026-04"``; the present one by default.

        Raises
        ------
        RequestError, LedgerError
            Where that is no month, or the file cannot be read.
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
        """Return which handles would be new, in lower case, without ``@``, sorted.

        Parameters
        ----------
        handles : iterable of str
        at : datetime, optional
            Aware; the present by default.

        Raises
        ------
        LedgerFull
            Where they are more than the limit leaves room for.
        RequestError, LedgerError
            Where one is no handle, or the file cannot be read.

        Warns
        -----
        UserWarning
            Where some are new, and the month comes to 80 % of the limit or more.
        """
        if isinstance(handles, str):
            msg = f"handles is the single text {handles!r}; give a list of handles"
            raise RequestError(msg)
        month = _month(self._now() if at is None else at)
        new, known = self._new(handles, month)
        total = known + len(new)
        if new and self.limit is not None and total >= WARN_FROM * self.limit:
            warnings.warn(
                f"{total} of {self.limit} handles of {month} with {format_list(new)}, "
                f"which were not asked with before (ledger {self.path})",
                stacklevel=2,
            )
        return new

    def allow(self, handle: str) -> None:
        """Refuse a handle beyond the limit, as :meth:`check`; call it before each request."""
        month = self.month
        if (month, self._called(handle)) not in self._known:
            self._new([handle], month)

    def note(self, handle: str, at: datetime | None = None) -> bool:
        """Write down that a request with a handle was answered; call it after each answer.

        It is on disk when this returns.

        Parameters
        ----------
        handle : str
        at : datetime, optional
            Aware; the present by default.

        Returns
        -------
        bool
            Whether it is new this month.

        Raises
        ------
        RequestError, LedgerError
            Where it is no handle, or the file cannot be read or written.

        Warns
        -----
        UserWarning
            Where it is beyond the limit, which another process has filled meanwhile.
        """
        moment = self._now() if at is None else at
        entry = _Entry(_month(moment), self._called(handle), moment.astimezone(UTC))
        if (entry.month, entry.handle) in self._known:
            return False
        known: tuple[str, ...] = (entry.handle,)
        with self._if_wanted(), self._journal.writing():
            known = self.handles(entry.month)
            if entry.handle not in known:
                self._journal.append(msgspec.json.encode(entry) + b"\n")
        self._known.add((entry.month, entry.handle))
        if entry.handle not in known and len(known) >= (self.limit or math.inf):
            warnings.warn(
                f"{entry.handle} is handle {len(known) + 1} of {self.limit} in {entry.month}: "
                f"another process has filled the ledger {self.path} meanwhile",
                stacklevel=2,
            )
        return entry.handle not in known

    def identify(self, number: str, handle: str) -> None:
        """Count the number of an owner, such as ``user_9``, as this handle from now on."""
        self._handles[normalize_handle(number)] = normalize_handle(handle)

    def _called(self, handle: str) -> str:
        name = normalize_handle(handle)
        return self._handles.get(name, name)

    @contextmanager
    def _if_wanted(self) -> Iterator[None]:
        """Warn where a file cannot be had that nobody asked for; damage is an error still."""
        try:
            yield
        except LedgerError as error:
            if self._given or self.limit is not None or error.__cause__ is None:
                raise
            # Told once: by a line of this module, whoever calls.
            warnings.warn(f"{error}; until then nobody is noted", stacklevel=1)

    def _new(self, handles: Iterable[str], month: str) -> tuple[tuple[str, ...], int]:
        """Return the handles that are new to a month, and how many it has without them."""
        asked: tuple[str, ...] = ()
        with self._if_wanted():
            asked = self.handles(month)
        new = tuple(sorted({self._called(handle) for handle in handles} - set(asked)))
        if new and self.limit is not None and len(asked) + len(new) > self.limit:
            msg = (
                f"{len(asked)} of {pluralize(self.limit, 'handle')} have been asked in {month}, "
                f"and {format_list(new)} would be new; ask for fewer, wait for the next month "
                "(UTC), "
                "or raise the limit if the contract does"
            )
            raise LedgerFull(msg)
        return new, len(asked)

    def _entries(self) -> Iterator[_Entry]:
        for number, line in self._journal.lines():
            try:
                entry = msgspec.json.decode(line, type=_Entry)
                fits = _MONTH.fullmatch(entry.month) and entry.handle == normalize_handle(
                    entry.handle
                )
            except (msgspec.DecodeError, UnicodeDecodeError, RequestError):
                fits = None
            if not fits:
                raise self._journal.damaged(number)
            yield entry

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def __repr__(self) -> str:
        of = "" if self.limit is None else f" of {self.limit}"
        try:
            month = self.month
            return f"Ledger({self.path}: {len(self.handles(month))}{of} handles asked in {month})"
        except LedgerError as error:
            return f"Ledger({error})"

    def _repr_html_(self) -> str:
        try:
            asked = self.asked()
        except LedgerError:
            asked = {}  # the caption says why
        rows = "".join(
            f"<tr><td>{number}</td><td>@{handle}</td><td>{at:%Y-%m-%d %H:%M}</td></tr>"
            for number, (handle, at) in enumerate(asked.items(), 1)
        )
        return (
            f"<table><caption>{html.escape(repr(self))}</caption><thead><tr><th></th><th>handle"
            f"</th><th>first asked (UTC)</th></tr></thead><tbody>{rows}</tbody></table>"
        )


def _month(moment: datetime) -> str:
    if moment.tzinfo is None:
        msg = f"{moment} has no time zone; add one (tzinfo=UTC)"
        raise RequestError(msg)
    return f"{moment.astimezone(UTC):%Y-%m}"
