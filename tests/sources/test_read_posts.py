"""The kind of each post, from all files that state it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.exports import ONE, TWO, content, row

import engagement_pandas as ep
from engagement_pandas import InvalidPostId
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.request.post_files import reader


def kinds(body: Any) -> dict[str, Any]:
    """Return the kinds of the posts in JSON, by ID; None if missing."""
    text = body if isinstance(body, str) else json.dumps(body)
    posts = ep.read_posts(io.StringIO(text))
    if "kind" not in posts:
        return {}
    assert posts["kind"].dtype == TEXT
    known = posts["kind"].astype(object).where(posts["kind"].notna(), None)
    return dict(zip(posts["post_id"], known, strict=True))


def v2(number: int, *types: str, **fields: Any) -> dict[str, Any]:
    """Return a post of API v2 with references of these types."""
    links = {"referenced_tweets": [{"type": name, "id": "1"} for name in types]} if types else {}
    return {"id": f"20{number:08}", "text": "Hi", **links, **fields}


PAGE = [
    v2(11),
    v2(12, "replied_to"),
    v2(13, "quoted"),
    v2(14, "retweeted"),
    v2(15, "quoted", "replied_to"),
    v2(16, text="@you rock"),
]
KINDS = {
    "2000000011": "post",
    "2000000012": "reply",
    "2000000013": "quote",
    "2000000014": "repost",
    "2000000015": "reply",
    "2000000016": "post",
}
"""A text that begins with a name is not a reply if the references are known."""


@pytest.mark.parametrize(
    "body",
    [
        {"data": PAGE, "meta": {"result_count": 6}},
        PAGE,
        "\n".join(json.dumps({"data": [post], "__twarc": {}}) for post in PAGE),
        "\n".join(map(json.dumps, PAGE)),
    ],
    ids=["page", "list", "twarc's pages", "twarc's posts"],
)
def test_references_state_the_kind(body: Any) -> None:
    """A reply that quotes is a reply."""
    assert kinds(body) == KINDS


def test_texts_state_the_kind_without_references() -> None:
    """They identify replies and reposts; quotes look like any post."""
    texts = {1: "Hi", 2: "@you Hi", 3: "RT @you: Hi"}
    page = {"data": [v2(n, text=text) for n, text in texts.items()]}
    assert kinds(page) == {
        "2000000001": None,
        "2000000002": "reply",
        "2000000003": "repost",
    }
    assert kinds({"data": [v2(1)]}) == {}


QUOTED = {"expanded_url": "https://twitter.com/you/status/5"}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "post"),
        ({"full_text": "@you rock"}, "post"),
        ({"full_text": "RT @you: Hi"}, "repost"),
        ({"retweeted_status": {"id_str": "5"}}, "repost"),
        ({"in_reply_to_status_id_str": "5"}, "reply"),
        ({"in_reply_to_user_id": 5, "is_quote_status": True}, "reply"),
        ({"in_reply_to_status_id_str": None, "is_quote_status": True}, "quote"),
        ({"is_quote_status": False, "entities": {"urls": [QUOTED]}}, "post"),
        ({"entities": {"urls": [QUOTED]}}, "quote"),
        ({"entities": {"urls": [QUOTED, {"expanded_url": "https://example.org/"}]}}, "post"),
        ({"entities": {"urls": []}}, "post"),
    ],
)
def test_posts_of_api_v1_state_their_kind(fields: dict[str, Any], kind: str) -> None:
    """They may be in the shell of an archive."""
    post = {"id_str": "7", "full_text": "Hi", **fields}
    assert kinds([post]) == {"7": kind}
    assert kinds("window.YTD.tweets.part0 = " + json.dumps([{"tweet": post}])) == {"7": kind}


def test_exports_and_tables_state_the_kind(tmp_path: Path) -> None:
    """Exports have texts, and tables a column."""
    file = io.StringIO(content(row(), row(TWO, text="@you Hi")))
    posts = ep.read_posts(file)
    assert dict(zip(posts["post_id"], posts["kind"], strict=True)) == {ONE: "post", TWO: "reply"}
    posts.to_csv(tmp_path / "posts.csv", index=False)
    assert ep.read_posts(tmp_path / "posts.csv")["kind"].to_list() == ["post", "reply"]


def test_the_zip_of_an_archive_is_read(tmp_path: Path) -> None:
    """It has all parts of ``tweets.js``; other files are not unpacked."""
    parts = {"tweets": "7", "tweets-part1": "8"}
    with zipfile.ZipFile(tmp_path / "twitter.zip", "w") as archive:
        archive.writestr("data/account.js", "window.YTD.account.part0 = []")
        for name, post in parts.items():
            script = json.dumps([{"tweet": {"id_str": post, "full_text": "Hi"}}])
            archive.writestr(f"data/{name}.js", "window.YTD.tweets.part0 = " + script)
    for source in (tmp_path / "twitter.zip", io.BytesIO((tmp_path / "twitter.zip").read_bytes())):
        posts = ep.read_posts(source)
        assert posts["post_id"].to_list() == [
            "8",
            "7",
        ]  # parts are sorted by name: "-" is before "."
        assert set(posts["kind"]) == {"post"}
    (tmp_path / "cut.zip").write_bytes((tmp_path / "twitter.zip").read_bytes()[:200])
    with pytest.raises(InvalidPostId, match=r"cut\.zip cannot be unpacked"):
        ep.read_posts(tmp_path / "cut.zip")


def test_references_in_a_table_of_twarc_state_the_kind() -> None:
    """A reply that quotes is a reply."""
    table = (
        "id,referenced_tweets.replied_to.id,referenced_tweets.retweeted.id,"
        "referenced_tweets.quoted.id,text\n"
        "10,,,,Hi\n11,9,,,@you Hi\n12,,9,,RT @you: Hi\n13,,,9,Look\n14,9,,8,@you Look\n"
    )
    posts = ep.read_posts(io.StringIO(table.replace("\n1", "\n100000000000000001")))
    assert posts["kind"].to_list() == ["post", "reply", "repost", "quote", "reply"]


def test_texts_in_a_table_of_twarc_are_unescaped() -> None:
    """Its texts are those of the API, as in JSON; other tables have the text itself."""
    row = f"{ONE},,Tea &amp; cake\n"
    of_twarc = ep.read_posts(io.StringIO(f"id,referenced_tweets.quoted.id,text\n{row}"))
    of_others = ep.read_posts(io.StringIO(f"id,link,text\n{row}"))
    assert of_twarc["text"].to_list() == ["Tea & cake"]
    assert of_others["text"].to_list() == ["Tea &amp; cake"]


def test_warnings_have_the_line_of_the_caller() -> None:
    """They are issued deep in the package."""
    table = f"id,created_at,text\n{ONE},45000,Hi\n,,Hi\n"
    with pytest.warns(UserWarning, match="ignored|skipped") as caught:
        ep.read_posts(io.StringIO(table), missing="skip")
    assert [warning.filename for warning in caught] == [__file__, __file__]


def test_the_size_of_an_archive_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part has the limit of a file, and all of them four times as much."""
    script = 'window.YTD.tweets.part0 = [{"tweet": {"id_str": "%s", "full_text": "Hi"}}]'
    monkeypatch.setattr(reader, "MOST_BYTES", len(script))
    for parts in (4, 5):
        with zipfile.ZipFile(tmp_path / f"{parts}.zip", "w") as archive:
            for part in range(parts):
                archive.writestr(f"data/tweets-part{part}.js", (script % part).ljust(len(script)))
    assert ep.read_posts(tmp_path / "4.zip")["post_id"].to_list() == ["0", "1", "2", "3"]
    with pytest.raises(InvalidPostId, match=r"5\.zip holds more than 0 bytes; unpack it"):
        ep.read_posts(tmp_path / "5.zip")


def test_kinds_are_keys_of_metrics() -> None:
    """A metric looks them up in the frame of posts."""
    body = {"data": [{**post, "public_metrics": {"impression_count": 2}} for post in PAGE]}
    counts = ep.flatten_lookup(body)
    both = ep.counts_from(pd.concat([counts, counts.assign(engagement_type="engagements")]))
    posts = ep.read_posts(io.StringIO(json.dumps(body)))
    rates = ep.engagement_rate(both, by="kind", posts=posts)
    assert rates["kind"].to_list() == ["post", "quote", "reply"]
    assert rates["impressions"].to_list() == [4, 2, 4]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"data": [{"id": ONE, "text": "a &amp; b &lt;3"}]}, "a & b <3"),
        ([{"tweet": {"id_str": ONE, "full_text": "a &amp;amp; b"}}], "a &amp; b"),
        ([{"post_id": "7", "text": "a &amp; b"}], "a &amp; b"),
    ],
    ids=["v2", "archive", "ours"],
)
def test_texts_of_the_api_are_unescaped(body: Any, text: str) -> None:
    """X's API and archives escape texts as the exports do; other files have them as they are."""
    assert ep.read_posts(io.StringIO(json.dumps(body)))["text"].to_list() == [text]
