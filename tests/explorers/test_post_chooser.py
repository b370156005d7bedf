"""Choosing posts: a list, and where there are many, words and ranks that narrow it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import traitlets

from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def many(tidy: Any, post_made: Any) -> Any:
    """Make totals of so many posts: impressions fall with age, favorites come from every third."""

    def make(number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        ids = [post_made("2026-03-01T00:00:00", serial) for serial in range(number)]
        rows, words = [], {50: "fifty"}
        for place, post in enumerate(ids):
            rows.append((post, "impressions", 1000 - place))
            if place % 3 == 0:
                rows.append((post, "favorites", pd.NA if place == 3 else place))
        counts = tidy(rows, ("post_id", "engagement_type", "count"))
        posts = pd.DataFrame(
            {
                "post_id": ids,
                "handle": ["bakery" if place % 2 else "Books" for place in range(number)],
                "text": [
                    f"Straße number {words.get(place, place)}" if place % 10 == 0 else None
                    for place in range(number)
                ],
            }
        )
        return counts, posts

    return make


def listed(explorer: Any) -> list[str]:
    """Return the posts in the list."""
    return [post for _, post in explorer.controls["posts"].listed.options]


def narrowing(explorer: Any) -> Any:
    """Return the row with words and ranks."""
    return explorer.controls["posts"].children[0]


@pytest.mark.parametrize(
    ("number", "shown"), [(1, False), (9, False), (10, True), (50, True), (51, True)]
)
def test_narrowing_is_for_many(explore: Any, many: Any, number: int, *, shown: bool) -> None:
    """From ten posts on there is a search and a ranking; up to 50 all are chosen at first."""
    explorer = explore(*many(number))
    assert (narrowing(explorer).layout.display != "none") == shown
    assert len(explorer.controls["posts"].value) == min(number, 25 if number > 50 else 50)
    assert list(explorer.controls["posts"].value) == listed(explorer)


def test_few_are_newest_first(explore: Any, many: Any) -> None:
    """With neither words nor ranks."""
    counts, posts = many(12)
    assert listed(explore(counts, posts)) == posts["post_id"].tolist()[::-1]


def test_many_are_best_first(explore: Any, many: Any) -> None:
    """The 25 with the most impressions, which here are the oldest."""
    counts, posts = many(60)
    assert listed(explore(counts, posts)) == posts["post_id"].tolist()[:25]


def test_top_n_by_a_type(explore: Any, many: Any) -> None:
    """By hand: of every third post the favorites rise; the unknown ones are last."""
    counts, posts = many(60)
    explorer = explore(counts, posts)
    chooser = explorer.controls["posts"]
    chooser.ranking.value = "favorites"
    chooser.top.value = 3
    ids = posts["post_id"].tolist()
    assert listed(explorer) == [ids[57], ids[54], ids[51]]
    assert chooser.value == (ids[57], ids[54], ids[51])


def test_posts_without_such_a_count_are_not_lost(explore: Any, many: Any) -> None:
    """All 60 can be listed, those without favorites after the others, newest first."""
    counts, posts = many(60)
    explorer = explore(counts, posts)
    chooser = explorer.controls["posts"]
    chooser.ranking.value = "favorites"
    chooser.top.value = 60
    order = listed(explorer)
    ids = posts["post_id"].tolist()
    assert sorted(order) == ids
    with_favorites = [post for post in ids[::3][::-1] if post != ids[3]]
    assert order[:19] == with_favorites
    assert order[19:] == [post for post in ids[::-1] if post not in with_favorites]


def test_the_newest(explore: Any, many: Any) -> None:
    """A ranking that needs no counts."""
    counts, posts = many(60)
    explorer = explore(counts, posts)
    explorer.controls["posts"].ranking.value = "newest"
    assert listed(explorer) == posts["post_id"].tolist()[:-26:-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("STRASSE", [0, 10, 20, 30, 40, 50]),
        ("number straße 0", [0, 10, 20, 30, 40, 50]),
        ("number fifty", [50]),
        ("books number", [0, 10, 20, 30, 40, 50]),
        ("bakery straße", []),
        ("nothing like it", []),
    ],
)
def test_words(explore: Any, many: Any, words: str, expected: list[int]) -> None:
    """All of them, in the text, the handle or the ID, in any order and case."""
    counts, posts = many(60)
    explorer = explore(counts, posts)
    explorer.controls["posts"].words.value = words
    ids = posts["post_id"].tolist()
    found = [ids.index(post) for post in listed(explorer)]
    if words.endswith(" 0"):
        assert set(found) == set(expected)
    else:
        assert found == expected
    assert list(explorer.controls["posts"].value) == listed(explorer)


def test_a_handle(explore: Any, many: Any) -> None:
    """Of 30 posts the 25 best."""
    counts, posts = many(60)
    explorer = explore(counts, posts)
    explorer.controls["posts"].words.value = "books"
    ids = posts["post_id"].tolist()
    assert listed(explorer) == ids[::2][:25]
    assert explorer.controls["posts"].matching() == ids[::2]


def test_an_id(explore: Any, many: Any) -> None:
    """Whole, or its last digits, of a post that the list did not have."""
    counts, posts = many(60)
    explorer = explore(counts, posts)
    last = posts["post_id"].iloc[-1]
    assert last not in listed(explorer)
    explorer.controls["posts"].words.value = last
    assert listed(explorer) == [last]
    assert set(explorer.selection["post_id"]) == {last}


@pytest.mark.slow
def test_without_posts_an_id_is_all_there_is(explore: Any, many: Any) -> None:
    """Counts alone can be searched by ID."""
    counts, _ = many(60)
    explorer = explore(counts)
    last = counts["post_id"].iloc[-1]
    explorer.controls["posts"].words.value = last
    assert listed(explorer) == [last]


def test_words_taken_back(explore: Any, many: Any) -> None:
    """The list is as it was."""
    explorer = explore(*many(60))
    before = listed(explorer)
    explorer.controls["posts"].words.value = "number fifty"
    explorer.controls["posts"].words.value = "  "
    assert listed(explorer) == before


@pytest.mark.slow
def test_words_that_find_nothing(explore: Any, many: Any) -> None:
    """No post is selected, and that is said."""
    explorer = explore(*many(60))
    explorer.controls["posts"].words.value = "nothing like it"
    assert explorer.status.html == "No post is selected"
    assert len(explorer.selection) == 0


@pytest.mark.slow
def test_all_and_none(explore: Any, many: Any) -> None:
    """Buttons for what the keyboard takes long for."""
    explorer = explore(*many(60))
    chooser = explorer.controls["posts"]
    every, none = chooser_buttons(chooser)
    none.click()
    assert chooser.value == chooser.listed.value == ()
    every.click()
    assert list(chooser.value) == list(chooser.listed.value) == listed(explorer)


def chooser_buttons(chooser: Any) -> list[Any]:
    """Return the buttons All and None."""
    found = {each.description: each for row in chooser.children for each in buttons(row)}
    return [found["All"], found["None"]]


def buttons(widget: Any) -> list[Any]:
    """Return all buttons in a widget."""
    inside = [each for child in getattr(widget, "children", ()) for each in buttons(child)]
    return inside + ([widget] if hasattr(widget, "click") else [])


def test_the_value_follows_the_list(explore: Any, many: Any) -> None:
    """And the list the value, in the order of the list."""
    counts, posts = many(12)
    explorer = explore(counts, posts)
    chooser = explorer.controls["posts"]
    ids = posts["post_id"].tolist()
    chooser.listed.value = (ids[3], ids[1])
    assert set(chooser.value) == {ids[3], ids[1]}
    chooser.value = (ids[1], ids[7])
    assert chooser.listed.value == chooser.value == (ids[7], ids[1])
    assert set(explorer.selection["post_id"]) == {ids[7], ids[1]}


def test_twice_is_once(explore: Any, many: Any) -> None:
    """A post that is named twice is one post."""
    counts, posts = many(12)
    explorer = explore(counts, posts)
    one = posts["post_id"].iloc[0]
    explorer.controls["posts"].value = (one, one)
    assert explorer.controls["posts"].value == (one,)
    assert explorer.status.html.startswith("1 of 12 posts")


def test_a_list_will_do(explore: Any, many: Any) -> None:
    """As will any sequence of IDs."""
    counts, posts = many(12)
    explorer = explore(counts, posts)
    explorer.controls["posts"].value = posts["post_id"].tolist()[:2]
    assert len(explorer.controls["posts"].value) == 2


def test_a_post_that_is_not_listed(explore: Any, many: Any) -> None:
    """Refused with a sentence, and the choice stays."""
    counts, posts = many(60)
    explorer = explore(counts, posts)
    before = explorer.controls["posts"].value
    with pytest.raises(traitlets.TraitError, match="is not in the list; select a listed"):
        explorer.controls["posts"].value = (posts["post_id"].iloc[-1],)
    assert explorer.controls["posts"].value == before
    assert list(explorer.controls["posts"].listed.value) == list(before)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["words", "top", "ranking", "listed", "value"])
def test_one_change_draws_once(explore: Any, many: Any, undrawn: list[int], change: str) -> None:
    """However the list is put together anew."""
    counts, posts = many(60)
    explorer = explore(counts, posts)
    chooser = explorer.controls["posts"]
    undrawn.clear()
    if change == "words":
        chooser.words.value = "books"
    elif change == "top":
        chooser.top.value = 7
    elif change == "ranking":
        chooser.ranking.value = "favorites"
    elif change == "listed":
        chooser.listed.value = chooser.value[:2]
    else:
        chooser.value = chooser.value[:2]
    assert len(undrawn) == 1


@pytest.mark.slow
@pytest.mark.parametrize("top", [0, 61, 1000])
def test_top_stays_within_the_posts(explore: Any, many: Any, top: int) -> None:
    """From 1 to all of them."""
    explorer = explore(*many(60))
    explorer.controls["posts"].top.value = top
    assert len(listed(explorer)) == (1 if top < 1 else 60)


def test_every_option_has_the_whole_id(explore: Any, many: Any) -> None:
    """Names may be short, or the same twice; options differ."""
    counts, posts = many(60)
    explorer = explore(counts, posts.assign(text="the same"))
    explorer.controls["posts"].top.value = 60
    labels = [label for label, _ in explorer.controls["posts"].listed.options]
    assert len(set(labels)) == 60
    assert all(
        label.endswith(f" · {post}") for label, post in zip(labels, listed(explorer), strict=True)
    )


def test_posts_the_counts_lack_are_not_offered(explore: Any, many: Any) -> None:
    """A frame of all posts may name more than were counted, and some twice."""
    counts, posts = many(12)
    some = counts[counts["post_id"].isin(posts["post_id"].iloc[:3])]
    explorer = explore(some, pd.concat([posts, posts]))
    assert sorted(listed(explorer)) == posts["post_id"].tolist()[:3]


def test_counts_whose_posts_are_not_named(explore: Any, many: Any) -> None:
    """They are offered all the same, under their IDs."""
    counts, posts = many(12)
    explorer = explore(counts, posts.iloc[:3])
    labels = {post: label for label, post in explorer.controls["posts"].listed.options}
    last = posts["post_id"].iloc[-1]
    assert labels[last] == f"{last} · {last}"
    assert len(labels) == 12


@pytest.mark.parametrize("kind", [BestTimesExplorer, CompareExplorer])
def test_the_same_chooser_everywhere(explore: Any, many: Any, kind: Any) -> None:
    """Many posts, in the other explorers too."""
    explorer = explore(*many(60), kind=kind)
    assert explorer.alert.html == ""
    assert narrowing(explorer).layout.display != "none"
    assert len(listed(explorer)) == 25
