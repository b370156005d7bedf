"""A connection to the API if the environment has credentials, or else to the demo."""

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
from engagement_pandas.frame.contract import dtype_name
from engagement_pandas.sandbox import SandboxServer

NOW = "2026-04-15T12:20:00Z"
VARIABLES_READ = (
    *VARIABLES.values(),
    "X_BASE_URL",
    "X_TOKEN_URL",
    "X_POSTS",
    "X_HANDLE",
    "X_LOGIN_URL",
)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove all credentials from the environment, and go to an empty folder."""
    for name in VARIABLES_READ:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.replace("X_", "TWITTER_", 1), raising=False)
    monkeypatch.setenv("X_ACCOUNTS", str(tmp_path / "accounts.json"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Run a sandbox with the real clock in place of the API."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def _live_environment(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment to that server's keys and addresses."""
    keys = sandbox.keys()
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, getattr(keys, name))
    monkeypatch.setenv("X_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("X_TOKEN_URL", sandbox.token_url)


def write_posts(server: SandboxServer, path: Path, number: int = 5) -> list[str]:
    """Write a file of posts, the newest first, and return their IDs oldest first."""
    posts = server.world.posts()[-number:]
    rows = [f'{post.post_id},"{post.text}"' for post in reversed(posts)]
    path.write_text("\n".join(["post_id,text", *rows]), encoding="utf-8")
    return [post.post_id for post in posts]


def test_without_credentials_the_demo_is_connected() -> None:
    """Its posts are the demo's, its clients work, and its repr calls the counts synthetic."""
    with (
        ep.connect(demo_now=NOW, demo_posts=12) as connection,
        ep.demo_client(NOW, posts=12) as demo,
    ):
        pd.testing.assert_frame_equal(connection.posts, demo.posts)
        request = ep.totals(connection.posts, engagement_types=["favorites"])
        assert ep.flatten(connection.client.fetch(request))["count"].sum() > 0
        assert ep.flatten(connection.public.fetch(request))["count"].sum() > 0
        assert repr(connection) == (
            "Connection(demo, no credentials in the environment; 12 posts of the sandbox; "
            "all counts are synthetic)"
        )
        assert "synthetic" in connection.source
        assert connection.base_url.startswith("http://127.0.0.1:")


def test_a_picture_cites_the_source_of_its_counts() -> None:
    """The source is written below the picture once, also if `cite` is called again."""
    figure = Figure()
    ax = figure.subplots()
    with ep.connect(demo_now=NOW, demo_posts=10) as connection:
        connection.cite(ax)
        connection.cite(ax)
    assert [text.get_text() for text in figure.texts] == ["Counts: synthetic, from the sandbox"]


def test_the_demo_ends_at_a_full_hour() -> None:
    """So a window that ends there is not in the future."""
    with ep.connect(demo_now=NOW) as connection:
        assert connection.until == datetime(2026, 4, 15, 12, tzinfo=UTC)
        window = ep.Window.covering("2026-04-10", connection.until)
        request = ep.historical(
            connection.posts.tail(3), engagement_types=["favorites"], window=window, by=ep.BY_POST
        )
        assert connection.client.fetch(request)


@pytest.mark.usefixtures("_live_environment")
def test_with_credentials_the_api_is_connected(sandbox: SandboxServer, tmp_path: Path) -> None:
    """The posts of the file, oldest first, are requested at the URL in the environment."""
    ids = write_posts(sandbox, tmp_path / "posts.csv")
    with ep.connect(demo_now=NOW, demo_posts=12) as connection:
        assert connection.posts["post_id"].to_list() == ids
        request = ep.totals(connection.posts, engagement_types=["favorites"])
        for client in (connection.client, connection.public):
            assert set(ep.flatten(client.fetch(request))["post_id"]) <= set(ids)
        assert len(sandbox.requests) == 2
        assert timedelta() <= datetime.now(UTC) - connection.until < timedelta(hours=1, minutes=1)


@pytest.mark.usefixtures("_live_environment")
def test_a_loopback_server_is_not_cited_as_x(sandbox: SandboxServer, tmp_path: Path) -> None:
    """Neither the repr nor the source calls its counts real, or shows a key."""
    write_posts(sandbox, tmp_path / "posts.csv")
    with ep.connect() as connection:
        assert repr(connection) == (
            f"Connection(live at {sandbox.base_url}; 5 posts from posts.csv; "
            "counts from a server on this machine, not X)"
        )
        assert connection.source == "Counts: a server on this machine, not X"


def test_x_is_cited_by_its_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a URL in the environment it is X; nothing is sent yet, and no secret is shown."""
    (tmp_path / "posts.csv").write_text("post_id\n1060976163948904448\n")
    for variable in list(VARIABLES.values())[:4]:
        monkeypatch.setenv(variable.replace("X_", "TWITTER_", 1), f"a-secret-{variable}")
    with ep.connect() as connection:
        assert repr(connection) == (
            "Connection(live at https://data-api.twitter.com; 1 post from posts.csv; "
            "counts from X, Engagement API at data-api.twitter.com)"
        )
        assert connection.base_url == "https://data-api.twitter.com"
        assert "a-secret" not in repr(connection) + repr(connection.client) + connection.source


@pytest.mark.usefixtures("_live_environment")
def test_a_connection_uses_stored_accounts(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without tokens in the environment, it uses the only account or that of X_HANDLE."""
    monkeypatch.delenv("X_ACCESS_TOKEN")
    monkeypatch.delenv("X_ACCESS_TOKEN_SECRET")
    monkeypatch.setenv("X_LOGIN_URL", sandbox.login_url)
    ids = [post.post_id for post in sandbox.world.posts("sandbox_railway")[-5:]]
    (tmp_path / "posts.csv").write_text("\n".join(["post_id", *ids]))
    messages: list[str] = []

    def number_of_counts() -> int:
        with ep.connect() as connection:
            request = ep.totals(connection.posts, engagement_types=["engagements"])
            return len(ep.flatten(connection.client.fetch(request)))

    ep.login(
        ask=lambda _: sandbox.authorise(messages[-1].split()[-1], "sandbox_railway"),
        tell=messages.append,
    )
    assert number_of_counts() > 0
    ep.login(ask=lambda _: sandbox.authorise(messages[-1].split()[-1]), tell=messages.append)
    with pytest.raises(ep.MissingCredentials, match="@sandbox_bakery, @sandbox_railway"):
        ep.connect()
    monkeypatch.setenv("X_HANDLE", "Sandbox_Bakery")
    assert number_of_counts() == 0
    monkeypatch.setenv("X_HANDLE", "sandbox_railway")
    assert number_of_counts() > 0


@pytest.mark.usefixtures("_live_environment")
@pytest.mark.parametrize("rows", ["post_id\n7\n", "post_id,handle\n7,sandbox_bakery\n"])
def test_an_app_without_tokens_is_not_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: str
) -> None:
    """If no owner has logged in there are no tokens, with or without handles in the file."""
    monkeypatch.delenv("X_ACCESS_TOKEN")
    monkeypatch.delenv("X_ACCESS_TOKEN_SECRET")
    (tmp_path / "posts.csv").write_text(rows)
    with pytest.raises(ep.MissingCredentials, match=r"engagement-pandas login"):
        ep.connect()


@pytest.mark.parametrize("variable", VARIABLES.values())
def test_incomplete_credentials_do_not_start_the_demo(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one variable set, synthetic counts would be mistaken for real ones."""
    monkeypatch.setenv(variable, "a-key")
    with pytest.raises(ep.MissingCredentials, match=r"X_ACCESS_TOKEN.*unset all of them") as caught:
        ep.connect()
    assert variable not in caught.value.variables
    assert caught.value.variables


@pytest.mark.usefixtures("_live_environment")
def test_credentials_without_a_file_of_posts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the missing file, and the variable that names another."""
    with pytest.raises(FileNotFoundError, match=r"posts\.csv.*post_id.*X_POSTS"):
        ep.connect()
    monkeypatch.setenv("X_POSTS", "mine.txt")
    with pytest.raises(FileNotFoundError, match=r"mine\.txt"):
        ep.connect()


@pytest.mark.usefixtures("_live_environment")
def test_a_connection_without_a_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container, tokens in the environment are enough to connect."""

    def no_home() -> Path:
        msg = "Could not determine home directory."
        raise RuntimeError(msg)

    monkeypatch.setattr(Path, "home", no_home)
    for name in ("X_ACCOUNTS", "X_LEDGER", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "posts.csv").write_text("post_id\n7\n")
    with ep.connect() as connection:
        assert "live at" in repr(connection)


@pytest.mark.usefixtures("_live_environment")
def test_the_order_of_the_files_of_posts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument goes before X_POSTS, and X_POSTS before posts.csv."""
    for number, name in enumerate(["posts.csv", "theirs.txt", "mine.jsonl"], 1):
        (tmp_path / name).write_text(f"post_id\n{number}\n" if number == 1 else f"{number}\n")
    assert ep.connect().posts["post_id"].to_list() == ["1"]
    monkeypatch.setenv("X_POSTS", "theirs.txt")
    assert ep.connect().posts["post_id"].to_list() == ["2"]
    assert ep.connect("mine.jsonl").posts["post_id"].to_list() == ["3"]


@pytest.mark.usefixtures("_live_environment")
@pytest.mark.parametrize(("ending", "separator"), [("csv", ","), ("tsv", "\t"), ("TSV", "\t")])
def test_columns_of_a_table_of_posts(tmp_path: Path, ending: str, separator: str) -> None:
    """Handle and text are kept, IDs stay text, and times come from the IDs."""
    rows = [
        ["text", "post_id", "created_at", "likes"],
        ["second", " 1060976163948904448 ", "never", "7"],
        ["again", "1060976163948904448", "never", "7"],
        ["first", "0020", "never", "7"],
    ]
    path = tmp_path / f"mine.{ending}"
    path.write_text("\ufeff" + "\n".join(separator.join(row) for row in rows), encoding="utf-8")
    posts = ep.connect(path).posts
    assert posts["post_id"].to_list() == ["0020", "1060976163948904448"]
    assert posts["text"].to_list() == ["first", "second"]
    assert posts["created_at"].isna().to_list() == [True, False]
    assert str(posts["created_at"][1]) == "2018-11-09 19:23:24.126000+00:00"
    assert posts.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "text": "str",
        "created_at": "datetime64[us, UTC]",
    }


@pytest.mark.usefixtures("_live_environment")
def test_damaged_ids_are_refused(tmp_path: Path) -> None:
    """An ID that was a float is refused, as everywhere."""
    (tmp_path / "posts.csv").write_text("post_id\n1.06e18\n")
    with pytest.raises(ep.InvalidPostId, match="was a float"):
        ep.connect()


@pytest.mark.usefixtures("_live_environment")
@pytest.mark.parametrize("variable", ["X_BASE_URL", "X_TOKEN_URL"])
def test_urls_are_https_or_loopback(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other URL is refused before anything is read or sent."""
    (tmp_path / "posts.csv").write_text("post_id\n7\n")
    monkeypatch.setenv(variable, "http://data-api.twitter.com")
    with pytest.raises(ep.RequestError, match="not an https URL"):
        ep.connect()


def test_the_demo_lends_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside the block the environment is the sandbox's; at its end it is restored."""
    with ep.connect(demo_posts=10) as connection:
        monkeypatch.setenv("X_TOKEN_URL", "https://example.org/token")
        before = dict(os.environ)
        with connection.environment():
            assert os.environ["X_BASE_URL"] == connection.base_url
            assert os.environ["X_LOGIN_URL"] == f"{connection.base_url}/oauth"
            assert ep.Accounts().handles == ("sandbox_bakery",)
            client = ep.EngagementClient(ep.UserContext.from_env(), base_url=connection.base_url)
            request = ep.totals(connection.posts["post_id"].tail(1), engagement_types=["favorites"])
            assert client.fetch(request)[0].status in {200, 403}
        assert dict(os.environ) == before
        with contextlib.suppress(RuntimeError), connection.environment():
            raise RuntimeError
        assert dict(os.environ) == before


def test_a_demo_at_a_fixed_time_lends_no_environment() -> None:
    """The command line signs with the real clock, and would be refused."""
    with (
        ep.connect(demo_now=NOW) as connection,
        pytest.raises(ep.RequestError, match="fixed time"),
        connection.environment(),
    ):
        pass


@pytest.mark.usefixtures("_live_environment")
def test_a_live_connection_changes_no_environment(sandbox: SandboxServer, tmp_path: Path) -> None:
    """The environment has the credentials already."""
    write_posts(sandbox, tmp_path / "posts.csv")
    before = dict(os.environ)
    with ep.connect() as connection, connection.environment():
        assert dict(os.environ) == before


def test_closing_twice_is_harmless() -> None:
    """The demo's server is closed too."""
    connection = ep.connect(demo_posts=10)
    connection.close()
    connection.close()


@pytest.fixture
def full_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's own ledger, which has reached its limit."""
    path = tmp_path / "ledger.jsonl"
    monkeypatch.setenv("X_LEDGER", str(path))
    monkeypatch.setenv("X_HANDLE_LIMIT", "1")
    ep.Ledger.from_env().record("a_customer")
    return path


@pytest.mark.slow
def test_the_demo_has_its_own_ledger_and_accounts(full_ledger: Path, tmp_path: Path) -> None:
    """The demo works with a full ledger, and changes no file of the user."""
    before = full_ledger.read_bytes()
    with ep.connect(demo_posts=10) as connection, connection.environment():
        post = connection.posts["post_id"].iloc[-1]
        assert main(["totals", post, "--types", "replies", "--out", str(tmp_path / "a.csv")]) == 0
        ledger = ep.Ledger.from_env()
        assert ledger.limit is None
        assert len(ledger.handles()) == 1
        messages: list[str] = []
        server = connection._demo.server if connection._demo else None
        assert server is not None
        ep.login(ask=lambda _: server.authorise(messages[-1].split()[-1]), tell=messages.append)
        assert [account.handle for account in ep.Accounts()] == ["sandbox_bakery"]
    assert full_ledger.read_bytes() == before
    assert not (tmp_path / "accounts.json").exists()
    assert not ledger.path.parent.exists()


@pytest.mark.slow
def test_the_demo_does_not_use_the_users_ledger(full_ledger: Path, tmp_path: Path) -> None:
    """Neither its clients nor its command read it."""
    before = full_ledger.read_bytes()
    with ep.connect(demo_posts=10) as connection:
        request = ep.totals(connection.posts["post_id"], engagement_types=["impressions"])
        assert connection.client.fetch(request)
    assert main(["demo", str(tmp_path / "demo")]) == 0
    assert full_ledger.read_bytes() == before
