"""A post in a file: its ID, other data about it, and its position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from engagement_pandas.errors import InvalidPostId, RequestError
from engagement_pandas.request.handle import normalize_handle
from engagement_pandas.request.owners import PostOwners
from engagement_pandas.request.post_files.column_names import ANY_ID, key
from engagement_pandas.request.post_files.post_kind import known_kind
from engagement_pandas.request.post_ids import parse_post_id
from engagement_pandas.text import check_digits, format_list, pluralize, warn

Missing = Literal["refuse", "skip"]
MISSING: Final[tuple[Missing, ...]] = get_args(Missing)
"""What to do with rows that have no post ID."""

_NO_ID: Final = frozenset({"", "-", "n/a", "na", "nan", "<na>", "nat", "none", "null", "nil"})
LONG: Final = 10
"""Digits of an ID since 2009; a shorter number among long ones may be anything."""

_SNOWFLAKE: Final = 15
PASTED: Final = "the pasted text"
"""Name of a text that comes from no file; a number alone on its line may be anything."""

_SHOWN: Final = 5


class RawEntry(NamedTuple):
    """A post as read from a file, with its unparsed ID.

    ``place`` is the line, from 1, or a description of the position. ``name`` is the name of the
    ID column; it is empty if there is none and the ID is alone on its line or an item, and None
    if the ID shares its line with others.
    """

    place: int | str
    post: Any
    handle: Any = None
    text: Any = None
    created_at: Any = None
    kind: Any = None
    name: str | None = None

    @classmethod
    def of(cls, place: int | str, cells: Mapping[str, Any], name: object) -> RawEntry:
        """Return the post in some cells, keyed as in ``column_names.ROLES``."""
        get = cells.get
        texts = get("handle"), get("text"), get("created_at"), get("kind")
        return cls(place, cells["post_id"], *texts, str(name))


class PostEntry(NamedTuple):
    """A post from a file, with a valid ID; other values are as in the file, None if absent.

    ``place`` is the line, from 1, or a description of the position.
    """

    post_id: str
    handle: str | None
    text: str | None
    created_at: str | None
    kind: str | None
    place: int | str
    file: str

    @property
    def where(self) -> str:
        """The position, for messages."""
        return where(self.place, self.file)


def where(place: int | str, file: str) -> str:
    """Return a position in words.

    >>> where(3, "posts.csv"), where("item 3", "posts.json")
    ('line 3 of posts.csv', 'item 3 of posts.json')
    """
    return f"line {place} of {file}" if isinstance(place, int) else f"{place} of {file}"


def is_id(cell: object, digits: int = 1) -> bool:
    """Return whether a cell is a post ID with at least that many digits."""
    try:
        return len(parse_post_id(cell)) >= digits
    except InvalidPostId:
        return False


def judged(raws: Iterable[RawEntry], file: str, missing: Missing) -> list[PostEntry]:
    """Return the posts, each with a valid ID; skipped rows cause a warning."""
    if missing not in MISSING:
        msg = f"missing is {missing!r}; choose one of {list(MISSING)}"
        raise RequestError(msg)
    records: list[PostEntry] = []
    bare: list[PostEntry] = []
    without: list[str] = []
    for raw in raws:
        place = raw.place
        if raw.post is None or (isinstance(raw.post, str) and raw.post.strip().lower() in _NO_ID):
            without.append(str(place))
            if missing == "refuse":
                msg = (
                    f"{where(place, file)} has no post ID; add it, or skip such rows "
                    "(missing='skip', or --missing skip)"
                )
                raise InvalidPostId(msg)
            continue
        try:
            post_id = parse_post_id(raw.post)
            handle = _text(raw.handle)
            if handle is not None:
                normalize_handle(handle)
        except RequestError as error:
            msg = f"{where(place, file)}: {error}"
            raise type(error)(msg) from error
        texts = _text(raw.text), _text(raw.created_at), known_kind(raw.kind)
        record = PostEntry(post_id, handle, *texts, place, file)
        records.append(record)
        if raw.name is None or (raw.name == "" and file == PASTED):
            bare.append(record)
        elif raw.name and len(post_id) < LONG and key(raw.name) in ANY_ID:
            msg = (
                f"{record.where} has no post_id, only {format_list([raw.name])}, and {post_id!r} "
                "is too short for a post ID; if it is one, rename the column to post_id"
            )
            raise InvalidPostId(msg)
    _check_short(bare)
    check_digits(dict.fromkeys(record.post_id for record in records), InvalidPostId, source=file)
    if without:
        some = ", ".join(without[:_SHOWN]) + (", …" if len(without) > _SHOWN else "")
        warn(
            f"skipped {pluralize(len(without), 'row')} of {file} without a post ID: {some}",
        )
    return records


def _text(value: Any) -> str | None:
    return None if value is None or not str(value).strip() else str(value)


def _check_short(bare: Sequence[PostEntry]) -> None:
    """Reject a short number among long IDs: it is a count, a rank or a year."""
    if any(len(record.post_id) >= _SNOWFLAKE for record in bare):
        for record in bare:
            if len(record.post_id) < LONG:
                msg = (
                    f"{record.where}: {record.post_id!r} is too short for a post ID among long "
                    "ones; remove it, or write the heading post_id above IDs of all lengths"
                )
                raise InvalidPostId(msg)


def handles_in(records: Iterable[PostEntry]) -> PostOwners:
    """Return the owners of the posts."""
    known: dict[str, PostEntry] = {}
    for record in records:
        if record.handle is not None:
            other = known.setdefault(record.post_id, record)
            if normalize_handle(str(other.handle)) != normalize_handle(record.handle):
                msg = (
                    f"{record.where}: post {record.post_id} belongs to {record.handle}, "
                    f"but to {other.handle} in {other.where}; keep one"
                )
                raise RequestError(msg)
    return PostOwners((post, record.handle) for post, record in known.items())
