"""Names of posts: without mathematics or missing glyphs, and unique."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

import engagement_pandas as ep
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.plots import post_names


def names_of(*texts: Any, **arguments: Any) -> list[str]:
    """Return the names of posts with these texts."""
    ids = [str(n) for n in range(1, len(texts) + 1)]
    posts = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT), "text": texts})
    return list(post_names(ids, posts=posts, **arguments).values())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Two for $5, three for $7 🎉", "Two for $5, three for $7"),
        ("<b>Not bold</b>, just loud.", "<b>Not bold</b>, just loud."),
        ("_under_ score", "_under_ score"),
        ("Line one\nline\ttwo", "Line one line two"),
        ("👩🏽‍🍳👨‍👩‍👧‍👦🏳️‍🌈", "1"),
        ("おはようございます。今日も一日よろしくお願いします。", "1"),
        ("", "1"),
        ("!?", "1"),
        (None, "1"),
        (7.5, "1"),
        ("https://sandbox.invalid/00ff00", "1"),
        ("See https://sandbox.invalid/00ff00 tonight", "See tonight"),
        ("turned \u202eround\u202c again", "turned round again"),
        ("Doors are open, come in from the rain.", "Doors are open, come in from the…"),
        ("a" * 50, "a" * 36 + "…"),
    ],
)
def test_a_name_has_the_first_words(text: Any, name: str) -> None:
    """Missing glyphs, links, line breaks and control characters are removed."""
    assert names_of(text) == [name]


def test_equal_texts_have_different_names() -> None:
    """The ID distinguishes them if it has no time."""
    assert names_of("Sold out.", "Sold out.", "New.") == ["Sold out. (1)", "Sold out. (2)", "New."]


def test_right_to_left_texts_have_direction_marks() -> None:
    """Marks keep adjacent numbers in place; other control characters are removed."""
    name = "\u200eשלום לכם\u200f\u200e"  # noqa: RUF001 - Hebrew
    assert names_of("\u202eשלום לכם") == [name]  # noqa: RUF001


def test_names_are_unique_for_texts_that_look_like_names() -> None:
    """All names differ."""
    texts = ["Sold out.", "Sold out.", "Sold out. (1)", "Sold out. (2) (4)", "Sold out. (2)"]
    assert len(set(names_of(*texts))) == len(texts)


def test_a_name_has_words_and_date(post_id_at: Any) -> None:
    """Posts with the same words and date have the time too."""
    times = ["2026-03-01 05:20", "2026-03-01 17:40", "2026-03-02 09:00", "2026-03-02 23:59"]
    ids = [post_id_at(time) for time in times]
    texts = ["Sold out.", "Sold out.", "Sold out.", None]
    posts = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT), "text": texts})
    assert list(post_names(ids, posts=posts).values()) == [
        "Sold out. (1 Mar, 05:20)",
        "Sold out. (1 Mar, 17:40)",
        "Sold out. (2 Mar)",
        "Post of 2 Mar, 23:59",
    ]


def test_a_name_has_the_year_if_years_differ(post_id_at: Any) -> None:
    """Otherwise it has no year."""
    ids = [post_id_at("2025-12-31 05:20"), post_id_at("2026-01-01 05:20")]
    posts = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT), "text": ["Old one", "New one"]})
    assert [*post_names(ids, posts=posts).values()] == [
        "Old one (31 Dec 2025)",
        "New one (1 Jan 2026)",
    ]


def test_a_long_name_keeps_the_date(post_id_at: Any) -> None:
    """The words are shortened."""
    post = post_id_at("2026-03-01 05:20")
    posts = pd.DataFrame({"post_id": pd.Series([post], dtype=TEXT), "text": ["word " * 20]})
    (name,) = post_names([post], posts=posts, room=24).values()
    assert name == "word word word… (1 Mar)"


def test_only_requested_posts_have_names() -> None:
    """An ID without a row stays an ID; without posts all of them do."""
    posts = pd.DataFrame({"post_id": ["7", "8"], "text": ["seven", "eight"]})
    assert post_names(["9", "8"], posts=posts) == {"9": "9", "8": "eight"}
    assert post_names(["9", "8"]) == {"9": "9", "8": "8"}


def test_links_and_numbers_are_ids() -> None:
    """All exact notations are accepted, as in counts."""
    link = "https://x.com/baker/status/8"
    for ids in (["7", link], [7, 8]):
        posts = pd.DataFrame({"post_id": ids, "text": ["seven", "eight"]})
        assert post_names(["7", "8"], posts=posts) == {"7": "seven", "8": "eight"}


def test_text_ids_may_end_in_zeros() -> None:
    """They are not suspected of lost digits, as in counts."""
    ids = [str(2_030_000_000_000_000_000 + 41 * number * 10**12) for number in range(25)]
    posts = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT), "text": "Hello"})
    assert len(set(post_names(ids, posts=posts).values())) == 25


@pytest.mark.parametrize(
    ("posts", "message"),
    [
        (["1"], "not a list"),
        (pd.DataFrame({"id": ["1"]}), "rename the column with the IDs"),
        (pd.DataFrame({"post_id": [1.0]}), "a float"),
        (pd.DataFrame({"post_id": ["1", None]}, dtype=TEXT), "drop that row"),
    ],
)
def test_invalid_posts_are_refused(posts: Any, message: str) -> None:
    """The error has the cure."""
    with pytest.raises(ep.FrameError, match=message):
        post_names(["1"], posts=posts)


def test_every_text_of_the_sandbox_can_be_drawn() -> None:
    """Its texts are unusual; a missing glyph is a warning, and so an error."""
    with ep.demo_client(now="2026-04-15T12:20:00Z", posts=130) as demo:
        posts = demo.posts
    assert sum(not text.isascii() for text in posts["text"]) > 10
    figure = Figure(figsize=(8, 12))
    names = post_names(posts["post_id"], posts=posts)
    assert len(set(names.values())) == len(posts)
    for i, name in enumerate(names.values()):
        figure.text(0.1, i / len(names), name, parse_math=False)
    figure.canvas.draw()
