"""What posts are called: never mathematics, never a missing glyph, never twice the same."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

import engagement_pandas as ep
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.plots import post_names


def named(*texts: Any, **words: Any) -> list[str]:
    """Return what posts with these texts are called."""
    ids = [str(place) for place in range(1, len(texts) + 1)]
    posts = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT), "text": texts})
    return list(post_names(ids, posts=posts, **words).values())


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
def test_the_first_words(text: Any, name: str) -> None:
    """What the font has not, links, line breaks and controls go; the rest stays as it is."""
    assert named(text) == [name]


def test_no_two_alike() -> None:
    """The ID tells posts with the same words apart, if it holds no time."""
    assert named("Sold out.", "Sold out.", "New.") == ["Sold out. (1)", "Sold out. (2)", "New."]


def test_right_to_left_words_keep_their_place() -> None:
    """Marks around them keep adjacent numbers where they are; other controls go."""
    name = "\u200eשלום לכם\u200f\u200e"  # noqa: RUF001 - Hebrew
    assert named("\u202eשלום לכם") == [name]  # noqa: RUF001


def test_no_two_alike_though_a_text_reads_like_a_name() -> None:
    """Whatever the texts are."""
    texts = ["Sold out.", "Sold out.", "Sold out. (1)", "Sold out. (2) (4)", "Sold out. (2)"]
    assert len(set(named(*texts))) == len(texts)


def test_words_and_date(post_made: Any) -> None:
    """The date follows the words, with the time where two posts have the same."""
    moments = ["2026-03-01 05:20", "2026-03-01 17:40", "2026-03-02 09:00", "2026-03-02 23:59"]
    ids = [post_made(moment) for moment in moments]
    texts = ["Sold out.", "Sold out.", "Sold out.", None]
    posts = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT), "text": texts})
    assert list(post_names(ids, posts=posts).values()) == [
        "Sold out. (1 Mar, 05:20)",
        "Sold out. (1 Mar, 17:40)",
        "Sold out. (2 Mar)",
        "Post of 2 Mar, 23:59",
    ]


def test_the_year_where_there_are_several(post_made: Any) -> None:
    """It is left out otherwise."""
    ids = [post_made("2025-12-31 05:20"), post_made("2026-01-01 05:20")]
    posts = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT), "text": ["Old one", "New one"]})
    assert [*post_names(ids, posts=posts).values()] == [
        "Old one (31 Dec 2025)",
        "New one (1 Jan 2026)",
    ]


def test_words_and_date_fit_together(post_made: Any) -> None:
    """The words are shortened, the date is not."""
    post = post_made("2026-03-01 05:20")
    posts = pd.DataFrame({"post_id": pd.Series([post], dtype=TEXT), "text": ["word " * 20]})
    (name,) = post_names([post], posts=posts, room=24).values()
    assert name == "word word word… (1 Mar)"


def test_only_what_is_asked_for() -> None:
    """An ID that posts do not name stays an ID; without posts all of them do."""
    posts = pd.DataFrame({"post_id": ["7", "8"], "text": ["seven", "eight"]})
    assert post_names(["9", "8"], posts=posts) == {"9": "9", "8": "eight"}
    assert post_names(["9", "8"]) == {"9": "9", "8": "8"}


def test_links_and_numbers_are_ids() -> None:
    """As in counts: whatever names a post exactly, also after plain IDs."""
    link = "https://x.com/baker/status/8"
    for ids in (["7", link], [7, 8]):
        posts = pd.DataFrame({"post_id": ids, "text": ["seven", "eight"]})
        assert post_names(["7", "8"], posts=posts) == {"7": "seven", "8": "eight"}


def test_ids_that_end_alike_are_ids_if_they_are_text() -> None:
    """As in counts, whose text is not doubted again; synthetic IDs may end in zeros."""
    ids = [str(2_030_000_000_000_000_000 + 41 * number * 10**12) for number in range(25)]
    posts = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT), "text": "Hello"})
    assert len(set(post_names(ids, posts=posts).values())) == 25


@pytest.mark.parametrize(
    ("posts", "complaint"),
    [
        (["1"], "not a list"),
        (pd.DataFrame({"id": ["1"]}), "rename the column with the IDs"),
        (pd.DataFrame({"post_id": [1.0]}), "a float"),
        (pd.DataFrame({"post_id": ["1", None]}, dtype=TEXT), "drop that row"),
    ],
)
def test_refused(posts: Any, complaint: str) -> None:
    """What names no posts says so, with the cure."""
    with pytest.raises(ep.FrameError, match=complaint):
        post_names(["1"], posts=posts)


def test_every_text_of_the_sandbox_can_be_drawn() -> None:
    """Its texts are awkward on purpose; a missing glyph would be a warning, and so an error."""
    with ep.demo_client(now="2026-04-15T12:20:00Z", posts=130) as demo:
        posts = demo.posts
    assert sum(not text.isascii() for text in posts["text"]) > 10
    figure = Figure(figsize=(8, 12))
    called = post_names(posts["post_id"], posts=posts)
    assert len(set(called.values())) == len(posts)
    for place, name in enumerate(called.values()):
        figure.text(0.1, place / len(called), name, parse_math=False)
    figure.canvas.draw()
