"""What is the ID of a post, what never was, and what no longer is."""

from __future__ import annotations

import random
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas import InvalidPostId, created_at
from engagement_pandas.id_files import ids_in, read_ids
from engagement_pandas.posts import check_digits, pasted_ids, unique_ids

ID = "1060976163948904448"


@pytest.mark.parametrize(
    "posts",
    [
        [ID, "7"],
        (ID, 7),
        iter([ID, 7]),
        pd.Series([ID, "7"]),
        pd.Series([int(ID), 7]),
        pd.Series([int(ID), 7], dtype="Int64"),
        pd.Series([int(ID), 7], dtype="uint64[pyarrow]"),
        pd.Series([ID, "7"], dtype="category"),
        pd.Index([ID, "7"]),
        np.array([int(ID), 7]),
        pd.DataFrame({"text": ["a", "b"], "post_id": [ID, "7"]}),
        {ID: 0, "7": 1}.keys(),
    ],
    ids=lambda posts: type(posts).__name__,
)
def test_any_iterable_of_ids(posts: Any) -> None:
    """Strings and exact integers, in any container, come out as strings in order."""
    assert unique_ids(posts) == (ID, "7")


def test_duplicates_once() -> None:
    """An ID given as text and as a number is the same ID, asked once, in first place."""
    assert unique_ids(["9", ID, 9, int(ID), "9"]) == ("9", ID)


@given(st.integers(0, 10**19 - 1))
def test_integers_are_exact(number: int) -> None:
    """Every integer of up to 19 digits keeps every digit."""
    assert unique_ids([number]) == (str(number),)


@pytest.mark.parametrize(
    ("posts", "words"),
    [
        ([], "is empty"),
        (pd.DataFrame({"post_id": []}, dtype="str"), "is empty"),
        (ID, "give a list"),
        (b"123", "give a list"),
        (int(ID), "give a list"),
        (None, "give a list"),
        ({"post_id": [ID]}, "give a list"),
        (pd.DataFrame({"tweet_id": [ID]}), "no post_id column, only ['tweet_id']"),
        ([1.060976163948904448e18], "has been a float"),
        (["1.060976163948904e+18"], "has been a float"),
        (["1060976163948904448.0"], "has been a float"),
        (["nan"], "has been a float"),
        ([float("nan")], "has been a float"),
        ([np.float64(7)], "has been a float"),
        (pd.Series([1.0, 2.0]), "dtype={'post_id': str}"),
        (pd.Series([1.0, None], dtype="Float64"), "dtype={'post_id': str}"),
        ([pd.NA], "<NA> is not a post ID"),
        ([None], "None is not a post ID"),
        ([True], "True is not a post ID"),
        (["12345678901234567890"], "'12345678901234567890' is not a post ID"),
        ([10**19], "10000000000000000000 is not a post ID"),
        ([-1], "-1 is not a post ID"),
        ([""], "'' is not a post ID"),
        (["\u0667"], "'\u0667' is not a post ID"),
        (["https://x.com/a"], "is not a post ID"),
        (["7", "x"], "'x' is not a post ID; give 1 to 19 digits as text, or a link (row 1"),
        ([["7"]], "['7'] is not a post ID"),
        (np.array(7), "give a list"),
        ([10**30], "is not a post ID"),
    ],
)
def test_refused_with_the_value_and_the_cure(posts: Any, words: str) -> None:
    """What is no ID, or no longer one, is refused in words that tell which and why."""
    with pytest.raises(InvalidPostId) as caught:
        unique_ids(posts)
    assert words in str(caught.value)


def test_one_bad_id_among_many() -> None:
    """A single damaged ID among good ones is found, not skipped."""
    with pytest.raises(InvalidPostId, match="'x'"):
        unique_ids([*map(str, range(1000)), "x"])


A, B, C = "2125450880059707756", "2125883449981014166", "2126138811200049196"


@pytest.mark.parametrize(
    "text",
    [
        f" {A} ",
        f"{A}\n",
        f"\ufeff{A}\u200b\u00a0",
        f"'{A}",
        f'="{A}"',
        f'"{A}"',
        f"ID:{A}",
        f"Post ID: {A}",
        f"tweet_id={A}",
        f"{A}.0",
        f"{A}.00",
        "2,125,450,880,059,707,756",
        "2.125.450.880.059.707.756",
        "2\u202f125\u202f450\u202f880\u202f059\u202f707\u202f756",
        "21,25,45,08,80,05,97,07,756",
        "2125 4508 8005 9707 756",
    ],
)
def test_guards_and_groups(text: str) -> None:
    """What people put around an ID to save it from a spreadsheet, and what that makes of it."""
    assert unique_ids([text]) == (A,)


@pytest.mark.parametrize(
    "host",
    [
        *("x.com", "www.x.com", "mobile.x.com", "X.com", "x.com:443"),
        *("twitter.com", "mobile.twitter.com", "m.twitter.com", "www.twitter.com"),
        *("fxtwitter.com", "vxtwitter.com", "fixupx.com", "d.fxtwitter.com", "nitter.net"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        *("i/web/status/{}", "i/status/{}", "bakery/status/{}", "statuses/{}"),
        *("#!/bakery/status/{}", "bakery/statuses/{}", "bakery/status/{}?s=20&t=a,b;c=d"),
        *("bakery/status/{}/photo/1", "bakery/status/{}#m", "bakery/status/{}/", "a/status/{}."),
    ],
)
def test_links_of_any_host(host: str, path: str) -> None:
    """X's hosts and the well-known mirrors, all forms of the path."""
    for scheme in ("https://", "http://", "HTTPS://", "//", ""):
        assert unique_ids([f"{scheme}{host}/{path.format(A)}"]) == (A,)


@pytest.mark.parametrize(
    "link",
    [
        *(f"https://evilx.com/a/status/{A}", f"https://x.com.evil.org/a/status/{A}"),
        *(f"https://x.com/a/status/{A}x", "https://x.com/a/status/", f"https://x.com/i/lists/{A}"),
        *(f"https://x.com/a/status/{A}000", "https://x.com/a", f"https://x-com/a/status/{A}"),
    ],
)
def test_links_to_something_else(link: str) -> None:
    """Are refused, in words that show them."""
    with pytest.raises(InvalidPostId, match="is not a post ID"):
        unique_ids([link])


def _rounded(post: str, program: str) -> str:
    """Return what a program makes of an ID, by Python's own arithmetic."""
    made = {
        "excel": lambda: post[:15] + "0" * (len(post) - 15),
        "javascript": lambda: str(int(Decimal(repr(float(post))))),
        "jq": lambda: str(int(Decimal(f"{float(post):.16e}"))),
        "float": lambda: str(int(float(post))),
    }
    return made[program]()


PROGRAMS = ["excel", "javascript", "jq", "float"]


@pytest.mark.parametrize("program", PROGRAMS)
@given(posts=st.sets(st.integers(10**18, 2 * 10**18), min_size=12, max_size=12))
def test_digits_lost_on_the_way(program: str, posts: set[int]) -> None:
    """A dozen IDs that went through a program are refused."""
    lost = {_rounded(str(post), program) for post in posts}
    if len(lost) == 12 and not any(int(post) % 4096 == 0 for post in lost):
        with pytest.raises(InvalidPostId, match=r"12 of 12 post IDs .* lost their last digits"):
            check_digits(lost)


@pytest.mark.parametrize("size", [1, 3, 30, 394])
@pytest.mark.parametrize("sequence", ["none", "small", "any"])
def test_true_ids_are_not_doubted(size: int, sequence: str) -> None:
    """Snowflakes of 2012 to 2030, whose last 12 bits are zero, small, or anything."""
    dice = random.Random(size)  # noqa: S311 - no secret
    last = {"none": lambda: 0, "small": lambda: dice.choice([0, 0, 0, 1, 2, 3])}
    doubted = 0
    for _ in range(100):
        ids = [
            (dice.randrange(4 * 10**10, 6 * 10**11) << 22)
            + (dice.randrange(320, 384) << 12)
            + last.get(sequence, lambda: dice.randrange(4096))()
            for _ in range(size)
        ]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            check_digits(map(str, ids))
        doubted += bool(told)
    assert doubted <= 1


@pytest.mark.parametrize(
    "ids",
    [
        [A, "2125883449981010000", "2126138811200040000"],
        ["2125450880059707600", "2125883449981014300", "2126138811200049200"],
        ["2125450000000000000", "2125880000000000000"],
    ],
)
def test_some_digits_are_enough(ids: list[str]) -> None:
    """Excel's, of some of the IDs only; JavaScript's; what a scientific notation has left."""
    with pytest.raises(ep.FrameError, match=r"lost their last digits"):
        check_digits(ids, ep.FrameError)


@pytest.mark.parametrize("ids", [["2125883449981010000"], [A[:-3] + "648", B[:-3] + "272"]])
def test_few_digits_are_doubted(ids: list[str]) -> None:
    """One of Excel, two of floats: it may be chance, so this warns."""
    with pytest.warns(UserWarning, match="seem to have lost their last digits"):
        check_digits(ids)


def test_age_is_in_the_id() -> None:
    """(id >> 22) + 1288834974657 ms: worked out by hand for 1060976163948904448."""
    assert 1060976163948904448 // 4194304 + 1288834974657 == 1541791404126
    assert created_at(ID) == datetime.fromtimestamp(1541791404.126, UTC)


@pytest.mark.parametrize("post", ["abc", "1" * 40, 1.5e18, None, pd.NA, ""])
def test_age_of_what_is_no_id(post: Any) -> None:
    """Refused as anywhere."""
    with pytest.raises(InvalidPostId):
        created_at(post)


def test_ids_before_snowflake_hold_no_time() -> None:
    """IDs up to November 2010 were numbered one by one."""
    assert created_at("29700859246") is None
    assert created_at("29700859247") is not None


# Uploads


UPLOADS: dict[str, tuple[bytes, list[Any]]] = {
    "posts.csv": (b"post_id,text\n1060976163948904448,hello\n7,\n", [ID, "7"]),
    "POSTS.CSV": (b"\xef\xbb\xbfpost_id\r\n 1060976163948904448 \r\n7\r\n", [ID, "7"]),
    "posts.tsv": (b"text\tpost_id\nhello, you\t1060976163948904448\n", [ID]),
    "posts.json": (b'["1060976163948904448", 7]', [ID, 7]),
    "posts.jsonl": (b'{"post_id": "1060976163948904448"}\n\n7\n', [ID, 7]),
    "posts.ndjson": (b"1.06e18\n", [1.06e18]),
    "pretty.json": (b'[\n  "1060976163948904448",\n  7\n]\n', [ID, 7]),
    "objects.json": (b'[\n  {"post_id": "1060976163948904448"},\n  {"post_id": 7}\n]', [ID, 7]),
    "lines.json": (b'{"post_id": "1060976163948904448"}\n\n[7, 8]\n', [ID, 7, 8]),
    "empty.json": (b"\n", []),
    "posts.txt": (b"# mine\n1060976163948904448\n\n7\n", [ID, "7"]),
    "posts": (b"\xef\xbb\xbf1060976163948904448", [ID]),
    "-": (b"7\n", ["7"]),
}
DAMAGED: dict[str, tuple[bytes, str]] = {
    "posts.csv": (b"id\n7\n", "posts.csv has no post_id column, only ['id']"),
    "posts.jsonl": (b'{"id": 7}', "line 1 of posts.jsonl has no post_id"),
    "posts.json": (b"7\n{", "line 2 of posts.json is no JSON"),
    "pretty.json": (b"[\n  7\n  8\n]", "pretty.json is no JSON: Expecting ',' delimiter: line 3"),
    "objects.json": (b'[\n {"id": 7}]', "objects.json has no post_id, only ['id']"),
    "deep.json": (b"[" * 100_000, "deep.json holds no list of post IDs"),
    "posts.ndjson": (b"[" * 100_000, "posts.ndjson holds no list of post IDs"),
    "posts.xlsx": (b"PK\x03\x04\xff\xfe", "posts.xlsx is not UTF-8 text"),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_is_read_by_its_name(name: str) -> None:
    """Name and bytes, as a browser gives them: every kind of file, every digit."""
    content, ids = UPLOADS[name]
    assert ids_in(name, content) == ids
    assert ids_in(name, memoryview(content)) == ids


@pytest.mark.parametrize("name", [name for name in UPLOADS if name != "-"])
def test_a_file_is_read_as_its_upload(tmp_path: Path, name: str) -> None:
    """The same readers stand behind both."""
    content, ids = UPLOADS[name]
    (tmp_path / name).write_bytes(content)
    assert read_ids(tmp_path / name) == ids


@pytest.mark.parametrize("name", DAMAGED)
def test_an_upload_that_is_damaged(name: str) -> None:
    """Refused in words that name the file, and nothing of the machine."""
    content, words = DAMAGED[name]
    with pytest.raises(InvalidPostId) as caught:
        ids_in(name, content)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Refused in the same words."""
    content, words = DAMAGED[name]
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    with pytest.raises(InvalidPostId) as caught:
        read_ids(name)
    assert str(caught.value).startswith(words)


# Pastes


@pytest.mark.parametrize(
    "text",
    [
        f"{ID} 7",
        f"{ID},7",
        f"{ID}; 7;",
        f"  {ID}\r\n7\r\n",
        f"{ID}\t7",
        f"['{ID}', '7']",
        f"[{ID}, 7]",
        f'["{ID}","7"]',
        f'[\n  "{ID}",\n  "7"\n]\n',
        f"('{ID}', '7',)",
        f"{{'{ID}', 7}}",
        f"post_id\n{ID}\n7\n",
        f'"post_id"\n"{ID}"\n""\n"7"\n',
        f"\ufeffpost_id\r\n{ID}\r\n7",
        f"# mine\n{ID}  \n\t# 8 not yet\n7",
        f"\u201c{ID}\u201d, \u20187\u2019",
        f"`{ID}`\u00a0\u200b`7`",
        f"{ID}\u2028[[7]]",
    ],
)
def test_pasted_from_anywhere(text: str) -> None:
    """A list of Python or JSON, a column with or without its heading, a CSV, a message."""
    assert pasted_ids(text) == [ID, "7"]


@pytest.mark.parametrize(
    "link",
    [
        f"https://x.com/i/web/status/{ID}",
        f"https://x.com/i/status/{ID}",
        f"https://twitter.com/name/status/{ID}?s=20",
        f"http://www.twitter.com/name/status/{ID}#m",
        f"HTTPS://X.COM/Name_9/status/{ID}/",
        f"https://mobile.twitter.com/name/statuses/{ID}",
        f"https://twitter.com/statuses/{ID}",
        f"x.com/name/status/{ID}/photo/1",
        f"<https://x.com/name/status/{ID}?s=46&t=abc-DEF>",
        f'"https://x.com/name/status/{ID}",',
    ],
)
def test_pasted_links(link: str) -> None:
    """From the address line, from a message, of a picture: the ID of the post."""
    assert pasted_ids(link) == [ID]
    assert pasted_ids(f"7, {link} 8") == ["7", ID, "8"]


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("7 hello 8", "'hello'"),
        ("post_id,text\n7,hello", "'text'"),
        ("7\npost_id", "'post_id'"),
        ('{"post_id": "7"}', "'{\"post_id\":'"),
        ("7|8", "'7|8'"),
        ("7 # mine", "'#'"),
        ('"7""8"', '\'"7""8"\''),
        ("7abc", "'7abc'"),
        ("https://x.com/name", "'https://x.com/name'"),
        (f"https://x.com/name/status/{ID}x", f"'https://x.com/name/status/{ID}x'"),
        (f"https://x.com/name/status/{ID}.", f"'https://x.com/name/status/{ID}.'"),
        ("https://x.com/i/lists/7", "'https://x.com/i/lists/7'"),
        ("https://evilx.com/a/status/7", "'https://evilx.com/a/status/7'"),
        ("https://x.com.evil.org/a/status/7", "'https://x.com.evil.org/a/status/7'"),
        ("https://x-com/a/status/7", "'https://x-com/a/status/7'"),
        ("https://x.com/a/status/", "'https://x.com/a/status/'"),
    ],
)
def test_pasted_pieces_that_are_no_ids(text: str, piece: str) -> None:
    """The first of them is named as it stands, with what would do."""
    with pytest.raises(InvalidPostId) as caught:
        pasted_ids(text)
    assert str(caught.value).startswith(f"{piece} is neither a post ID nor a link to a post; paste")


def test_a_paste_that_is_something_else() -> None:
    """Of a long piece the beginning is enough."""
    with pytest.raises(InvalidPostId) as caught:
        pasted_ids("a" * 10_000)
    assert str(caught.value).startswith("'" + "a" * 80 + "\u2026' is neither")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.06e18", "post ID '1.06e18' has been a float"),
        ("[1.06098E+18, 7]", "post ID '1.06098E+18' has been a float"),
        (f"{ID}.0", "has been a float"),
        ("1,06098E+18", "post ID '06098E+18' has been a float"),
        ("[7, null]", "post ID 'null' has been a float or is missing"),
        ("7 nan", "post ID 'nan' has been a float or is missing"),
        ("-7", "'-7' has been a float"),
        ("12345678901234567890", "'12345678901234567890' is not a post ID"),
        ("\u0667", "'\u0667' is not a post ID"),
        ("", "is empty"),
        (" ,\n# nothing\n[]", "is empty"),
        ("post_id", "is empty"),
    ],
)
def test_pasted_numbers_are_judged_like_any(text: str, words: str) -> None:
    """Floats and the like come through as they are, for unique_ids to refuse."""
    with pytest.raises(InvalidPostId) as caught:
        unique_ids(pasted_ids(text))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "number",
    [
        "1,060,976,163,948,900,000",
        '"1,060,976,163,948,900,000"',
        "1 060 976 163 948 900 000",
        "1\u202f060\u202f976\u202f163\u202f948\u202f900\u202f000",
    ],
)
def test_a_pasted_number_with_its_thousands_apart(number: str) -> None:
    """A spreadsheet's picture of a number is not seven short IDs."""
    with pytest.raises(InvalidPostId, match="thousands set apart; copy the IDs as text"):
        pasted_ids(f"{ID}\n{number}")


@pytest.mark.parametrize("text", ["1,234,567", "[100, 200, 300, 400, 500]", "1,2,3,4,5,6"])
def test_pasted_short_ids(text: str) -> None:
    """Posts of the first years have short IDs, which are no thousands."""
    assert pasted_ids(text) == text.strip("[]").replace(" ", "").split(",")


SEPARATORS = [" ", "\n", "\r\n", "\t", ",", ", ", ";", ";\n", "\u00a0", "\u2028", ",,", "\n\n# 7\n"]
AROUND = [
    ("", ""),
    ("'", "'"),
    ('"', '"'),
    ("[", "]"),
    ("('", "')"),
    ("\u201c", "\u201d"),
    ("https://x.com/i/web/status/", "?s=20"),
    ("<x.com/name/status/", "/photo/1>"),
]


@given(
    st.lists(
        st.tuples(
            st.integers(1000, 10**19 - 1).map(str),
            st.sampled_from(AROUND),
            st.sampled_from(SEPARATORS),
        )
    ),
    st.sampled_from(["", "[", "\n", "post_id\n"]),
    st.sampled_from(["", "]", ",\n]\n"]),
)
def test_any_joining_of_ids(
    pieces: list[tuple[str, tuple[str, str], str]], before: str, after: str
) -> None:
    """However IDs are joined, wrapped and linked, they come back: all, whole, in order."""
    joined = "".join(left + post + right + apart for post, (left, right), apart in pieces)
    assert pasted_ids(before + joined + after) == [post for post, _, _ in pieces]


@given(st.text())
def test_any_text_at_all(text: str) -> None:
    """Is read, or refused in an error of ours; what is read holds no blank and no quote."""
    try:
        ids = pasted_ids(text)
    except InvalidPostId:
        return
    assert all(post and not set(post) & set(" ,;'\"[]") for post in ids)
