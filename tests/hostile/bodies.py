"""Bodies that make much out of little: each is as big in memory as its bytes can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from typing import Final

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def word(number: int) -> str:
    """Return a short word of letters, another for each number."""
    letters = ""
    while number >= 0:
        letters = LETTERS[number % 26] + letters
        number = number // 26 - 1
    return letters


def numeral(number: int) -> str:
    """Return the ID of a post, another for each number."""
    return str(number + 1)


def day(number: int) -> str:
    """Return a day, another for each number below three million."""
    return (date(1, 1, 1) + timedelta(days=number % 3_000_000)).isoformat()


def members(value: str, size: int, keys: Callable[[int], str]) -> str:
    """Return an object whose members all have one value, of about so many bytes."""

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
    """Return a list of the same, of about so many bytes."""
    return "[" + ",".join([item] * (size // (len(item) + 1))) + "]"


def words(size: int) -> str:
    """Return a list of different words, of about so many bytes."""
    return "[" + ",".join(f'"{word(n)}"' for n in range(700, 700 + size // 6)) + "]"


def below(inner: str, *keys: str) -> str:
    """Nest JSON below some keys."""
    for key in reversed(keys):
        inner = f'{{"{key}":{inner}}}'
    return inner


def hourly(size: int, hours: int, value: str, kinds: tuple[str, str] = ("likes", "views")) -> str:
    """Return an answer of four dimensions and about so many bytes, so many hours a day."""
    of_a_day = "{" + ",".join(f'"{hour:02d}":{value}' for hour in range(hours)) + "}"
    of_a_type = "{" + ",".join(f'"{day(739_000 + n)}":{of_a_day}' for n in range(28)) + "}"
    of_a_post = "{" + ",".join(f'"{kind}":{of_a_type}' for kind in kinds) + "}"
    return below(members(of_a_post, size, numeral), "g")


def beside(key: str, value: str) -> str:
    """Return an answer with a count, and something else."""
    return f'{{"{key}":{value},"g":{{"1":{{"likes":1}}}}}}'


SHAPES: Final[dict[str, Callable[[int], str]]] = {
    "groupings": lambda n: members("0", n, word),
    "groupings of nothing": lambda n: members("{}", n, word),
    "posts of nothing": lambda n: below(members("{}", n, numeral), "g"),
    "posts of one type": lambda n: below(members('{"a":1}', n, numeral), "g"),
    "types of one post": lambda n: below(members("1", n, word), "g", "1"),
    "types of text counts": lambda n: below(members('"12345"', n, word), "g", "1"),
    "days": lambda n: below(members("1", n, day), "g", "1", "likes"),
    "days of nothing": lambda n: below(members("{}", n, day), "g", "1", "likes"),
    "days of an hour": lambda n: hourly(n, 1, "1"),
    "days of ten hours": lambda n: hourly(n, 10, "1"),
    "days of twenty hours": lambda n: hourly(n, 20, "1"),
    "full days": lambda n: hourly(n, 24, "1"),
    "full days of texts": lambda n: hourly(n, 24, '"18"'),
    "full days, odd": lambda n: hourly(n, 24, "1", ("li.es", "views")),
    "full days, escaped": lambda n: hourly(n, 24, '"18"', ("lik\\u0065s", "views")),
    "lists": lambda n: below(items("[]", n), "g", "1", "likes"),
    "lists of numbers": lambda n: below(items("1", n), "g", "1", "likes"),
    "objects in a list": lambda n: below(items("{}", n), "g", "1", "likes"),
    "floats": lambda n: below(items("1.5", n), "g", "1", "likes"),
    "a long text": lambda n: below(f'"{"1" * n}"', "g", "1", "likes"),
    "a long number": lambda n: below("1" * n, "g", "1", "likes"),
    "a long type": lambda n: below("1", "g", "1", "x" * n),
    "a long name": lambda n: below("1.5", "g" * n, "1", "likes"),
    "a long name of surprises": lambda n: below("1.5", "\\u0001" * (n // 6), "1", "likes"),
    "a long wrong key": lambda n: below("1", "g", "1", "\\u0001" * (n // 6), "x"),
    "white space": lambda n: below(" " * n + '"5"', "g", "1", "likes"),
    "deep": lambda n: '{"g":' * (n // 6) + "1" + "}" * (n // 6),
    "deep lists": lambda n: below("[" * (n // 2) + "]" * (n // 2), "g"),
    "deep in a type": lambda n: below('{"a":' * (n // 6) + "1" + "}" * (n // 6), "g", "1", "likes"),
    "unavailable": lambda n: beside("unavailable_tweet_ids", words(n)),
    "unavailable numbers": lambda n: beside("unavailable_tweet_ids", items("12345", n)),
    "too old": lambda n: beside("unsupported_for_video_views_tweet_ids", words(n)),
    "errors": lambda n: below(words(n), "errors"),
    "errors of nothing": lambda n: below(items('""', n), "errors"),
    "an error of posts": lambda n: below(
        '["Forbidden to access tweets: ' + " ".join(map(numeral, range(n // 7))) + '"]', "errors"
    ),
    "an error begun again": lambda n: below(
        '["' + "forbidden to access tweets " * (n // 27) + '"]', "errors"
    ),
    "a start": lambda n: beside("start", f'"{"2" * n}"'),
    "a start of surprises": lambda n: beside("start", '"' + "\\u0001" * (n // 6) + '"'),
    "a key twice": lambda n: below(members("1", n, lambda k: word(k % 90_000)), "g", "1"),
    "cut off": lambda n: hourly(n, 24, "1")[:-9],
    "no JSON": lambda n: "<" * n,
}
"""By name: a body of about so many bytes."""
