"""The explorer that fetches counts: its form, the plan and its cost, and the results."""

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
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.transport import retries
from engagement_pandas.vocabulary.endpoints import Endpoint

NOW = "2026-04-15T12:20:00Z"
POSTS = [str(2_041_000_000_000_000_000 + number) for number in range(300)]
"""Two requests to /totals: 250 posts and 50."""

MakeExplorer = Callable[..., ep.FetchExplorer]


@pytest.fixture
def make_explorer() -> Iterator[MakeExplorer]:
    """Return a function that makes explorers of a client, and close them afterwards."""
    explorers: list[ep.FetchExplorer] = []

    def make(client: Any, posts: Any = None, **values: Any) -> ep.FetchExplorer:
        explorers.append(ep.FetchExplorer(client, posts))
        for name, value in values.items():
            explorers[-1].controls[name].value = value
        return explorers[-1]

    yield make
    for explorer in explorers:
        explorer.close()


def totals_of(posts: list[str], count: int = 5) -> dict[str, Any]:
    """Return totals of some posts, by post and type."""
    return {"counts": {post: {"impressions": str(count), "engagements": "1"} for post in posts}}


def exhausted_quota() -> dict[str, str]:
    """Return headers of a quota that is exhausted until the next minute."""
    return {"x-per-minute-limit": "1", "x-per-minute-remaining": "0"}


def press_fetch(explorer: ep.FetchExplorer) -> ep.FetchExplorer:
    """Press Fetch, and wait for the end."""
    explorer.start.click()
    explorer.wait(PATIENCE)
    return explorer


def options_of(explorer: ep.FetchExplorer, name: str) -> list[Any]:
    """Return the options of a control."""
    return [option[1] if isinstance(option, tuple) else option
            for option in explorer.controls[name].options]  # fmt: skip


class ClockWithAction(FakeClock):
    """A clock with an action for the first sleep."""

    action: Callable[[], None] | None = None

    def sleep(self, seconds: float) -> None:
        """Run the action once, and let the time pass."""
        action, self.action = self.action, None
        if action is not None:
            action()
        super().sleep(seconds)


@pytest.fixture
def clock_with_action() -> ClockWithAction:
    """Return a clock that runs an action at the first sleep."""
    return ClockWithAction()


@pytest.fixture
def client_with_clock(
    server: ScriptedServer, clock_with_action: ClockWithAction
) -> ep.EngagementClient:
    """Return a client with that clock."""
    return ep.EngagementClient(
        USER, base_url=server.url, clock=clock_with_action.time, sleep=clock_with_action.sleep
    )


def test_without_posts_there_is_no_plan(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """The status has the next step, and the button is disabled."""
    explorer = make_explorer(client)
    assert explorer.status.html == "No posts yet: paste IDs or links, or load a file"
    assert explorer.alert.html == ""
    assert explorer.start.disabled
    assert explorer.plan is None


def test_without_types_there_is_no_plan(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """The status has the next step."""
    explorer = make_explorer(client, POSTS, types=())
    assert explorer.status.html.startswith("No engagement types yet")
    assert explorer.start.disabled


def test_ids_and_links_may_be_pasted(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """Any separator is accepted."""
    text = f"{POSTS[0]}, https://x.com/i/web/status/{POSTS[1]}\n['{POSTS[2]}']"
    explorer = make_explorer(client, ids=text)
    assert explorer.request is not None
    assert explorer.request.post_ids == tuple(POSTS[:3])


def test_an_id_with_lost_digits_is_refused(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """The alert has its value and the cure."""
    explorer = make_explorer(client, ids="2.041e18")
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
def test_a_file_may_be_loaded(
    make_explorer: MakeExplorer, client: ep.EngagementClient, put_file: Any, name: str, content: str
) -> None:
    """The formats are those of the command line."""
    explorer = make_explorer(client)
    data = content.encode()
    put_file(explorer.upload, name, data)
    assert explorer.request is not None
    assert explorer.request.post_ids == tuple(POSTS[:2])


def test_a_file_without_posts_is_refused(
    make_explorer: MakeExplorer, client: ep.EngagementClient, put_file: Any
) -> None:
    """The alert has its name, and the earlier posts stay."""
    explorer = make_explorer(client, POSTS[:2])
    put_file(explorer.upload, "<b>.csv", b"a,b")
    assert "&lt;b&gt;.csv has no post_id column" in explorer.alert.html
    assert explorer.controls["ids"].value == "\n".join(POSTS[:2])


@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_every_option_of_an_endpoint_is_valid(
    make_explorer: MakeExplorer, client: ep.EngagementClient, endpoint: Endpoint
) -> None:
    """Types and groupings make a request; only one endpoint has dates."""
    explorer = make_explorer(client, POSTS[:2], endpoint=endpoint)
    for grouping in options_of(explorer, "grouping"):
        explorer.controls["grouping"].value = grouping
        explorer.controls["types"].value = tuple(options_of(explorer, "types"))
        assert explorer.request is not None, explorer.alert.html
        assert explorer.request.groupings[0].dimensions == GROUPINGS[grouping]
    hidden = explorer.controls["first"].layout.display == "none"
    assert hidden is (endpoint is not Endpoint.HISTORICAL)


def test_valid_types_are_kept(make_explorer: MakeExplorer, client: ep.EngagementClient) -> None:
    """Only /totals counts quote tweets."""
    explorer = make_explorer(client, POSTS[:2], types=("favorites", "quote_tweets"))
    explorer.controls["endpoint"].value = Endpoint.HISTORICAL
    assert explorer.controls["types"].value == ("favorites",)


def test_the_plan_has_its_cost_and_sends_nothing(
    make_explorer: MakeExplorer, client: ep.EngagementClient, server: ScriptedServer
) -> None:
    """300 posts of 2 types are two requests and 600 counts."""
    explorer = make_explorer(client, POSTS)
    assert explorer.status.html == (
        "2 requests for 300 posts, up to 600 counts; nothing is sent before you press Fetch"
    )
    assert "<td>250</td>" in explorer.price.html
    assert "<td>50</td>" in explorer.price.html
    assert "up to 600 counts" in explorer.price.html
    assert server.seen == []


def test_the_plan_is_above_fetch_and_next_to_the_form(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """A narrow form would cut its table and hide the posts that will have no counts."""
    explorer = make_explorer(client, POSTS)
    _, panes = explorer.children
    form, output = (pane.children for pane in panes.children)
    assert explorer.price not in form
    running = next(part for part in output if explorer.start in getattr(part, "children", ()))
    assert output.index(explorer.price) < output.index(running) < output.index(explorer.chart)


def test_an_app_has_public_types(make_explorer: MakeExplorer) -> None:
    """They are the default."""
    public = ep.EngagementClient(ep.AppOnly("a-bearer-token"))
    explorer = make_explorer(public, POSTS[:2])
    assert set(explorer.controls["types"].value) == set(ep.PUBLIC_TYPES)
    assert not explorer.start.disabled


@pytest.mark.parametrize(
    "choice", [{"types": ("impressions",)}, {"endpoint": Endpoint.HISTORICAL}], ids=str
)
def test_private_types_of_an_app_are_refused(
    make_explorer: MakeExplorer, choice: dict[str, Any]
) -> None:
    """The alert has the reason before anything is sent."""
    public = ep.EngagementClient(ep.AppOnly("a-bearer-token"))
    explorer = make_explorer(public, POSTS[:2], **choice)
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
def test_invalid_days_are_refused(
    make_explorer: MakeExplorer, client: ep.EngagementClient, first: Any, last: Any, words: str
) -> None:
    """Valid days remove the alert."""
    explorer = make_explorer(
        client, POSTS[:2], endpoint=Endpoint.HISTORICAL, first=first, last=last
    )
    assert words in explorer.alert.html
    assert explorer.start.disabled
    explorer.controls["last"].value = date(2026, 4, 1)
    explorer.controls["first"].value = date(2026, 4, 1)
    assert explorer.alert.html == ""
    assert explorer.request is not None
    assert explorer.request.window == ep.Window.covering("2026-04-01", "2026-04-02")


def test_today_ends_at_the_last_complete_hour(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """The client's clock is at 12:20."""
    explorer = make_explorer(client, POSTS[:2], endpoint=Endpoint.HISTORICAL)
    assert explorer.request is not None
    assert explorer.request.window == ep.Window.covering("2026-03-19", "2026-04-15T12:00:00Z")


@pytest.mark.filterwarnings("default:the window begins")
def test_old_days_have_a_warning(make_explorer: MakeExplorer, client: ep.EngagementClient) -> None:
    """The plan shows the warning of the request."""
    explorer = make_explorer(
        client, POSTS[:2], endpoint=Endpoint.HISTORICAL,
        first=date(2020, 1, 1), last=date(2020, 1, 2),
    )  # fmt: skip
    assert "<p>the window begins" in explorer.price.html
    assert not explorer.start.disabled


OfOwners = Callable[..., ep.EngagementClient]


@pytest.fixture
def of_owners(tmp_path: Path) -> OfOwners:
    """Return a function that makes a client of several owners, who have logged in."""

    def make(*handles: str) -> ep.EngagementClient:
        app = ep.Consumer("consumer-key", "consumer-secret")
        accounts = ep.Accounts(tmp_path / "accounts.json", consumer=app, environ={})
        for number, handle in enumerate(handles):
            added = datetime(2026, 4, 15, tzinfo=UTC)
            accounts.add(ep.Account(handle, str(number), app.app, added, f"{number}-token", "s"))
        return ep.EngagementClient(accounts)

    return make


def owned(*handles: str) -> pd.DataFrame:
    """Return a frame of posts, each with the handle of its owner."""
    return pd.DataFrame({"post_id": POSTS[: len(handles)], "handle": handles})


def test_each_owner_has_a_request(make_explorer: MakeExplorer, of_owners: OfOwners) -> None:
    """Each is signed with the owner's tokens; private types are the default."""
    explorer = make_explorer(of_owners("bakery", "railway"), owned("bakery", "railway", "@Bakery"))
    assert explorer.controls["types"].value == ("impressions", "engagements")
    assert explorer.plan is not None
    assert [part.post_ids for part in explorer.plan] == [(POSTS[0], POSTS[2]), (POSTS[1],)]
    assert explorer.request is not None
    assert dict(explorer.request.owners) == {
        POSTS[0]: "bakery", POSTS[1]: "railway", POSTS[2]: "bakery",
    }  # fmt: skip


def test_handles_are_read_from_files_and_tables(
    make_explorer: MakeExplorer, of_owners: OfOwners, put_file: Any
) -> None:
    """A pasted table has handles too."""
    explorer = make_explorer(of_owners("bakery", "railway"))
    data = f"post_id,handle\n{POSTS[0]},@Bakery\n{POSTS[1]},railway\n".encode()
    put_file(explorer.upload, "posts.csv", data)
    owners = {POSTS[0]: "bakery", POSTS[1]: "railway"}
    assert explorer.request is not None
    assert dict(explorer.request.owners) == owners
    explorer.controls["ids"].value = f"{POSTS[2]}"
    explorer.controls["ids"].value = f"handle\tPost ID\nrailway\t{POSTS[2]}\n"
    assert explorer.request is not None
    assert explorer.request.owners[POSTS[2]] == "railway"


def test_short_and_long_ids_are_loaded(
    make_explorer: MakeExplorer, client: ep.EngagementClient, put_file: Any
) -> None:
    """They are in the box below a heading."""
    explorer = make_explorer(client)
    data = f"post_id\n{POSTS[0]}\n20\n".encode()
    put_file(explorer.upload, "posts.csv", data)
    assert explorer.request is not None
    assert explorer.request.post_ids == (POSTS[0], "20")


def test_remaining_posts_keep_their_owners(
    make_explorer: MakeExplorer, of_owners: OfOwners
) -> None:
    """Posts of an unknown owner are refused with the cure."""
    explorer = make_explorer(
        of_owners("bakery", "railway"), owned("bakery", "railway"), ids=POSTS[1]
    )
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
    ids=["no owner is known", "one has not logged in", "one is unknown"],
)
def test_unknown_owners_have_public_types(
    make_explorer: MakeExplorer, of_owners: OfOwners, posts: Any
) -> None:
    """The app signs, unless all owners are known and logged in."""
    explorer = make_explorer(of_owners("bakery"), posts)
    assert set(explorer.controls["types"].value) == set(ep.PUBLIC_TYPES)
    assert explorer.alert.html == ""


def test_a_client_of_one_owner_ignores_handles(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """There is one request, and its code has no handles."""
    explorer = make_explorer(client, owned("bakery", "railway"))
    assert explorer.plan is not None
    assert len(explorer.plan) == 1
    assert "handle" not in explorer.code


@pytest.mark.parametrize(
    "handles", [("bakery",) * 40, ("bakery", "railway") * 20], ids=["one", "two"]
)
def test_the_code_has_the_owners_of_private_types(
    make_explorer: MakeExplorer, of_owners: OfOwners, handles: tuple[str, ...]
) -> None:
    """Public types need none."""
    explorer = make_explorer(
        of_owners("bakery", "railway"), owned(*handles), endpoint=Endpoint.HISTORICAL
    )
    variables: dict[str, Any] = {}
    exec(explorer.code[: explorer.code.index("responses =")], variables)  # noqa: S102
    assert variables["request"] == explorer.request
    assert dict(variables["request"].owners) == dict(zip(POSTS, handles, strict=False))
    assert max(map(len, explorer.code.splitlines())) <= 100
    explorer.controls["endpoint"].value = Endpoint.TOTALS
    explorer.controls["types"].value = ("favorites",)
    assert "handle" not in explorer.code


@pytest.mark.slow
def test_results_are_those_of_the_client(make_explorer: MakeExplorer) -> None:
    """Counts, omissions and their reasons come from the sandbox."""
    with ep.demo_client(now=NOW) as demo:
        explorer = press_fetch(make_explorer(demo.client, demo.posts, endpoint=Endpoint.HISTORICAL))
        assert explorer.request is not None
        responses = demo.client.fetch(explorer.request)
    pd.testing.assert_frame_equal(explorer.counts, ep.flatten(responses))
    pd.testing.assert_frame_equal(explorer.omissions, ep.omissions(responses))
    assert explorer.unasked == ()
    assert explorer.status.html.startswith("Done: 2 of 2 requests settled")
    for reason in explorer.omissions["reason"].astype(TEXT).unique():
        assert f">{reason}</span>" in explorer.table.html
    assert (
        demo.posts["post_id"]
        .isin([*explorer.counts["post_id"], *explorer.omissions["post_id"]])
        .all()
    )


def test_results_before_a_fetch_are_an_error(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """There is no empty frame."""
    explorer = make_explorer(client, POSTS)
    for name in ("counts", "omissions", "responses", "unasked"):
        with pytest.raises(ep.EngagementError, match="press Fetch"):
            getattr(explorer, name)


@pytest.mark.slow
def test_cancel_stops_a_waiting_fetch(
    make_explorer: MakeExplorer,
    server: ScriptedServer,
    client_with_clock: Any,
    clock_with_action: ClockWithAction,
) -> None:
    """Responses are kept, and posts without a response are listed."""
    server.answer(Scripted(body=totals_of(POSTS[:250]), headers=exhausted_quota()))
    explorer = make_explorer(client_with_clock, POSTS)
    clock_with_action.action = explorer.cancel.click
    press_fetch(explorer)
    assert len(server.seen) == 1
    assert len(explorer.counts) == 500
    assert explorer.unasked == tuple(POSTS[250:])
    assert explorer.status.html == (
        "Cancelled: 1 of 2 requests settled; 0 omissions; 500 counts in explorer.counts; "
        "50 posts with unsettled requests"
    )
    assert explorer.alert.html == ""


def test_responses_may_have_any_order(client: ep.EngagementClient) -> None:
    """Of two requests the second has a response, and the first only half of its types."""
    plan = ep.plan(ep.totals(POSTS, engagement_types=["impressions", "engagements"]))
    first, second = plan.requests
    thread = FetchThread(client, plan, lambda _: None, lambda _: None)
    half = first.replace(engagement_types=["impressions"])
    thread.responses = [ep.EngagementResponse(request, b"{}") for request in (second, half)]
    assert (thread.done, thread.unasked) == (1, tuple(POSTS[:250]))


@pytest.mark.slow
def test_a_fetch_after_cancel_is_complete(
    make_explorer: MakeExplorer,
    server: ScriptedServer,
    client_with_clock: Any,
    clock_with_action: ClockWithAction,
) -> None:
    """It starts from the beginning."""
    server.answer(Scripted(body=totals_of(POSTS[:250]), headers=exhausted_quota()))
    explorer = make_explorer(client_with_clock, POSTS)
    clock_with_action.action = explorer.cancel.click
    press_fetch(explorer)
    server.answer(
        Scripted(body=totals_of(POSTS[:250], 7)), Scripted(body=totals_of(POSTS[250:], 7))
    )
    press_fetch(explorer)
    assert explorer.unasked == ()
    assert len(explorer.counts) == 600
    assert set(explorer.counts["count"]) == {7, 1}


def test_a_partial_sum_over_posts_is_an_error(
    make_explorer: MakeExplorer,
    server: ScriptedServer,
    client_with_clock: Any,
    clock_with_action: ClockWithAction,
) -> None:
    """One of two responses is missing."""
    server.answer(Scripted(body={"counts": {"impressions": "5", "engagements": "1"}},
                           headers=exhausted_quota()))  # fmt: skip
    explorer = make_explorer(client_with_clock, POSTS, grouping="type (posts together)")
    clock_with_action.action = explorer.cancel.click
    press_fetch(explorer)
    with pytest.raises(ep.FrameError, match="only 1 of 2 requests were answered"):
        _ = explorer.counts
    assert "each count is a sum over all of them" in explorer.status.html


def test_a_partial_sum_over_windows_is_an_error(
    make_explorer: MakeExplorer,
    server: ScriptedServer,
    client_with_clock: Any,
    clock_with_action: ClockWithAction,
) -> None:
    """The count over 40 days is the sum of two windows."""
    edges = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-13T00:00:00Z"}
    server.answer(Scripted(body=totals_of(["7", "8"]) | edges, headers=exhausted_quota()))
    explorer = make_explorer(
        client_with_clock, ["7", "8"], endpoint=Endpoint.HISTORICAL, grouping="post and type",
        first=date(2026, 3, 1), last=date(2026, 4, 9),
    )  # fmt: skip
    clock_with_action.action = explorer.cancel.click
    press_fetch(explorer)
    with pytest.raises(ep.FrameError, match="only 1 of 2 requests"):
        _ = explorer.counts


@pytest.mark.slow
def test_the_form_is_locked_while_fetching(
    make_explorer: MakeExplorer,
    server: ScriptedServer,
    client_with_clock: Any,
    clock_with_action: ClockWithAction,
) -> None:
    """Cancel is enabled, and the status has the progress and the wait."""
    seen: dict[str, Any] = {}

    def inspect_page() -> None:
        seen["locked"] = {name: control.disabled for name, control in explorer.controls.items()}
        seen["start"], seen["cancel"] = explorer.start.disabled, explorer.cancel.disabled
        seen["bar"] = explorer.bar.value, explorer.bar.max, explorer.bar.layout.visibility
        seen["status"] = explorer.status.html
        with pytest.raises(ep.RequestError, match="is running"):
            explorer.fetch()

    server.answer(
        Scripted(body=totals_of(POSTS[:250]), headers=exhausted_quota()),
        Scripted(body=totals_of(POSTS[250:])),
    )
    explorer = make_explorer(client_with_clock, POSTS)
    clock_with_action.action = inspect_page
    press_fetch(explorer)
    assert set(seen["locked"].values()) == {True}
    assert seen["start"] is True
    assert seen["cancel"] is False
    assert seen["bar"] == (1, 2, "visible")
    assert seen["status"] == "1 of 2 requests settled; waiting 60 s for the quota"
    assert not any(control.disabled for control in explorer.controls.values())
    assert explorer.cancel.disabled
    assert explorer.bar.layout.visibility == "hidden"


@pytest.mark.slow
def test_a_refusal_keeps_earlier_responses(
    make_explorer: MakeExplorer, server: ScriptedServer, client: ep.EngagementClient
) -> None:
    """The alert has the API's message, escaped."""
    server.answer(
        Scripted(body=totals_of(POSTS[:250])), Scripted(400, {"errors": ["<b>no</b> such thing"]})
    )
    explorer = press_fetch(make_explorer(client, POSTS))
    assert "&lt;b&gt;no&lt;/b&gt; such thing" in explorer.alert.html
    assert explorer.status.html.startswith("1 of 2 requests settled")
    assert len(explorer.counts) == 500
    assert not explorer.start.disabled


def test_a_refused_first_request_has_no_results(
    make_explorer: MakeExplorer, server: ScriptedServer, client: ep.EngagementClient
) -> None:
    """The alert has the API's message."""
    server.answer(Scripted(401, {"errors": ["could not be authenticated"]}))
    explorer = press_fetch(make_explorer(client, POSTS[:2]))
    assert "could not be authenticated" in explorer.alert.html
    with pytest.raises(ep.FrameError, match="there are no responses"):
        _ = explorer.counts


@pytest.mark.slow
def test_an_invalid_response_has_an_alert(
    make_explorer: MakeExplorer, server: ScriptedServer, client: ep.EngagementClient
) -> None:
    """It is requested again, and then reported."""
    invalid = Scripted(body={"counts": {POSTS[0]: {"impressions": "many"}}})
    server.answer(*[invalid] * retries.MAX_ATTEMPTS)
    explorer = press_fetch(make_explorer(client, POSTS[:1]))
    assert "many" in explorer.alert.html
    assert list(explorer.responses) == []
    assert not explorer.start.disabled


def first_rows(explorer: ep.FetchExplorer, cells: Any) -> list[list[str]]:
    """Return the table of the first counts."""
    rows: list[list[str]] = cells(explorer.first.html)
    return rows


@pytest.mark.slow
def test_the_first_counts_and_a_chart_are_shown(
    make_explorer: MakeExplorer, server: ScriptedServer, client: ep.EngagementClient, cells: Any
) -> None:
    """There are ten of 40 counts, a chart of the posts, and its code."""
    server.answer(Scripted(body=totals_of(POSTS[:20])))
    explorer = make_explorer(client, POSTS[:20])
    assert explorer.chart.html == explorer.first.html == ""
    press_fetch(explorer)
    rows = first_rows(explorer, cells)
    assert rows[:2] == [[POSTS[0], "impressions", "5"], [POSTS[0], "engagements", "1"]]
    assert len(rows) == 10
    assert "The first 10 of 40 known counts" in explorer.first.html
    assert f'data-gid="{POSTS[0]}"' in explorer.chart.html
    assert explorer.code.endswith('ax = ep.plot_top_posts(counts, by="impressions")\n')
    assert explorer.status.html.endswith("40 counts in explorer.counts")
    first_code = explorer.code
    server.answer(Scripted(body=totals_of(POSTS[:20])))
    assert press_fetch(explorer).code == first_code


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
    make_explorer: MakeExplorer, endpoint: Endpoint, grouping: str, plot: str
) -> None:
    """The code draws it too."""
    with ep.demo_client(now=NOW) as demo:
        explorer = press_fetch(
            make_explorer(demo.client, demo.posts, endpoint=endpoint, grouping=grouping)
        )
        assert explorer.chart.html.startswith("<svg")
        assert explorer.alert.html == ""
        assert f"ax = ep.{plot}(counts" in explorer.code


@pytest.mark.slow
def test_the_code_has_the_users_variables(
    make_explorer: MakeExplorer,
    server: ScriptedServer,
    client: ep.EngagementClient,
    monkeypatch: Any,
) -> None:
    """The status has them too."""
    server.answer(Scripted(body=totals_of(POSTS[:2])))
    variables: dict[str, Any] = {"_": client, "mine": client}
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns=variables))
    variables["asking"] = explorer = make_explorer(client, POSTS[:2])
    press_fetch(explorer)
    assert "responses = mine.fetch(request)" in explorer.code
    assert explorer.status.html.endswith("4 counts in asking.counts")


def test_the_code_has_the_client_of_the_demo(make_explorer: MakeExplorer, monkeypatch: Any) -> None:
    """It is an attribute of a variable."""
    with ep.demo_client(now=NOW) as demo:
        monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns={"d": demo}))
        assert "responses = d.client.fetch(request)" in make_explorer(demo.client, POSTS[:2]).code


@pytest.mark.slow
def test_omissions_are_escaped(
    make_explorer: MakeExplorer, server: ScriptedServer, client: ep.EngagementClient
) -> None:
    """Messages of the API may contain any text."""
    response = {**totals_of(POSTS[:1]), "unavailable_tweet_ids": POSTS[1:2],
            "errors": ["1 Tweet ID(s) are unavailable <script>"]}  # fmt: skip
    server.answer(Scripted(body=response))
    explorer = press_fetch(make_explorer(client, POSTS[:2]))
    assert "unavailable &lt;script&gt;" in explorer.table.html
    assert f'status/{POSTS[1]}" target="_blank" rel="noopener noreferrer"' in explorer.table.html


@pytest.mark.slow
def test_the_code_makes_the_same_request(
    make_explorer: MakeExplorer, client: ep.EngagementClient
) -> None:
    """Every endpoint and grouping is tried."""
    for endpoint in Endpoint:
        explorer = make_explorer(client, POSTS[:30], endpoint=endpoint)
        for grouping in options_of(explorer, "grouping"):
            explorer.controls["grouping"].value = grouping
            setup = explorer.code[: explorer.code.index("responses =")]
            variables: dict[str, Any] = {}
            exec(setup, variables)  # noqa: S102 - the test is that it runs
            assert variables["request"] == explorer.request


@pytest.mark.slow
def test_counts_may_be_exported(
    make_explorer: MakeExplorer, server: ScriptedServer, client: ep.EngagementClient, tmp_path: Path
) -> None:
    """The file reads back equal."""
    server.answer(Scripted(body=totals_of(POSTS[:2])))
    explorer = press_fetch(make_explorer(client, POSTS[:2]))
    explorer.export.file.value = str(tmp_path / "counts.parquet")
    explorer.export.button.click()
    assert explorer.status.html.startswith("Exported 4 rows to ")
    pd.testing.assert_frame_equal(ep.read_parquet(tmp_path / "counts.parquet"), explorer.counts)


@pytest.mark.slow
def test_closing_cancels_the_fetch(
    make_explorer: MakeExplorer,
    server: ScriptedServer,
    client_with_clock: Any,
    clock_with_action: ClockWithAction,
) -> None:
    """No more requests are sent."""
    server.answer(Scripted(body=totals_of(POSTS[:250]), headers=exhausted_quota()))
    explorer = make_explorer(client_with_clock, POSTS)
    clock_with_action.action = explorer.close
    press_fetch(explorer)
    assert len(server.seen) == 1


def test_closing_removes_all_widgets(
    client: ep.EngagementClient, widgets: Callable[[], set[str]]
) -> None:
    """Closing twice has no effect."""
    before = widgets()
    explorer = ep.FetchExplorer(client, POSTS)
    assert widgets() > before
    explorer.close()
    explorer.close()
    assert widgets() == before


def test_a_notebook_without_a_kernel_shows_the_plan(
    make_explorer: MakeExplorer, client: ep.EngagementClient, display_bundle: Any
) -> None:
    """The HTML is stored with the output."""
    bundle = display_bundle(make_explorer(client, POSTS))
    assert "2 requests" in bundle["text/html"]
    assert bundle["text/plain"].startswith("FetchExplorer(2 requests for 300 posts")
