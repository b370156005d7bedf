"""Bodies that are as large in memory as their number of bytes allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from typing import Final

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def word(number: int) -> str:
    """Return a word of letters, distinct for each number."""
    letters = ""
    while number >= 0:
        letters = LETTERS[number % 26] + letters
        number = number // 26 - 1
    return letters


def numeral(number: int) -> str:
    """Return a post ID, distinct for each number."""
    return str(number + 1)


def day(number: int) -> str:
    """Return a day, distinct for each number below three million."""
    return (date(1, 1, 1) + timedelta(days=number % 3_000_000)).isoformat()


def members(value: str, size: int, keys: Callable[[int], str]) -> str:
    """Return an object whose members have the same value, of about this size."""

    def parts() -> Iterator[str]:
        length = 0
        for number in count():
            part = f'"{keys(number)}":{value}'
            length += len(part) + 1
            if length > size:
                return
            yield part

    return "{" + ",".join(parts()) + "}"


def items(item: str, size: int) -> str:
    """Return a list of equal items, of about this size."""
    return "[" + ",".join([item] * (size // (len(item) + 1))) + "]"


def words(size: int) -> str:
    """Return a list of distinct words, of about this size."""
    return "[" + ",".join(f'"{word(n)}"' for n in range(700, 700 + size // 6)) + "]"


def nested(inner: str, *keys: str) -> str:
    """Nest JSON under some keys."""
    for key in reversed(keys):
        inner = f'{{"{key}":{inner}}}'
    return inner


def hourly(size: int, hours: int, value: str, types: tuple[str, str] = ("likes", "views")) -> str:
    """Return a body of four dimensions of about this size, with this number of hours a day."""
    day_counts = "{" + ",".join(f'"{hour:02d}":{value}' for hour in range(hours)) + "}"
    type_counts = "{" + ",".join(f'"{day(739_000 + n)}":{day_counts}' for n in range(28)) + "}"
    post_counts = (
        "{" + ",".join(f'"{engagement_type}":{type_counts}' for engagement_type in types) + "}"
    )
    return nested(members(post_counts, size, numeral), "g")


def with_counts(key: str, value: str) -> str:
    """Return a body with a count and another member."""
    return f'{{"{key}":{value},"g":{{"1":{{"likes":1}}}}}}'


SHAPES: Final[dict[str, Callable[[int], str]]] = {
    "groupings": lambda n: members("0", n, word),
    "groupings of nothing": lambda n: members("{}", n, word),
    "posts of nothing": lambda n: nested(members("{}", n, numeral), "g"),
    "posts of one type": lambda n: nested(members('{"a":1}', n, numeral), "g"),
    "types of one post": lambda n: nested(members("1", n, word), "g", "1"),
    "types of text counts": lambda n: nested(members('"12345"', n, word), "g", "1"),
    "days": lambda n: nested(members("1", n, day), "g", "1", "likes"),
    "days of nothing": lambda n: nested(members("{}", n, day), "g", "1", "likes"),
    "days of an hour": lambda n: hourly(n, 1, "1"),
    "days of ten hours": lambda n: hourly(n, 10, "1"),
    "days of twenty hours": lambda n: hourly(n, 20, "1"),
    "full days": lambda n: hourly(n, 24, "1"),
    "full days of texts": lambda n: hourly(n, 24, '"18"'),
    "full days, odd": lambda n: hourly(n, 24, "1", ("li.es", "views")),
    "full days, escaped": lambda n: hourly(n, 24, '"18"', ("lik\\u0065s", "views")),
    "lists": lambda n: nested(items("[]", n), "g", "1", "likes"),
    "lists of numbers": lambda n: nested(items("1", n), "g", "1", "likes"),
    "objects in a list": lambda n: nested(items("{}", n), "g", "1", "likes"),
    "floats": lambda n: nested(items("1.5", n), "g", "1", "likes"),
    "a long text": lambda n: nested(f'"{"1" * n}"', "g", "1", "likes"),
    "a long number": lambda n: nested("1" * n, "g", "1", "likes"),
    "a long type": lambda n: nested("1", "g", "1", "x" * n),
    "a long name": lambda n: nested("1.5", "g" * n, "1", "likes"),
    "a long name of surprises": lambda n: nested("1.5", "\\u0001" * (n // 6), "1", "likes"),
    "a long wrong key": lambda n: nested("1", "g", "1", "\\u0001" * (n // 6), "x"),
    "white space": lambda n: nested(" " * n + '"5"', "g", "1", "likes"),
    "deep": lambda n: '{"g":' * (n // 6) + "1" + "}" * (n // 6),
    "deep lists": lambda n: nested("[" * (n // 2) + "]" * (n // 2), "g"),
    "deep in a type": lambda n: nested(
        '{"a":' * (n // 6) + "1" + "}" * (n // 6), "g", "1", "likes"
    ),
    "unavailable": lambda n: with_counts("unavailable_tweet_ids", words(n)),
    "unavailable numbers": lambda n: with_counts("unavailable_tweet_ids", items("12345", n)),
    "too old": lambda n: with_counts("unsupported_for_video_views_tweet_ids", words(n)),
    "errors": lambda n: nested(words(n), "errors"),
    "errors of nothing": lambda n: nested(items('""', n), "errors"),
    "an error of posts": lambda n: nested(
        '["Forbidden to access tweets: ' + " ".join(map(numeral, range(n // 7))) + '"]', "errors"
    ),
    "an error begun again": lambda n: nested(
        '["' + "forbidden to access tweets " * (n // 27) + '"]', "errors"
    ),
    "a start": lambda n: with_counts("start", f'"{"2" * n}"'),
    "a start of surprises": lambda n: with_counts("start", '"' + "\\u0001" * (n // 6) + '"'),
    "a key twice": lambda n: nested(members("1", n, lambda k: word(k % 90_000)), "g", "1"),
    "cut off": lambda n: hourly(n, 24, "1")[:-9],
    "no JSON": lambda n: "<" * n,
}
"""Functions from a number of bytes to a body, by name."""
