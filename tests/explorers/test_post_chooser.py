"""The chooser of posts: a list with search words and ranks that filter it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import traitlets

from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer

pytestmark = pytest.mark.usefixtures("fake_drawing")


@pytest.fixture(scope="module")
def make_posts(tidy: Any, post_id_at: Any) -> Any:
    """Return a function that makes totals of posts; each third has favorites."""

    def make(number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        ids = [post_id_at("2026-03-01T00:00:00", serial) for serial in range(number)]
        rows, words = [], {50: "fifty"}
        for i, post in enumerate(ids):
            rows.append((post, "impressions", 1000 - i))
            if i % 3 == 0:
                rows.append((post, "favorites", pd.NA if i == 3 else i))
        counts = tidy(rows, ("post_id", "engagement_type", "count"))
        posts = pd.DataFrame(
            {
                "post_id": ids,
                "handle": ["bakery" if i % 2 else "Books" for i in range(number)],
                "text": [
                    f"Straße number {words.get(i, i)}" if i % 10 == 0 else None
                    for i in range(number)
                ],
            }
        )
        return counts, posts

    return make


def listed(explorer: Any) -> list[str]:
    """Return the posts in the list."""
    return [post for _, post in explorer.controls["posts"].listed.options]


def search_row(explorer: Any) -> Any:
    """Return the row with the search words and the ranking."""
    return explorer.controls["posts"].children[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "shown"), [(1, False), (9, False), (10, True), (50, True), (51, True)]
)
def test_the_search_row_is_for_ten_posts_or_more(
    explore: Any, make_posts: Any, number: int, *, shown: bool
) -> None:
    """Up to 50 posts are all selected by default."""
    explorer = explore(*make_posts(number))
    assert (search_row(explorer).layout.display != "none") == shown
    assert len(explorer.controls["posts"].value) == min(number, 25 if number > 50 else 50)
    assert list(explorer.controls["posts"].value) == listed(explorer)


def test_few_posts_are_ordered_by_time(explore: Any, make_posts: Any) -> None:
    """The newest is first."""
    counts, posts = make_posts(12)
    assert listed(explore(counts, posts)) == posts["post_id"].tolist()[::-1]


def test_many_posts_are_ordered_by_impressions(explore: Any, make_posts: Any) -> None:
    """The list has the best 25, which are the oldest here."""
    counts, posts = make_posts(60)
    assert listed(explore(counts, posts)) == posts["post_id"].tolist()[:25]


@pytest.mark.slow
def test_posts_are_ranked_by_a_type(explore: Any, make_posts: Any) -> None:
    """Favorites rise with every third post, and unknown ones are last."""
    counts, posts = make_posts(60)
    explorer = explore(counts, posts)
    chooser = explorer.controls["posts"]
    chooser.ranking.value = "favorites"
    chooser.top.value = 3
    ids = posts["post_id"].tolist()
    assert listed(explorer) == [ids[57], ids[54], ids[51]]
    assert chooser.value == (ids[57], ids[54], ids[51])


@pytest.mark.slow
def test_posts_without_a_count_follow_the_ranked_ones(explore: Any, make_posts: Any) -> None:
    """All 60 can be listed, those without favorites newest first."""
    counts, posts = make_posts(60)
    explorer = explore(counts, posts)
    chooser = explorer.controls["posts"]
    chooser.ranking.value = "favorites"
    chooser.top.value = 60
    order = listed(explorer)
    ids = posts["post_id"].tolist()
    assert sorted(order) == ids
    ranked = [post for post in ids[::3][::-1] if post != ids[3]]
    assert order[:19] == ranked
    assert order[19:] == [post for post in ids[::-1] if post not in ranked]


def test_posts_may_be_ranked_by_time(explore: Any, make_posts: Any) -> None:
    """No counts are needed."""
    counts, posts = make_posts(60)
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
def test_all_words_must_match(
    explore: Any, make_posts: Any, words: str, expected: list[int]
) -> None:
    """They may be in the text, the handle or the ID, in any order and case."""
    counts, posts = make_posts(60)
    explorer = explore(counts, posts)
    explorer.controls["posts"].words.value = words
    ids = posts["post_id"].tolist()
    positions = [ids.index(post) for post in listed(explorer)]
    if words.endswith(" 0"):
        assert set(positions) == set(expected)
    else:
        assert positions == expected
    assert list(explorer.controls["posts"].value) == listed(explorer)


@pytest.mark.slow
def test_a_handle_may_be_searched(explore: Any, make_posts: Any) -> None:
    """The list has the best 25 of 30 posts."""
    counts, posts = make_posts(60)
    explorer = explore(counts, posts)
    explorer.controls["posts"].words.value = "books"
    ids = posts["post_id"].tolist()
    assert listed(explorer) == ids[::2][:25]
    assert explorer.controls["posts"].matching() == ids[::2]


def test_an_id_may_be_searched(explore: Any, make_posts: Any) -> None:
    """The post was not in the list before."""
    counts, posts = make_posts(60)
    explorer = explore(counts, posts)
    last = posts["post_id"].iloc[-1]
    assert last not in listed(explorer)
    explorer.controls["posts"].words.value = last
    assert listed(explorer) == [last]
    assert set(explorer.selection["post_id"]) == {last}


@pytest.mark.slow
def test_counts_without_posts_are_searched_by_id(explore: Any, make_posts: Any) -> None:
    """There are no texts or handles."""
    counts, _ = make_posts(60)
    explorer = explore(counts)
    last = counts["post_id"].iloc[-1]
    explorer.controls["posts"].words.value = last
    assert listed(explorer) == [last]


@pytest.mark.slow
def test_removed_words_restore_the_list(explore: Any, make_posts: Any) -> None:
    """Spaces are no words."""
    explorer = explore(*make_posts(60))
    before = listed(explorer)
    explorer.controls["posts"].words.value = "number fifty"
    explorer.controls["posts"].words.value = "  "
    assert listed(explorer) == before


@pytest.mark.slow
def test_words_without_a_match_select_no_post(explore: Any, make_posts: Any) -> None:
    """The status reports it."""
    explorer = explore(*make_posts(60))
    explorer.controls["posts"].words.value = "nothing like it"
    assert explorer.status.html == "No post is selected"
    assert len(explorer.selection) == 0


@pytest.mark.slow
def test_buttons_select_all_posts_or_none(explore: Any, make_posts: Any) -> None:
    """They change the list and the value."""
    explorer = explore(*make_posts(60))
    chooser = explorer.controls["posts"]
    all_button, none_button = chooser_buttons(chooser)
    none_button.click()
    assert chooser.value == chooser.listed.value == ()
    all_button.click()
    assert list(chooser.value) == list(chooser.listed.value) == listed(explorer)


def chooser_buttons(chooser: Any) -> list[Any]:
    """Return the buttons All and None."""
    by_name = {button.description: button for row in chooser.children for button in buttons(row)}
    return [by_name["All"], by_name["None"]]


def buttons(widget: Any) -> list[Any]:
    """Return all buttons in a widget."""
    nested = [button for child in getattr(widget, "children", ()) for button in buttons(child)]
    return nested + ([widget] if hasattr(widget, "click") else [])


def test_the_value_and_the_list_agree(explore: Any, make_posts: Any) -> None:
    """Each follows the other, in the order of the list."""
    counts, posts = make_posts(12)
    explorer = explore(counts, posts)
    chooser = explorer.controls["posts"]
    ids = posts["post_id"].tolist()
    chooser.listed.value = (ids[3], ids[1])
    assert set(chooser.value) == {ids[3], ids[1]}
    chooser.value = (ids[1], ids[7])
    assert chooser.listed.value == chooser.value == (ids[7], ids[1])
    assert set(explorer.selection["post_id"]) == {ids[7], ids[1]}


def test_a_duplicate_post_is_selected_once(explore: Any, make_posts: Any) -> None:
    """The status counts one post."""
    counts, posts = make_posts(12)
    explorer = explore(counts, posts)
    post = posts["post_id"].iloc[0]
    explorer.controls["posts"].value = (post, post)
    assert explorer.controls["posts"].value == (post,)
    assert explorer.status.html.startswith("1 of 12 posts")


def test_the_value_may_be_a_list(explore: Any, make_posts: Any) -> None:
    """Any sequence of IDs is accepted."""
    counts, posts = make_posts(12)
    explorer = explore(counts, posts)
    explorer.controls["posts"].value = posts["post_id"].tolist()[:2]
    assert len(explorer.controls["posts"].value) == 2


def test_a_post_outside_the_list_is_refused(explore: Any, make_posts: Any) -> None:
    """The selection stays."""
    counts, posts = make_posts(60)
    explorer = explore(counts, posts)
    before = explorer.controls["posts"].value
    with pytest.raises(traitlets.TraitError, match="is not in the list; select a listed"):
        explorer.controls["posts"].value = (posts["post_id"].iloc[-1],)
    assert explorer.controls["posts"].value == before
    assert list(explorer.controls["posts"].listed.value) == list(before)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["words", "top", "ranking", "listed", "value"])
def test_one_change_draws_once(
    explore: Any, make_posts: Any, fake_drawing: list[int], change: str
) -> None:
    """The list may be filled again."""
    counts, posts = make_posts(60)
    explorer = explore(counts, posts)
    chooser = explorer.controls["posts"]
    fake_drawing.clear()
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
    assert len(fake_drawing) == 1


@pytest.mark.slow
@pytest.mark.parametrize("top", [0, 61, 1000])
def test_the_number_of_posts_is_limited(explore: Any, make_posts: Any, top: int) -> None:
    """It is from 1 to the number of all posts."""
    explorer = explore(*make_posts(60))
    explorer.controls["posts"].top.value = top
    assert len(listed(explorer)) == (1 if top < 1 else 60)


def test_every_option_has_the_complete_id(explore: Any, make_posts: Any) -> None:
    """Names may be short or equal, but options differ."""
    counts, posts = make_posts(60)
    explorer = explore(counts, posts.assign(text="the same"))
    explorer.controls["posts"].top.value = 60
    labels = [label for label, _ in explorer.controls["posts"].listed.options]
    assert len(set(labels)) == 60
    assert all(
        label.endswith(f" · {post}") for label, post in zip(labels, listed(explorer), strict=True)
    )


def test_posts_without_counts_are_not_listed(explore: Any, make_posts: Any) -> None:
    """A frame may have more posts than the counts, and duplicates."""
    counts, posts = make_posts(12)
    of_three_posts = counts[counts["post_id"].isin(posts["post_id"].iloc[:3])]
    explorer = explore(of_three_posts, pd.concat([posts, posts]))
    assert sorted(listed(explorer)) == posts["post_id"].tolist()[:3]


def test_unknown_posts_are_listed_by_id(explore: Any, make_posts: Any) -> None:
    """The frame of posts lacks them."""
    counts, posts = make_posts(12)
    explorer = explore(counts, posts.iloc[:3])
    labels = {post: label for label, post in explorer.controls["posts"].listed.options}
    last = posts["post_id"].iloc[-1]
    assert labels[last] == f"{last} · {last}"
    assert len(labels) == 12


@pytest.mark.slow
@pytest.mark.parametrize("explorer_class", [BestTimesExplorer, CompareExplorer])
def test_every_explorer_has_the_chooser(explore: Any, make_posts: Any, explorer_class: Any) -> None:
    """It has the search row."""
    explorer = explore(*make_posts(60), explorer_class=explorer_class)
    assert explorer.alert.html == ""
    assert search_row(explorer).layout.display != "none"
    assert len(listed(explorer)) == 25
