"""The explorer that asks the API: what it offers, what it would cost, what it brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from support.processes import PATIENCE
from support.scripted import USER, FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.explorers.fetch_thread import FetchThread
from engagement_pandas.explorers.request_form import GROUPINGS
from engagement_pandas.transport import retries
from engagement_pandas.vocabulary import Endpoint

NOW = "2026-04-15T12:20:00Z"
POSTS = [str(2_041_000_000_000_000_000 + number) for number in range(300)]
"""Two requests to /totals: 250 posts and 50."""

Ask = Callable[..., ep.FetchExplorer]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Make explorers of a client, and close them afterwards."""
    made: list[ep.FetchExplorer] = []

    def make(client: Any, posts: Any = None, **values: Any) -> ep.FetchExplorer:
        made.append(ep.FetchExplorer(client, posts))
        for name, value in values.items():
            made[-1].controls[name].value = value
        return made[-1]

    yield make
    for explorer in made:
        explorer.close()


def body(posts: list[str], count: int = 5) -> dict[str, Any]:
    """Return an answer to the totals of some posts, by post and type."""
    return {"counts": {post: {"impressions": str(count), "engagements": "1"} for post in posts}}


def spent() -> dict[str, str]:
    """Return headers that tell of a quota used up until the next minute."""
    return {"x-per-minute-limit": "1", "x-per-minute-remaining": "0"}


def fetched(explorer: ep.FetchExplorer) -> ep.FetchExplorer:
    """Press Fetch, and wait for the end."""
    explorer.start.click()
    explorer.wait(PATIENCE)
    return explorer


def offered(explorer: ep.FetchExplorer, name: str) -> list[Any]:
    """Return the values that a choice offers."""
    return [option[1] if isinstance(option, tuple) else option
            for option in explorer.controls[name].options]  # fmt: skip


class Sleeper(FakeClock):
    """A clock that does something when somebody first sleeps."""

    act: Callable[[], None] | None = None

    def sleep(self, seconds: float) -> None:
        """Act once, and let the time pass."""
        act, self.act = self.act, None
        if act is not None:
            act()
        super().sleep(seconds)


@pytest.fixture
def sleeper() -> Sleeper:
    """Return a clock to be told what to do when somebody first sleeps."""
    return Sleeper()


@pytest.fixture
def patient(server: ScriptedServer, sleeper: Sleeper) -> ep.EngagementClient:
    """Return a client that goes by it."""
    return ep.EngagementClient(USER, base_url=server.url, clock=sleeper.time, sleep=sleeper.sleep)


def test_no_posts_yet(ask: Ask, client: ep.EngagementClient) -> None:
    """It says what to do, and there is nothing to press."""
    explorer = ask(client)
    assert explorer.status.html == "No posts yet: paste IDs or links, or load a file"
    assert explorer.alert.html == ""
    assert explorer.start.disabled
    assert explorer.plan is None


def test_no_types_yet(ask: Ask, client: ep.EngagementClient) -> None:
    """The same, where no engagement type is chosen."""
    explorer = ask(client, POSTS, types=())
    assert explorer.status.html.startswith("No engagement types yet")
    assert explorer.start.disabled


def test_ids_and_links_are_pasted(ask: Ask, client: ep.EngagementClient) -> None:
    """Whatever stands between them."""
    text = f"{POSTS[0]}, https://x.com/i/web/status/{POSTS[1]}\n['{POSTS[2]}']"
    explorer = ask(client, ids=text)
    assert explorer.request is not None
    assert explorer.request.post_ids == tuple(POSTS[:3])


def test_a_lossy_id_is_refused(ask: Ask, client: ep.EngagementClient) -> None:
    """With its value and the cure, and without a plan."""
    explorer = ask(client, ids="2.041e18")
    assert "2.041e18" in explorer.alert.html
    assert explorer.plan is None
    assert explorer.start.disabled


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.csv", f"text,post_id\nhello,{POSTS[0]}\nbye,{POSTS[1]}\n"),
        ("posts.txt", f"{POSTS[0]}\n{POSTS[1]}\n"),
        ("posts.jsonl", f'{{"post_id": "{POSTS[0]}"}}\n"{POSTS[1]}"\n'),
    ],
)
def test_a_file_is_loaded(
    ask: Ask, client: ep.EngagementClient, put_file: Any, name: str, content: str
) -> None:
    """As the command line reads it."""
    explorer = ask(client)
    raw = content.encode()
    put_file(explorer.upload, name, raw)
    assert explorer.request is not None
    assert explorer.request.post_ids == tuple(POSTS[:2])


def test_a_file_that_is_none(ask: Ask, client: ep.EngagementClient, put_file: Any) -> None:
    """Named, and the posts that were there stay."""
    explorer = ask(client, POSTS[:2])
    put_file(explorer.upload, "<b>.csv", b"a,b")
    assert "&lt;b&gt;.csv has no post_id column" in explorer.alert.html
    assert explorer.controls["ids"].value == "\n".join(POSTS[:2])


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_what_an_endpoint_offers(ask: Ask, client: ep.EngagementClient, endpoint: Endpoint) -> None:
    """Every type and grouping it offers makes a request, and dates are for one of them only."""
    explorer = ask(client, POSTS[:2], endpoint=endpoint)
    for grouping in offered(explorer, "grouping"):
        explorer.controls["grouping"].value = grouping
        explorer.controls["types"].value = tuple(offered(explorer, "types"))
        assert explorer.request is not None, explorer.alert.html
        assert explorer.request.groupings[0].dimensions == GROUPINGS[grouping]
    hidden = explorer.controls["first"].layout.display == "none"
    assert hidden is (endpoint is not Endpoint.HISTORICAL)


def test_types_that_still_fit_are_kept(ask: Ask, client: ep.EngagementClient) -> None:
    """Quote tweets are counted by /totals alone."""
    explorer = ask(client, POSTS[:2], types=("favorites", "quote_tweets"))
    explorer.controls["endpoint"].value = Endpoint.HISTORICAL
    assert explorer.controls["types"].value == ("favorites",)


def test_the_price_is_told_and_nothing_is_sent(
    ask: Ask, client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """Two requests and 600 counts: 300 posts of 2 types."""
    explorer = ask(client, POSTS)
    assert explorer.status.html == (
        "2 requests for 300 posts, up to 600 counts; nothing is sent before you press Fetch"
    )
    assert "<td>250</td>" in explorer.price.html
    assert "<td>50</td>" in explorer.price.html
    assert "up to 600 counts" in explorer.price.html
    assert server.seen == []


def test_an_app_may_ask_for_public_types(ask: Ask) -> None:
    """So these are chosen at first."""
    public = ep.EngagementClient(ep.AppOnly("a-bearer-token"))
    explorer = ask(public, POSTS[:2])
    assert set(explorer.controls["types"].value) == set(ep.PUBLIC_TYPES)
    assert not explorer.start.disabled


@pytest.mark.parametrize(
    "choice", [{"types": ("impressions",)}, {"endpoint": Endpoint.HISTORICAL}], ids=str
)
def test_what_an_app_may_not_ask(ask: Ask, choice: dict[str, Any]) -> None:
    """It says why not, before anything is sent."""
    public = ep.EngagementClient(ep.AppOnly("a-bearer-token"))
    explorer = ask(public, POSTS[:2], **choice)
    assert "; use UserContext" in explorer.alert.html
    assert explorer.start.disabled
    with pytest.raises(ep.RequestError, match="no plan yet"):
        explorer.fetch()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 4, 2), date(2026, 4, 1), "From (2026-04-02) is after To (2026-04-01)"),
        (None, date(2026, 4, 1), "choose both"),
        (date(2026, 4, 1), None, "choose both"),
        (date(2026, 4, 16), date(2026, 4, 16), "has no complete hour yet"),
        (date(2013, 1, 1), date(2026, 4, 1), "is before 2014-09-01"),
    ],
)
def test_days_that_are_no_window(
    ask: Ask, client: ep.EngagementClient, first: Any, last: Any, words: str
) -> None:
    """Said, and mended by another choice."""
    explorer = ask(client, POSTS[:2], endpoint=Endpoint.HISTORICAL, first=first, last=last)
    assert words in explorer.alert.html
    assert explorer.start.disabled
    explorer.controls["last"].value = date(2026, 4, 1)
    explorer.controls["first"].value = date(2026, 4, 1)
    assert explorer.alert.html == ""
    assert explorer.request is not None
    assert explorer.request.window == ep.Window.covering("2026-04-01", "2026-04-02")


def test_today_ends_at_the_last_whole_hour(ask: Ask, client: ep.EngagementClient) -> None:
    """By the client's clock, 12:20."""
    explorer = ask(client, POSTS[:2], endpoint=Endpoint.HISTORICAL)
    assert explorer.request is not None
    assert explorer.request.window == ep.Window.covering("2026-03-19", "2026-04-15T12:00:00Z")


@pytest.mark.filterwarnings("default:the window begins")
def test_old_days_are_doubtful(ask: Ask, client: ep.EngagementClient) -> None:
    """The warning of the request stands beside the plan."""
    explorer = ask(
        client, POSTS[:2], endpoint=Endpoint.HISTORICAL,
        first=date(2020, 1, 1), last=date(2020, 1, 2),
    )  # fmt: skip
    assert "<p>the window begins" in explorer.price.html
    assert not explorer.start.disabled


OfOwners = Callable[..., ep.EngagementClient]


@pytest.fixture
def of_owners(tmp_path: Path) -> OfOwners:
    """Make a client of several owners, who have logged in."""

    def make(*handles: str) -> ep.EngagementClient:
        app = ep.Consumer("consumer-key", "consumer-secret")
        accounts = ep.Accounts(tmp_path / "accounts.json", consumer=app, environ={})
        for number, handle in enumerate(handles):
            added = datetime(2026, 4, 15, tzinfo=UTC)
            accounts.add(ep.Account(handle, str(number), app.app, added, f"{number}-token", "s"))
        return ep.EngagementClient(accounts)

    return make


def owned(*handles: str) -> pd.DataFrame:
    """Return a frame of as many posts, each with the handle of its owner."""
    return pd.DataFrame({"post_id": POSTS[: len(handles)], "handle": handles})


def test_posts_of_several_owners(ask: Ask, of_owners: OfOwners) -> None:
    """Each is asked with its owner's tokens: a request for each, and private types at first."""
    explorer = ask(of_owners("bakery", "railway"), owned("bakery", "railway", "@Bakery"))
    assert explorer.controls["types"].value == ("impressions", "engagements")
    assert explorer.plan is not None
    assert [part.post_ids for part in explorer.plan] == [(POSTS[0], POSTS[2]), (POSTS[1],)]
    assert explorer.request is not None
    assert dict(explorer.request.owners) == {
        POSTS[0]: "bakery", POSTS[1]: "railway", POSTS[2]: "bakery",
    }  # fmt: skip


def test_handles_of_a_loaded_file(ask: Ask, of_owners: OfOwners, put_file: Any) -> None:
    """Come along with the posts, and so do those of a pasted table."""
    explorer = ask(of_owners("bakery", "railway"))
    raw = f"post_id,handle\n{POSTS[0]},@Bakery\n{POSTS[1]},railway\n".encode()
    put_file(explorer.upload, "posts.csv", raw)
    owners = {POSTS[0]: "bakery", POSTS[1]: "railway"}
    assert explorer.request is not None
    assert dict(explorer.request.owners) == owners
    explorer.controls["ids"].value = f"{POSTS[2]}"
    explorer.controls["ids"].value = f"handle\tPost ID\nrailway\t{POSTS[2]}\n"
    assert explorer.request is not None
    assert explorer.request.owners[POSTS[2]] == "railway"


def test_short_and_long_ids_from_a_file(
    ask: Ask, client: ep.EngagementClient, put_file: Any
) -> None:
    """Stand below a heading in the box, so that both are posts."""
    explorer = ask(client)
    raw = f"post_id\n{POSTS[0]}\n20\n".encode()
    put_file(explorer.upload, "posts.csv", raw)
    assert explorer.request is not None
    assert explorer.request.post_ids == (POSTS[0], "20")


def test_fewer_posts_keep_their_owners(ask: Ask, of_owners: OfOwners) -> None:
    """Whatever is asked of them; those of somebody who was never told are refused with a cure."""
    explorer = ask(of_owners("bakery", "railway"), owned("bakery", "railway"), ids=POSTS[1])
    explorer.controls["endpoint"].value = Endpoint.LAST_28_HOURS
    assert explorer.alert.html == ""
    assert explorer.plan is not None
    assert explorer.plan.request.owners[POSTS[1]] == "railway"
    explorer.controls["ids"].value = "\n".join(POSTS[:3])
    assert "give a frame with a handle column" in explorer.alert.html
    assert explorer.start.disabled


@pytest.mark.parametrize(
    "posts",
    [POSTS[:2], owned("bakery", "stranger"), owned("bakery", "")],
    ids=["nobody told", "one is a stranger", "one is not told"],
)
def test_owners_who_cannot_be_asked(ask: Ask, of_owners: OfOwners, posts: Any) -> None:
    """Where not all owners are known and logged in: public types at first, with the app's."""
    explorer = ask(of_owners("bakery"), posts)
    assert set(explorer.controls["types"].value) == set(ep.PUBLIC_TYPES)
    assert explorer.alert.html == ""


def test_one_owner_s_tokens_ask_whatever_the_posts(ask: Ask, client: ep.EngagementClient) -> None:
    """In one request, as if nobody had told whose they are."""
    explorer = ask(client, owned("bakery", "railway"))
    assert explorer.plan is not None
    assert len(explorer.plan) == 1
    assert "handle" not in explorer.code


@pytest.mark.parametrize(
    "handles", [("bakery",) * 40, ("bakery", "railway") * 20], ids=["one", "two"]
)
def test_the_code_names_the_owners(ask: Ask, of_owners: OfOwners, handles: tuple[str, ...]) -> None:
    """Where they are who may ask; else it does without."""
    explorer = ask(of_owners("bakery", "railway"), owned(*handles), endpoint=Endpoint.HISTORICAL)
    names: dict[str, Any] = {}
    exec(explorer.code[: explorer.code.index("responses =")], names)  # noqa: S102
    assert names["request"] == explorer.request
    assert dict(names["request"].owners) == dict(zip(POSTS, handles, strict=False))
    assert max(map(len, explorer.code.splitlines())) <= 100
    explorer.controls["endpoint"].value = Endpoint.TOTALS
    explorer.controls["types"].value = ("favorites",)
    assert "handle" not in explorer.code


@pytest.mark.slow
def test_what_is_fetched_is_what_the_client_fetches(ask: Ask) -> None:
    """Counts, omissions and their reasons, from the sandbox."""
    with ep.demo_client(now=NOW) as demo:
        explorer = fetched(ask(demo.client, demo.posts, endpoint=Endpoint.HISTORICAL))
        assert explorer.request is not None
        responses = demo.client.fetch(explorer.request)
    pd.testing.assert_frame_equal(explorer.counts, ep.flatten(responses))
    pd.testing.assert_frame_equal(explorer.omissions, ep.omissions(responses))
    assert explorer.unasked == ()
    assert explorer.status.html.startswith("Done: 2 of 2 requests settled")
    for reason in explorer.omissions["reason"].astype("str").unique():
        assert f">{reason}</span>" in explorer.table.html
    assert (
        demo.posts["post_id"]
        .isin([*explorer.counts["post_id"], *explorer.omissions["post_id"]])
        .all()
    )


def test_nothing_fetched_yet(ask: Ask, client: ep.EngagementClient) -> None:
    """Counts of nothing are an error, and no empty frame."""
    explorer = ask(client, POSTS)
    for name in ("counts", "omissions", "responses", "unasked"):
        with pytest.raises(ep.EngagementError, match="press Fetch"):
            getattr(explorer, name)


@pytest.mark.slow
def test_cancelled_while_it_waits(
    ask: Ask, server: ScriptedServer, patient: Any, sleeper: Sleeper
) -> None:
    """Nothing more is sent, what was answered is there, and what was not asked is named."""
    server.answer(Scripted(body=body(POSTS[:250]), headers=spent()))
    explorer = ask(patient, POSTS)
    sleeper.act = explorer.cancel.click
    fetched(explorer)
    assert len(server.seen) == 1
    assert len(explorer.counts) == 500
    assert explorer.unasked == tuple(POSTS[250:])
    assert explorer.status.html == (
        "Cancelled: 1 of 2 requests settled; 0 omissions; 500 counts in explorer.counts; "
        "50 posts with unsettled requests"
    )
    assert explorer.alert.html == ""


def test_answers_in_any_order(client: ep.EngagementClient) -> None:
    """The second of two requests is answered, and half of the first: that one is not settled."""
    todo = ep.plan(ep.totals(POSTS, engagement_types=["impressions", "engagements"]))
    first, second = todo.requests
    run = FetchThread(client, todo, lambda _: None, lambda _: None)
    half = first.replace(engagement_types=["impressions"])
    run.responses = [ep.EngagementResponse(asked, b"{}") for asked in (second, half)]
    assert (run.done, run.unasked) == (1, tuple(POSTS[:250]))


@pytest.mark.slow
def test_fetched_again_after_cancel(
    ask: Ask, server: ScriptedServer, patient: Any, sleeper: Sleeper
) -> None:
    """From the beginning, and whole."""
    server.answer(Scripted(body=body(POSTS[:250]), headers=spent()))
    explorer = ask(patient, POSTS)
    sleeper.act = explorer.cancel.click
    fetched(explorer)
    server.answer(Scripted(body=body(POSTS[:250], 7)), Scripted(body=body(POSTS[250:], 7)))
    fetched(explorer)
    assert explorer.unasked == ()
    assert len(explorer.counts) == 600
    assert set(explorer.counts["count"]) == {7, 1}


def test_a_part_of_a_sum_is_no_sum(
    ask: Ask, server: ScriptedServer, patient: Any, sleeper: Sleeper
) -> None:
    """Posts together, and one of two answers missing: there is no number to give."""
    server.answer(Scripted(body={"counts": {"impressions": "5", "engagements": "1"}},
                           headers=spent()))  # fmt: skip
    explorer = ask(patient, POSTS, grouping="type (posts together)")
    sleeper.act = explorer.cancel.click
    fetched(explorer)
    with pytest.raises(ep.FrameError, match="only 1 of 2 requests were answered"):
        _ = explorer.counts
    assert "each count is a sum over all of them" in explorer.status.html


def test_a_part_of_several_windows_is_no_sum(
    ask: Ask, server: ScriptedServer, patient: Any, sleeper: Sleeper
) -> None:
    """The count of an old post over 40 days is the sum of two windows."""
    server.answer(Scripted(body={**body(["7", "8"]), "start": "2026-03-01T00:00:00Z",
                                 "end": "2026-03-13T00:00:00Z"}, headers=spent()))  # fmt: skip
    explorer = ask(
        patient, ["7", "8"], endpoint=Endpoint.HISTORICAL, grouping="post and type",
        first=date(2026, 3, 1), last=date(2026, 4, 9),
    )  # fmt: skip
    sleeper.act = explorer.cancel.click
    fetched(explorer)
    with pytest.raises(ep.FrameError, match="only 1 of 2 requests"):
        _ = explorer.counts


@pytest.mark.slow
def test_while_it_runs(ask: Ask, server: ScriptedServer, patient: Any, sleeper: Sleeper) -> None:
    """The question is locked, Cancel is not, and the page tells how far it is and why it waits."""
    seen: dict[str, Any] = {}

    def look() -> None:
        seen["locked"] = {name: control.disabled for name, control in explorer.controls.items()}
        seen["start"], seen["cancel"] = explorer.start.disabled, explorer.cancel.disabled
        seen["bar"] = explorer.bar.value, explorer.bar.max, explorer.bar.layout.visibility
        seen["status"] = explorer.status.html
        with pytest.raises(ep.RequestError, match="is running"):
            explorer.fetch()

    server.answer(
        Scripted(body=body(POSTS[:250]), headers=spent()), Scripted(body=body(POSTS[250:]))
    )
    explorer = ask(patient, POSTS)
    sleeper.act = look
    fetched(explorer)
    assert set(seen["locked"].values()) == {True}
    assert seen["start"] is True
    assert seen["cancel"] is False
    assert seen["bar"] == (1, 2, "visible")
    assert seen["status"] == "1 of 2 requests settled; waiting 60 s for the quota"
    assert not any(control.disabled for control in explorer.controls.values())
    assert explorer.cancel.disabled
    assert explorer.bar.layout.visibility == "hidden"


@pytest.mark.slow
def test_refused_midway(ask: Ask, server: ScriptedServer, client: ep.EngagementClient) -> None:
    """The API's own words, escaped, and what was answered before."""
    server.answer(
        Scripted(body=body(POSTS[:250])), Scripted(400, {"errors": ["<b>no</b> such thing"]})
    )
    explorer = fetched(ask(client, POSTS))
    assert "&lt;b&gt;no&lt;/b&gt; such thing" in explorer.alert.html
    assert explorer.status.html.startswith("1 of 2 requests settled")
    assert len(explorer.counts) == 500
    assert not explorer.start.disabled


def test_refused_at_once(ask: Ask, server: ScriptedServer, client: ep.EngagementClient) -> None:
    """Nothing was answered, so there is nothing to have."""
    server.answer(Scripted(401, {"errors": ["could not be authenticated"]}))
    explorer = fetched(ask(client, POSTS[:2]))
    assert "could not be authenticated" in explorer.alert.html
    with pytest.raises(ep.FrameError, match="there are no responses"):
        _ = explorer.counts


@pytest.mark.slow
def test_an_answer_of_another_shape(
    ask: Ask, server: ScriptedServer, client: ep.EngagementClient
) -> None:
    """Sent for again, in vain; then it is shown why there is none."""
    odd = Scripted(body={"counts": {POSTS[0]: {"impressions": "many"}}})
    server.answer(*[odd] * retries.MAX_ATTEMPTS)
    explorer = fetched(ask(client, POSTS[:1]))
    assert "many" in explorer.alert.html
    assert list(explorer.responses) == []
    assert not explorer.start.disabled


def first_rows(explorer: ep.FetchExplorer, cells: Any) -> list[list[str]]:
    """Return the table of the first counts."""
    rows: list[list[str]] = cells(explorer.first.html)
    return rows


@pytest.mark.slow
def test_what_was_fetched_is_shown(
    ask: Ask, server: ScriptedServer, client: ep.EngagementClient, cells: Any
) -> None:
    """The first ten of 40 counts, a chart of the posts, and the code for it."""
    server.answer(Scripted(body=body(POSTS[:20])))
    explorer = ask(client, POSTS[:20])
    assert explorer.chart.html == explorer.first.html == ""
    fetched(explorer)
    rows = first_rows(explorer, cells)
    assert rows[:2] == [[POSTS[0], "impressions", "5"], [POSTS[0], "engagements", "1"]]
    assert len(rows) == 10
    assert "The first 10 of 40 known counts" in explorer.first.html
    assert f'data-gid="{POSTS[0]}"' in explorer.chart.html
    assert explorer.code.endswith('ax = ep.plot_top_posts(counts, by="impressions")\n')
    assert explorer.status.html.endswith("40 counts in explorer.counts")
    once = explorer.code
    server.answer(Scripted(body=body(POSTS[:20])))
    assert fetched(explorer).code == once


@pytest.mark.slow
@pytest.mark.parametrize(
    ("endpoint", "grouping", "plot"),
    [
        (Endpoint.HISTORICAL, "post, type, day and hour", "plot_cumulative"),
        (Endpoint.HISTORICAL, "type and day (posts together)", "plot_over_time"),
        (Endpoint.TOTALS, "post and type", "plot_top_posts"),
        (Endpoint.TOTALS, "type (posts together)", "plot_by_type"),
    ],
)
def test_each_grouping_has_a_first_chart(
    ask: Ask, endpoint: Endpoint, grouping: str, plot: str
) -> None:
    """From the sandbox; the code draws it too."""
    with ep.demo_client(now=NOW) as demo:
        explorer = fetched(ask(demo.client, demo.posts, endpoint=endpoint, grouping=grouping))
        assert explorer.chart.html.startswith("<svg")
        assert explorer.alert.html == ""
        assert f"ax = ep.{plot}(counts" in explorer.code


@pytest.mark.slow
def test_the_names_of_the_notebook(
    ask: Ask, server: ScriptedServer, client: ep.EngagementClient, monkeypatch: Any
) -> None:
    """The code and the status have the variables that the user has."""
    server.answer(Scripted(body=body(POSTS[:2])))
    names: dict[str, Any] = {"_": client, "mine": client}
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns=names))
    names["asking"] = explorer = ask(client, POSTS[:2])
    fetched(explorer)
    assert "responses = mine.fetch(request)" in explorer.code
    assert explorer.status.html.endswith("4 counts in asking.counts")


def test_a_client_of_the_demo_is_named(ask: Ask, monkeypatch: Any) -> None:
    """An attribute of a variable of ours."""
    with ep.demo_client(now=NOW) as demo:
        monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns={"d": demo}))
        assert "responses = d.client.fetch(request)" in ask(demo.client, POSTS[:2]).code


@pytest.mark.slow
def test_omissions_are_escaped(
    ask: Ask, server: ScriptedServer, client: ep.EngagementClient
) -> None:
    """The API's words come from outside."""
    told = {**body(POSTS[:1]), "unavailable_tweet_ids": POSTS[1:2],
            "errors": ["1 Tweet ID(s) are unavailable <script>"]}  # fmt: skip
    server.answer(Scripted(body=told))
    explorer = fetched(ask(client, POSTS[:2]))
    assert "unavailable &lt;script&gt;" in explorer.table.html
    assert f'status/{POSTS[1]}" target="_blank" rel="noopener noreferrer"' in explorer.table.html


@pytest.mark.slow
def test_the_code_asks_the_same(ask: Ask, client: ep.EngagementClient) -> None:
    """For every endpoint and grouping."""
    for endpoint in Endpoint:
        explorer = ask(client, POSTS[:30], endpoint=endpoint)
        for grouping in offered(explorer, "grouping"):
            explorer.controls["grouping"].value = grouping
            lines = explorer.code[: explorer.code.index("responses =")]
            names: dict[str, Any] = {}
            exec(lines, names)  # noqa: S102 - what is tested is that it runs
            assert names["request"] == explorer.request


@pytest.mark.slow
def test_counts_are_exported(
    ask: Ask, server: ScriptedServer, client: ep.EngagementClient, tmp_path: Path
) -> None:
    """To a file that reads back equal."""
    server.answer(Scripted(body=body(POSTS[:2])))
    explorer = fetched(ask(client, POSTS[:2]))
    explorer.export.file.value = str(tmp_path / "counts.parquet")
    explorer.export.button.click()
    assert explorer.status.html.startswith("Exported 4 rows to ")
    pd.testing.assert_frame_equal(ep.read_parquet(tmp_path / "counts.parquet"), explorer.counts)


@pytest.mark.slow
def test_closing_cancels(ask: Ask, server: ScriptedServer, patient: Any, sleeper: Sleeper) -> None:
    """Whoever takes the explorer away wants no more requests."""
    server.answer(Scripted(body=body(POSTS[:250]), headers=spent()))
    explorer = ask(patient, POSTS)
    sleeper.act = explorer.close
    fetched(explorer)
    assert len(server.seen) == 1


def test_nothing_is_left(client: ep.EngagementClient, widgets: Callable[[], set[str]]) -> None:
    """The registry is back where it began."""
    before = widgets()
    explorer = ep.FetchExplorer(client, POSTS)
    assert widgets() > before
    explorer.close()
    explorer.close()
    assert widgets() == before


def test_the_plan_outlives_the_kernel(ask: Ask, client: ep.EngagementClient, kept: Any) -> None:
    """A notebook that is opened again without one shows it."""
    bundle = kept(ask(client, POSTS))
    assert "2 requests" in bundle["text/html"]
    assert bundle["text/plain"].startswith("FetchExplorer(2 requests for 300 posts")
