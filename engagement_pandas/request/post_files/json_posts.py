"""JSON with posts, as the usual tools write it: one document, or one value per line."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any, Final

from engagement_pandas.errors import InvalidPostId
from engagement_pandas.request.post_files.column_names import roles_of
from engagement_pandas.request.post_files.entry import LONG, RawEntry, is_id, where
from engagement_pandas.request.post_files.post_kind import kind_of, known_kind
from engagement_pandas.text import format_list, truncated_repr

_SCRIPT: Final = re.compile(r"\s*(?:window\.|Grailbird\.|var |let |const )[\w.$]+\s*=\s*")
_LINES: Final = frozenset({".jsonl", ".ndjson"})
_BLANK: Final = re.compile(r"\s*")
_WRAPPERS: Final = ("tweet", "post", "status", "data", "tweets", "posts", "statuses")
_API_IDS: Final = frozenset({"id", "id_str"})
"""Names of the ID in posts of X's API and archives, which write ``&`` as ``&amp;``."""
_PAGE: Final = frozenset({"meta", "includes", "errors", "__twarc"})


class NotJson(InvalidPostId):
    """Raised if a text is not JSON."""


def is_script(text: str) -> bool:
    """Return whether a text is a JavaScript file of X's own archives, such as ``tweets.js``.

    >>> is_script("window.YTD.tweets.part0 = []")
    True
    """
    return bool(_SCRIPT.match(text))


def items(text: str, name: str) -> list[RawEntry]:
    """Return the posts in a JSON text; numbers keep all their digits.

    >>> [raw.post for raw in items('{"data": [{"id": "7"}], "meta": {}}', "page.json")]
    ['7']
    """
    values = list(json_values(text.rstrip(), name))
    document = _Document(name, plain="post" if '"referenced_tweets"' in text else None)
    if len(values) == 1 and not _LINES.intersection(PurePath(name.lower()).suffixes):
        return list(document.every(values[0][1]))
    return [raw for line, value in values for raw in document.every(value, line)]


def json_values(
    text: str, name: str, numbers: Callable[[str], Any] = str
) -> Iterator[tuple[int, Any]]:
    """Yield the values in order, however many lines each takes."""
    decoder = json.JSONDecoder(
        parse_int=numbers, parse_float=str, parse_constant=str, object_pairs_hook=_object
    )
    script = _SCRIPT.match(text)
    place, line = script.end() if script else 0, 1
    first = place
    while True:
        start = _BLANK.match(text, place).end()  # type: ignore[union-attr]
        line += text.count("\n", place, start)
        if start == len(text) or (script and text[start:].strip() == ";"):
            return
        try:
            if place > first and "\n" not in text[place:start]:
                msg = "Expecting each value on its own line"
                raise json.JSONDecodeError(msg, text, start)  # noqa: TRY301 - like the decoder
            value, place = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            msg = (
                f"line {error.lineno} of {name} is not valid JSON: {error.msg} "
                f"(column {error.colno})"
            )
            raise NotJson(msg) from error
        except InvalidPostId as error:
            msg = f"{where(line, name)} {error}"
            raise InvalidPostId(msg) from error
        yield line, value
        line += text.count("\n", start, place)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = format_list({name for name in names if names.count(name) > 1})
        msg = f"has {twice} twice in an object; keep one"
        raise InvalidPostId(msg)
    return value


@dataclass(frozen=True, slots=True)
class _Document:
    """A file's name, its handles by account ID, and the kind of posts without references."""

    name: str
    users: Mapping[str, Any] = field(default_factory=dict)
    plain: str | None = None

    def every(self, value: Any, line: int | str | None = None) -> Iterator[RawEntry]:
        """Yield the posts of a list, or of one value."""
        for number, item in enumerate(value if isinstance(value, list) else [value], 1):
            place = line or f"item {number}"
            if isinstance(item, dict):
                yield from self.of_object(item, place)
            else:
                post = self.in_row(item, place) if isinstance(item, list) else item
                yield RawEntry(place, post, name="")

    def of_object(self, value: dict[str, Any], place: int | str) -> Iterator[RawEntry]:
        """Yield the posts of an object: itself, its columns, its rows, or what it wraps."""
        named = self.roles(value, place)
        roles = {role: value[name] for role, name in named.items()}
        data = value.get("data")
        if "post_id" in roles:
            yield from self.of_roles(roles, value, place, named["post_id"])
        elif isinstance(value.get("columns"), list) and isinstance(data, list):
            columns = list(map(str, value["columns"]))  # orient="split"
            self.roles(columns, place)
            for number, row in enumerate(data, 1):
                self.check_length(row, columns, f"item {number}")
                yield from self.of_object(dict(zip(columns, row, strict=True)), f"item {number}")
        elif wrapper := next((w for w in _WRAPPERS if isinstance(value.get(w), dict | list)), ""):
            users = _get(value.get("includes"), "users")
            every = users if isinstance(users, list) else []
            names = {str(_get(user, "id")): _get(user, "username") for user in every}
            line = place if isinstance(place, int) or isinstance(value[wrapper], dict) else None
            yield from replace(self, users=names or self.users).every(value[wrapper], line)
        elif value and _PAGE.issuperset(value):
            return  # a page without posts
        elif value and all(isinstance(item, dict) for item in value.values()):
            for name, item in value.items():  # orient="index"
                yield from self.of_object(item, f"item {name}")
        elif value and list(value) == list(map(str, range(len(value)))):
            yield from self.every(list(value.values()))  # a Series
        else:
            msg = f"{where(place, self.name)} has no post_id, only {format_list(value)}; rename one"
            raise InvalidPostId(msg)

    def of_roles(
        self, roles: Mapping[str, Any], value: Mapping[str, Any], place: int | str, name: str
    ) -> Iterator[RawEntry]:
        """Yield the post of an object, or the posts of its columns."""
        post = roles["post_id"]
        if isinstance(post, dict | list):  # orient="columns", to_dict("list")
            for column in roles.values():
                self.check_length(column, post, place)
            for number, row in enumerate(post if isinstance(post, dict) else range(len(post)), 1):
                cells = {role: _get(column, row) for role, column in roles.items()}
                yield RawEntry.of(f"item {number}", cells, name)
            return
        handle = roles.get("handle") or self.users.get(str(value.get("author_id")))
        for owner in (value.get("user"), value.get("author")):
            if handle is None and isinstance(owner, dict):
                handle = owner.get(self.roles(owner, place).get("handle"))
        kind = known_kind(roles.get("kind")) or kind_of(value, self.plain)
        cells = {**roles, "handle": handle, "kind": kind}
        if name in _API_IDS and isinstance(text := roles.get("text"), str):
            cells["text"] = html.unescape(text)
        yield RawEntry.of(place, cells, name)

    def roles(self, names: Iterable[Any], place: int | str) -> dict[str, Any]:
        """Return the name that holds each role."""
        names = tuple(names)
        try:
            return {role: names[column] for role, column in roles_of(names).items()}
        except InvalidPostId as error:
            msg = f"{where(place, self.name)}: {error}"
            raise InvalidPostId(msg) from error

    def check_length(self, column: Any, other: Sized, place: int | str) -> None:
        """Reject a row or column that differs in length from the others."""
        if not isinstance(column, list | dict) or len(column) != len(other):
            found = truncated_repr(column)
            msg = f"{where(place, self.name)}: {found} should have {len(other)} values"
            raise InvalidPostId(msg)

    def in_row(self, row: Sequence[Any], place: int | str) -> Any:
        """Return the only long ID in a row without column names."""
        found = [cell for cell in row if len(row) == 1 or is_id(cell, LONG)]
        if len(found) != 1:
            msg = (
                f"{where(place, self.name)} is a row with {len(found)} post IDs, "
                f"{format_list(row)}; name the columns"
            )
            raise InvalidPostId(msg)
        return found[0]


def _get(values: Any, key: Any) -> Any:
    if isinstance(values, dict):
        return values.get(key)
    return values[key] if isinstance(values, list) and isinstance(key, int) else None
