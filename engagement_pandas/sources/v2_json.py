"""JSON of X API v2, twarc and archives: the posts in it, and the API's problems with others."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final

from engagement_pandas.errors import InvalidPostId, RefusedError, ResponseShapeError
from engagement_pandas.request.post_files import contents_of, read_contents, text_of
from engagement_pandas.request.post_files.json_posts import is_script, json_values
from engagement_pandas.request.post_files.post_kind import kind_of
from engagement_pandas.text import truncated_repr

Body = bytes | str | Mapping[str, Any] | list[Any] | os.PathLike[str] | IO[Any]

_SHELLS: Final = ("tweet", "post")


@dataclass(frozen=True, slots=True)
class Item:
    """A post of a page, where it is, the media of the page by key, and the time of reading."""

    post: Mapping[str, Any]
    where: str
    media: Mapping[str, Any] = field(default_factory=dict)
    retrieved_at: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The posts and problems of a body, of any number of pages."""

    items: tuple[Item, ...]
    problems: tuple[Mapping[str, Any], ...]

    @property
    def originals(self) -> list[Item]:
        """The posts but the reposts, whose counts are those of the originals.

        Texts decide if no post has references, which were not requested then.
        """
        stated = any("referenced_tweets" in item.post for item in self.items)
        otherwise = "post" if stated else None
        return [item for item in self.items if kind_of(item.post, otherwise) != "repost"]


def document_of(body: Body | Document) -> Document:
    """Return the posts and problems of a body; JSON text, a parsed body, a file or its path.

    Text that begins like JSON is a body, and other text a path. A document is returned as it is.
    """
    if isinstance(body, Document):
        return body
    items: list[Item] = []
    problems: list[Mapping[str, Any]] = []
    for name, value in _values_of(body):
        _read(value, name, items, problems)
    return Document(tuple(items), tuple(problems))


def is_analytics(document: Document) -> bool:
    """Return whether posts have buckets or totals of ``/2/tweets/analytics``, and no metrics.

    >>> is_analytics(document_of({"data": [{"id": "7", "impressions": 90}]}))
    True
    """
    return any(
        {"timestamped_metrics", "impressions", "engagements"} & item.post.keys()
        for item in document.items
    )


def post_id_of(item: Item) -> str:
    """Return the ID of a post; ``id_str`` before ``id``, which may have lost digits."""
    for name in ("id_str", "id"):
        value = item.post.get(name)
        if isinstance(value, str | int) and re.fullmatch("[0-9]{1,19}", str(value)):
            return str(value)
    msg = f"there is no post ID, only {truncated_repr(list(item.post))}"
    raise ResponseShapeError(msg, item.where)


def _values_of(body: Body) -> Iterator[tuple[str, Any]]:
    """Yield each value of the body, with its position."""
    if isinstance(body, Mapping | list):
        yield "$", body
        return
    name = "the body"
    try:
        for name, content in _contents(body):
            text = text_of(name, content)
            for line, value in json_values(text.rstrip(), name, int):
                yield f"line {line} of {name}", value
    except InvalidPostId as error:
        raise ResponseShapeError(str(error)) from error
    except RecursionError as error:
        msg = f"{name} is nested too deeply"
        raise ResponseShapeError(msg) from error


def _contents(body: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(body, str) and (
        body.lstrip("\ufeff \t\r\n")[:1] in {"{", "["} or is_script(body)
    ):
        return iter([("the body", body)])
    if isinstance(body, bytes | bytearray | memoryview):
        return contents_of("the body", bytes(body))
    return read_contents(body)


def _read(
    value: Any, where: str, items: list[Item], problems: list[Mapping[str, Any]], page: Any = None
) -> None:
    """Collect the posts and problems of a value: a page, a list, or one post."""
    if isinstance(value, list):
        for number, each in enumerate(value, 1):
            _read(each, f"item {number} of {where}", items, problems, page)
        return
    if not isinstance(value, dict):
        msg = f"there is {truncated_repr(value)}, and not a post"
        raise ResponseShapeError(msg, where)
    shell = next((value[s] for s in _SHELLS if isinstance(value.get(s), dict)), None)
    if shell is not None and len(value) == 1:
        _read(shell, where, items, problems, page)
        return
    data = value.get("data")
    if isinstance(data, dict) and isinstance(data.get("data"), dict | list):
        data = data["data"]  # a schema of 2025 nests it
    is_post = "id" in value or "id_str" in value
    found = _problems_in(value)
    problems.extend(found)
    if found and not data and not is_post and not any(map(resource_of, found)):
        raise _refusal(found, where)
    if isinstance(data, dict | list):
        _read(data, where, items, problems, value)
        return
    if not is_post:
        if found or not value or {"meta", "includes"} & value.keys():
            return  # a page without posts
        msg = f"there is no post, only {truncated_repr(list(value))}"
        raise ResponseShapeError(msg, where)
    page = page or {}
    includes = page.get("includes")
    media = includes.get("media") if isinstance(includes, dict) else None
    items.append(
        Item(
            value,
            where,
            {str(each.get("media_key")): each for each in media or [] if isinstance(each, dict)},
            _twarc_time(value) or _twarc_time(page),
        )
    )


def _problems_in(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the problems of a page; a page may itself be the problem of the request."""
    found = page.get("errors")
    if isinstance(found, list):
        return [problem for problem in found if isinstance(problem, dict)]
    is_problem = {"detail", "message"} & page.keys() and not {"data", "id", "id_str"} & page.keys()
    return [page] if is_problem else []


def _refusal(problems: Iterable[Mapping[str, Any]], where: str) -> RefusedError:
    """Return the error of a page that holds nothing but problems of the request."""
    messages = [message_of(problem) for problem in problems]
    what = "there are no posts"
    if any(kind_of_problem(problem) == "client-forbidden" for problem in problems):
        what = "this endpoint is not open to the account"
    msg = f"{where}: {what}; the API says {messages}; remove the page, or request it again"
    return RefusedError(msg, messages=messages)


def _twarc_time(value: Mapping[str, Any]) -> str | None:
    twarc = value.get("__twarc")
    found = twarc.get("retrieved_at") if isinstance(twarc, dict) else None
    return found if isinstance(found, str) else None


def resource_of(problem: Mapping[str, Any]) -> str:
    """Return the ID that a problem is about; empty if it is about the request.

    >>> resource_of({"resource_id": "8"}), resource_of({"title": "Too Many Requests"})
    ('8', '')
    """
    for name in ("resource_id", "value"):
        value = problem.get(name)
        if isinstance(value, str | int) and re.fullmatch("[0-9]{1,19}", str(value)):
            return str(value)
    return ""


def kind_of_problem(problem: Mapping[str, Any]) -> str:
    """Return the last part of a problem's type; its host has changed."""
    return str(problem.get("type", "")).rstrip("/").rpartition("/")[2]


def message_of(problem: Mapping[str, Any]) -> str:
    """Return the API's words about a problem."""
    text = problem.get("detail") or problem.get("title") or problem.get("message")
    return str(text) if text else json.dumps(problem)[:200]
