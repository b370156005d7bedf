"""The API where the environment has credentials, the demo where it has none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import engagement_pandas as ep
from engagement_pandas.auth.credentials import VARIABLES
from engagement_pandas.cli import main
from engagement_pandas.sandbox import SandboxServer

NOW = "2026-04-15T12:20:00Z"
OURS = (*VARIABLES.values(), "X_BASE_URL", "X_TOKEN_URL", "X_POSTS", "X_HANDLE", "X_LOGIN_URL")


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away whatever credentials this process has, and go to an empty folder."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.replace("X_", "TWITTER_", 1), raising=False)
    monkeypatch.setenv("X_ACCOUNTS", str(tmp_path / "accounts.json"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Run a server in the place of the API, at the present."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def _live(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the keys and the address of that server into the environment."""
    keys = sandbox.keys()
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, getattr(keys, name))
    monkeypatch.setenv("X_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("X_TOKEN_URL", sandbox.token_url)


def written(server: SandboxServer, path: Path, number: int = 5) -> list[str]:
    """Write a file of posts, the newest first, and return their IDs oldest first."""
    posts = server.world.posts()[-number:]
    rows = [f'{post.post_id},"{post.text}"' for post in reversed(posts)]
    path.write_text("\n".join(["post_id,text", *rows]), encoding="utf-8")
    return [post.post_id for post in posts]


def test_without_credentials_it_is_the_demo() -> None:
    """The same posts, a client that is let in, and a repr that says what the counts are."""
    with ep.connect(demo_now=NOW, demo_posts=12) as made, ep.demo_client(NOW, posts=12) as demo:
        pd.testing.assert_frame_equal(made.posts, demo.posts)
        request = ep.totals(made.posts, engagement_types=["favorites"])
        assert ep.flatten(made.client.fetch(request))["count"].sum() > 0
        assert ep.flatten(made.public.fetch(request))["count"].sum() > 0
        assert repr(made) == (
            "Connection(demo, no credentials in the environment; 12 posts of the sandbox; "
            "all counts are synthetic)"
        )
        assert "synthetic" in made.source
        assert made.base_url.startswith("http://127.0.0.1:")


def test_a_picture_says_whose_counts_it_shows() -> None:
    """Below it, once, however often it is said."""
    figure = Figure()
    ax = figure.subplots()
    with ep.connect(demo_now=NOW, demo_posts=10) as made:
        made.cite(ax)
        made.cite(ax)
    assert [text.get_text() for text in figure.texts] == ["Counts: synthetic, from the sandbox"]


def test_the_demo_ends_at_a_whole_hour() -> None:
    """So that a window which reaches up to it is not in the future."""
    with ep.connect(demo_now=NOW) as made:
        assert made.until == datetime(2026, 4, 15, 12, tzinfo=UTC)
        window = ep.Window.covering("2026-04-10", made.until)
        request = ep.historical(
            made.posts.tail(3), engagement_types=["favorites"], window=window, by=ep.BY_POST
        )
        assert made.client.fetch(request)


@pytest.mark.usefixtures("_live")
def test_with_credentials_it_is_live(sandbox: SandboxServer, tmp_path: Path) -> None:
    """The posts of the file, oldest first, asked at the address in the environment."""
    ids = written(sandbox, tmp_path / "posts.csv")
    with ep.connect(demo_now=NOW, demo_posts=12) as made:
        assert made.posts["post_id"].to_list() == ids
        request = ep.totals(made.posts, engagement_types=["favorites"])
        for client in (made.client, made.public):
            assert set(ep.flatten(client.fetch(request))["post_id"]) <= set(ids)
        assert len(sandbox.requests) == 2
        assert timedelta() <= datetime.now(UTC) - made.until < timedelta(hours=1, minutes=1)


@pytest.mark.usefixtures("_live")
def test_a_loopback_server_is_not_x(sandbox: SandboxServer, tmp_path: Path) -> None:
    """Neither the repr nor the source passes its counts off as real, or shows a key."""
    written(sandbox, tmp_path / "posts.csv")
    with ep.connect() as made:
        assert repr(made) == (
            f"Connection(live at {sandbox.base_url}; 5 posts from posts.csv; "
            "counts from a server on this machine, not X)"
        )
        assert made.source == "Counts: a server on this machine, not X"


def test_the_api_itself_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address in the environment it is X; nothing is sent yet, no secret shown."""
    (tmp_path / "posts.csv").write_text("post_id\n1060976163948904448\n")
    for variable in list(VARIABLES.values())[:4]:
        monkeypatch.setenv(variable.replace("X_", "TWITTER_", 1), f"a-secret-{variable}")
    with ep.connect() as made:
        assert repr(made) == (
            "Connection(live at https://data-api.twitter.com; 1 post from posts.csv; "
            "counts from X, Engagement API at data-api.twitter.com)"
        )
        assert made.base_url == "https://data-api.twitter.com"
        assert "a-secret" not in repr(made) + repr(made.client) + made.source


@pytest.mark.usefixtures("_live")
def test_live_with_an_owner_who_has_logged_in(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without tokens in the environment: the only account's, or those of X_HANDLE."""
    monkeypatch.delenv("X_ACCESS_TOKEN")
    monkeypatch.delenv("X_ACCESS_TOKEN_SECRET")
    monkeypatch.setenv("X_LOGIN_URL", sandbox.login_url)
    ids = [post.post_id for post in sandbox.world.posts("sandbox_railway")[-5:]]
    (tmp_path / "posts.csv").write_text("\n".join(["post_id", *ids]))
    told: list[str] = []

    def counted() -> int:
        with ep.connect() as made:
            request = ep.totals(made.posts, engagement_types=["engagements"])
            return len(ep.flatten(made.client.fetch(request)))

    ep.login(
        ask=lambda _: sandbox.authorise(told[-1].split()[-1], "sandbox_railway"), tell=told.append
    )
    assert counted() > 0
    ep.login(ask=lambda _: sandbox.authorise(told[-1].split()[-1]), tell=told.append)
    with pytest.raises(ep.MissingCredentials, match="@sandbox_bakery, @sandbox_railway"):
        ep.connect()
    monkeypatch.setenv("X_HANDLE", "Sandbox_Bakery")
    assert counted() == 0
    monkeypatch.setenv("X_HANDLE", "sandbox_railway")
    assert counted() > 0


@pytest.mark.usefixtures("_live")
@pytest.mark.parametrize("rows", ["post_id\n7\n", "post_id,handle\n7,sandbox_bakery\n"])
def test_an_app_alone_is_not_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str
) -> None:
    """Nobody has logged in: there are no tokens, whether a file tells of handles or not."""
    monkeypatch.delenv("X_ACCESS_TOKEN")
    monkeypatch.delenv("X_ACCESS_TOKEN_SECRET")
    (tmp_path / "posts.csv").write_text(rows)
    with pytest.raises(ep.MissingCredentials, match=r"engagement-pandas login"):
        ep.connect()


@pytest.mark.parametrize("variable", VARIABLES.values())
def test_half_of_the_credentials_are_not_the_demo(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever set one meant to go live: synthetic counts would deceive them."""
    monkeypatch.setenv(variable, "a-key")
    with pytest.raises(ep.MissingCredentials, match=r"X_ACCESS_TOKEN.*unset all of them") as caught:
        ep.connect()
    assert variable not in caught.value.variables
    assert caught.value.variables


@pytest.mark.usefixtures("_live")
def test_credentials_without_posts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which file, and how else to name one."""
    with pytest.raises(FileNotFoundError, match=r"posts\.csv.*post_id.*X_POSTS"):
        ep.connect()
    monkeypatch.setenv("X_POSTS", "mine.txt")
    with pytest.raises(FileNotFoundError, match=r"mine\.txt"):
        ep.connect()


@pytest.mark.usefixtures("_live")
def test_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container: tokens in the environment are all it takes to connect."""

    def homeless() -> Path:
        msg = "Could not determine home directory."
        raise RuntimeError(msg)

    monkeypatch.setattr(Path, "home", homeless)
    for name in ("X_ACCOUNTS", "X_LEDGER", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "posts.csv").write_text("post_id\n7\n")
    with ep.connect() as made:
        assert "live at" in repr(made)


@pytest.mark.usefixtures("_live")
def test_which_file_of_posts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed comes before the environment, and that before posts.csv."""
    for number, name in enumerate(["posts.csv", "theirs.txt", "mine.jsonl"], 1):
        (tmp_path / name).write_text(f"post_id\n{number}\n" if number == 1 else f"{number}\n")
    assert ep.connect().posts["post_id"].to_list() == ["1"]
    monkeypatch.setenv("X_POSTS", "theirs.txt")
    assert ep.connect().posts["post_id"].to_list() == ["2"]
    assert ep.connect("mine.jsonl").posts["post_id"].to_list() == ["3"]


@pytest.mark.usefixtures("_live")
@pytest.mark.parametrize(("ending", "comma"), [("csv", ","), ("tsv", "\t"), ("TSV", "\t")])
def test_what_a_table_says_of_posts(tmp_path: Path, ending: str, comma: str) -> None:
    """Handle and text are taken over, IDs stay text; times come from the IDs."""
    rows = [
        ["text", "post_id", "created_at", "likes"],
        ["second", " 1060976163948904448 ", "never", "7"],
        ["again", "1060976163948904448", "never", "7"],
        ["first", "0020", "never", "7"],
    ]
    path = tmp_path / f"mine.{ending}"
    path.write_text("\ufeff" + "\n".join(comma.join(row) for row in rows), encoding="utf-8")
    posts = ep.connect(path).posts
    assert posts["post_id"].to_list() == ["0020", "1060976163948904448"]
    assert posts["text"].to_list() == ["first", "second"]
    assert posts["created_at"].isna().to_list() == [True, False]
    assert str(posts["created_at"][1]) == "2018-11-09 19:23:24.126000+00:00"
    assert {name: str(dtype) for name, dtype in posts.dtypes.items()} == {
        "post_id": "str",
        "text": "str",
        "created_at": "datetime64[us, UTC]",
    }


@pytest.mark.usefixtures("_live")
def test_ids_that_are_none(tmp_path: Path) -> None:
    """As everywhere: an ID that was a float is refused."""
    (tmp_path / "posts.csv").write_text("post_id\n1.06e18\n")
    with pytest.raises(ep.InvalidPostId, match="was a float"):
        ep.connect()


@pytest.mark.usefixtures("_live")
@pytest.mark.parametrize("variable", ["X_BASE_URL", "X_TOKEN_URL"])
def test_keys_go_to_https_or_this_machine(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another address is refused before anything is read or sent."""
    (tmp_path / "posts.csv").write_text("post_id\n7\n")
    monkeypatch.setenv(variable, "http://data-api.twitter.com")
    with pytest.raises(ep.RequestError, match="not an https URL"):
        ep.connect()


def test_the_demo_lends_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the block the environment is the sandbox's, and after an error as before."""
    with ep.connect(demo_posts=10) as made:
        monkeypatch.setenv("X_TOKEN_URL", "https://example.org/token")
        before = dict(os.environ)
        with made.environment():
            assert os.environ["X_BASE_URL"] == made.base_url
            assert os.environ["X_LOGIN_URL"] == f"{made.base_url}/oauth"
            assert ep.Accounts().handles == ("sandbox_bakery",)
            client = ep.EngagementClient(ep.UserContext.from_env(), base_url=made.base_url)
            request = ep.totals(made.posts["post_id"].tail(1), engagement_types=["favorites"])
            assert client.fetch(request)[0].status in {200, 403}
        assert dict(os.environ) == before
        with contextlib.suppress(RuntimeError), made.environment():
            raise RuntimeError
        assert dict(os.environ) == before


def test_a_demo_that_stands_still_lends_none() -> None:
    """The command line signs by the real clock, and would be refused as too late."""
    with (
        ep.connect(demo_now=NOW) as made,
        pytest.raises(ValueError, match="fixed time"),
        made.environment(),
    ):
        pass


@pytest.mark.usefixtures("_live")
def test_live_there_is_nothing_to_lend(sandbox: SandboxServer, tmp_path: Path) -> None:
    """The environment has them."""
    written(sandbox, tmp_path / "posts.csv")
    before = dict(os.environ)
    with ep.connect() as made, made.environment():
        assert dict(os.environ) == before


def test_closing_twice_is_harmless() -> None:
    """And the demo's server is closed with it."""
    made = ep.connect(demo_posts=10)
    made.close()
    made.close()


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a ledger of somebody's own that has room for nobody else."""
    path = tmp_path / "ledger.jsonl"
    monkeypatch.setenv("X_LEDGER", str(path))
    monkeypatch.setenv("X_HANDLE_LIMIT", "1")
    ep.Ledger.from_env().record("a_customer")
    return path


@pytest.mark.slow
def test_the_demo_lends_a_ledger_and_accounts(full: Path, tmp_path: Path) -> None:
    """Who pays for one handle may try it, and what it notes is not in their files."""
    before = full.read_bytes()
    with ep.connect(demo_posts=10) as made, made.environment():
        post = made.posts["post_id"].iloc[-1]
        assert main(["totals", post, "--types", "replies", "--out", str(tmp_path / "a.csv")]) == 0
        lent = ep.Ledger.from_env()
        assert lent.limit is None
        assert len(lent.handles()) == 1
        told: list[str] = []
        server = made._demo.server if made._demo else None
        assert server is not None
        ep.login(ask=lambda _: server.authorise(told[-1].split()[-1]), tell=told.append)
        assert [account.handle for account in ep.Accounts()] == ["sandbox_bakery"]
    assert full.read_bytes() == before
    assert not (tmp_path / "accounts.json").exists()
    assert not lent.path.parent.exists()


@pytest.mark.slow
def test_the_demo_notes_nobody(full: Path, tmp_path: Path) -> None:
    """Neither its own clients nor the command look at anybody's ledger."""
    before = full.read_bytes()
    with ep.connect(demo_posts=10) as made:
        request = ep.totals(made.posts["post_id"], engagement_types=["impressions"])
        assert made.client.fetch(request)
    assert main(["demo", str(tmp_path / "demo")]) == 0
    assert full.read_bytes() == before
