"""The accounts that authorised the app, in the user's own file, the keyring and the environment."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keyring
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from support import processes

import engagement_pandas as ep
from engagement_pandas.cli import main
from engagement_pandas.files import atomic_write as files

AT = datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
APP = ep.Consumer("consumer-key", "consumer-secret")
ENV = {"X_CONSUMER_KEY": "consumer-key", "X_CONSUMER_SECRET": "consumer-secret"}
TOKENS = {"X_ACCESS_TOKEN": "9-env", "X_ACCESS_TOKEN_SECRET": "env-secret"}


def account(handle: str = "bakery", user_id: str = "9", **changes: Any) -> ep.Account:
    """Return an account whose tokens contain its handle."""
    fields = {
        "app": APP.app,
        "added_at": AT,
        "access_token": f"{user_id}-{handle}",
        "access_token_secret": f"{handle}-secret",
    }
    return ep.Account(handle, user_id, **(fields | changes))


class Memory(KeyringBackend):
    """A keyring in memory, which can be locked."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def _open(self) -> None:
        if self.locked:
            msg = f"locked, with {self.held}"
            raise keyring.errors.KeyringLocked(msg)

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if (service, username) not in self.held:
            raise keyring.errors.PasswordDeleteError
        del self.held[service, username]


@pytest.fixture
def memory() -> Iterator[Memory]:
    """Replace the system's keyring with one in memory."""
    before = keyring.get_keyring()
    temporary = Memory()
    keyring.set_keyring(temporary)
    yield temporary
    keyring.set_keyring(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the accounts file; neither the file nor its folder exists yet."""
    return tmp_path / "settings" / "accounts.json"


@pytest.fixture
def accounts(path: Path) -> ep.Accounts:
    """Return accounts without entries."""
    return ep.Accounts(path, environ=ENV)


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


# The file


def test_an_added_account_is_read_from_the_file(accounts: ep.Accounts, path: Path) -> None:
    """A second object, as in another process, reads the same account."""
    accounts.add(account())
    again = ep.Accounts(path, environ=ENV)
    assert again.credentials("bakery") == ep.UserContext(
        "consumer-key", "consumer-secret", "9-bakery", "bakery-secret", "9", "bakery"
    )
    assert list(again) == [account()]
    assert again.credentials("bakery").account == "user 9"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_the_file(accounts: ep.Accounts, path: Path, umask: int) -> None:
    """The file has mode 0600 and a new folder 0700, with every umask and after every change."""
    before = os.umask(umask)
    try:
        for handle in ("bakery", "railway"):
            accounts.add(account(handle, str(len(handle))))
            assert (mode(path), mode(path.parent)) == (0o600, 0o700)
        assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_no_file_ever_has_another_mode(
    accounts: ep.Accounts, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file of the atomic write is included."""
    modes: list[int] = []
    fsync = os.fsync

    def recording_fsync(handle: int) -> None:
        if path.parent.is_dir():
            modes.extend(mode(file) for file in path.parent.iterdir())
        fsync(handle)

    monkeypatch.setattr(files.os, "fsync", recording_fsync)
    accounts.add(account())
    assert len(modes) > 1
    assert set(modes) == {0o600}


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666])
def test_a_file_that_others_can_read_is_refused(
    accounts: ep.Accounts, path: Path, bits: int
) -> None:
    """The same holds for write access; the error names the cure, and nothing is overwritten."""
    accounts.add(account())
    before = path.read_bytes()
    path.chmod(bits)
    for use in (
        lambda: accounts.handles,
        lambda: accounts.add(account("railway", "10")),
        accounts.check,
    ):
        with pytest.raises(ep.AccountsError, match=f"mode {bits:03o}.*chmod 600 .*accounts.json"):
            use()
    assert path.read_bytes() == before
    path.chmod(0o600)
    assert accounts.handles == ("bakery",)


def entry(**changes: str) -> bytes:
    """Return a file with one account, which is valid except for the changes."""
    fields = {"handle": "a", "user_id": "9", "app": "x", "added_at": AT.isoformat()} | changes
    return json.dumps({"version": 1, "accounts": [fields]}).encode()


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b"\xff",
    b'{"version": 1}',
    b'{"version": "1", "accounts": []}',
    b'{"version": 1, "accounts": [{}]}',
    entry(handle="a b"),
    entry(user_id="x"),
    entry(user_id="\u0669"),
    entry(app=""),
    entry(added_at="2026-04-15T12:20:00"),
    entry(added_at="yesterday"),
    entry(access_token="t"),
    entry(access_token="t", access_token_secret="a\nb"),
]


def test_an_entry_with_the_required_fields_is_read(accounts: ep.Accounts, path: Path) -> None:
    """The base of the damaged files is valid: an account with its tokens in the keyring."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(entry())
    assert accounts.handles == ("a",)
    assert accounts.source("a") == "keyring"


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_refused(accounts: ep.Accounts, path: Path, content: bytes) -> None:
    """The error names the file, which stays unchanged so that it can be repaired."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(content)
    for use in (
        lambda: accounts.handles,
        lambda: accounts.credentials("bakery"),
        lambda: accounts.add(account()),
        lambda: accounts.remove("bakery"),
    ):
        with pytest.raises(ep.AccountsError, match=r"accounts\.json is damaged.*log in again"):
            use()
    assert path.read_bytes() == content
    assert "is damaged" in repr(accounts)


def test_a_file_of_a_newer_version_is_refused(accounts: ep.Accounts, path: Path) -> None:
    """Its content does not matter, and the file stays unchanged."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_text('{"version": 2, "owners": {}}')
    with pytest.raises(
        ep.AccountsError, match=r"version 2, and this package reads version 1; update"
    ):
        accounts.add(account())
    assert path.read_text() == '{"version": 2, "owners": {}}'


def test_a_full_disk_leaves_the_accounts_unchanged(
    accounts: ep.Accounts, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old content is kept, and no temporary file is left."""
    accounts.add(account())
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ep.AccountsError, match=r"No space left.*its content is unchanged"):
        accounts.add(account("railway", "10"))
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} == {"accounts.json", ".accounts.json.lock"}


def test_an_impossible_path_is_refused(tmp_path: Path) -> None:
    """The path is a folder, or its parent is a file."""
    (tmp_path / "file").touch()
    for impossible in (tmp_path, tmp_path / "file" / "accounts.json"):
        with pytest.raises(ep.AccountsError, match="cannot be"):
            ep.Accounts(impossible, environ=ENV).add(account())


KILLED = """
import os, stat, sys
from datetime import UTC, datetime
import engagement_pandas as ep
accounts = ep.Accounts(sys.argv[1])
account = ep.Account("railway", "10", "app", datetime.now(UTC), "10-t", "s")
fsync = os.fsync
def killed(handle):
    os.kill(os.getpid(), 9) if stat.S_ISREG(os.fstat(handle).st_mode) else fsync(handle)
os.fsync = killed
accounts.add(account)
"""


@pytest.mark.slow
def test_a_killed_process_loses_no_account(accounts: ep.Accounts, path: Path) -> None:
    """Its lock ends with it, and the next change removes its temporary file with the tokens."""
    accounts.add(account())
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", KILLED, str(path)], check=False
    )
    assert done.returncode == -9
    assert any("10-t" in file.read_text() for file in path.parent.iterdir())
    assert accounts.handles == ("bakery",)
    accounts.add(account("railway", "11"))
    assert not any("10-t" in file.read_text() for file in path.parent.iterdir())
    assert accounts.handles == ("bakery", "railway")


def test_a_link_stays_a_link(accounts: ep.Accounts, path: Path, tmp_path: Path) -> None:
    """A user's link to a settings file elsewhere is kept."""
    real = tmp_path / "real.json"
    path.parent.mkdir()
    path.symlink_to(real)
    accounts.add(account())
    assert path.is_symlink()
    assert mode(real) == 0o600
    assert accounts.handles == ("bakery",)


@pytest.mark.slow
def test_concurrent_processes_lose_no_account(path: Path) -> None:
    """Six processes add five accounts each at the same time; all thirty are stored."""
    code = textwrap.dedent(
        """
        import sys
        from datetime import UTC, datetime
        import engagement_pandas as ep
        accounts = ep.Accounts(sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(5):
            user = sys.argv[2] + str(number)
            accounts.add(ep.Account("h" + user, user, "app", datetime.now(UTC), user + "-t", "s"))
        """
    )
    running = [
        processes.start(sys.executable, "-c", code, str(path), str(number), stderr=None)
        for number in range(1, 7)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.communicate("go\n")
        assert process.returncode == 0
    expected = {f"h{process}{number}" for process in range(1, 7) for number in range(5)}
    assert set(ep.Accounts(path, environ={}).handles) == expected


def test_the_default_path_of_the_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument goes before X_ACCOUNTS and the settings folder; relative folders are ignored."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    home = tmp_path / ".config" / "engagement_pandas" / "accounts.json"
    assert ep.Accounts(environ={}).path == home
    assert ep.Accounts(environ={"XDG_CONFIG_HOME": "relative"}).path == home
    assert ep.Accounts(environ={"XDG_CONFIG_HOME": "/xdg"}).path == Path(
        "/xdg/engagement_pandas/accounts.json"
    )
    environ = {"XDG_CONFIG_HOME": "/xdg", "X_ACCOUNTS": "/mine.json"}
    assert ep.Accounts(environ=environ).path == Path("/mine.json")
    assert ep.Accounts("/typed.json", environ=environ).path == Path("/typed.json")


def no_home() -> Path:
    """Raise the error of `Path.home` on a system without a home folder."""
    msg = "Could not determine home directory."
    raise RuntimeError(msg)


def test_accounts_without_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens in the environment need no file; otherwise the error names the variable to set."""
    monkeypatch.setattr(Path, "home", no_home)
    assert ep.Accounts(environ={**ENV, **TOKENS}).credentials().access_token == "9-env"
    accounts = ep.Accounts(environ=ENV)
    for use in (lambda: accounts.handles, accounts.credentials, accounts.check):
        with pytest.raises(ep.AccountsError, match=r"no home folder.*X_ACCOUNTS"):
            use()
    assert "X_ACCOUNTS" in repr(accounts)


# Handles and users


@pytest.mark.parametrize("spelling", ["Bakery", "@bakery", " @BAKERY ", "bakery"])
def test_spellings_of_a_handle_are_equivalent(accounts: ep.Accounts, spelling: str) -> None:
    """Case and @ do not matter; the handle is returned as it was stored."""
    accounts.add(account("@Bakery"))
    assert accounts.handles == ("Bakery",)
    assert spelling in accounts
    assert accounts.credentials(spelling).access_token == "9-@Bakery"
    assert accounts.remove(spelling)
    assert accounts.handles == ()


@pytest.mark.parametrize("text", ["", "@", "a b", "@@a", "a/b", "a\n", None, 7, "ä"])
def test_invalid_handles_are_refused(accounts: ep.Accounts, text: Any) -> None:
    """The error shows the value; surrounding white space is allowed."""
    if text == "a\n":
        assert "a\n" not in accounts
        return
    with pytest.raises(ep.RequestError, match="is not a handle"):
        accounts.credentials(text) if text is not None else accounts.remove(text)


def test_logging_in_again_replaces_the_tokens(accounts: ep.Accounts) -> None:
    """New tokens replace those of the same user, also under a new handle."""
    accounts.add(account("bakery"))
    accounts.add(account("bakery", access_token="9-new"))
    assert [a.access_token for a in accounts] == ["9-new"]
    accounts.add(account("bakery_london"))
    assert accounts.handles == ("bakery_london",)


def test_a_handle_belongs_to_its_present_user(accounts: ep.Accounts) -> None:
    """A handle that changed hands replaces the account of its former user."""
    accounts.add(account("bakery", "9"))
    accounts.add(account("Bakery", "10"))
    assert [a.user_id for a in accounts] == ["10"]


def test_an_unknown_handle_is_refused(accounts: ep.Accounts) -> None:
    """The error names the known accounts and the command that adds one."""
    with pytest.raises(
        ep.MissingCredentials, match=r"@railway has not logged in .*nobody yet.*-pandas login"
    ):
        accounts.credentials("railway")
    accounts.add(account())
    with pytest.raises(
        ep.MissingCredentials, match=r"@railway has not logged in .logged in: @bakery"
    ) as caught:
        accounts.credentials("@railway")
    assert caught.value.variables == ("X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET")


def test_tokens_belong_to_an_app(path: Path) -> None:
    """The tokens of another app are refused before anything is sent, without showing a key."""
    ep.Accounts(path, environ={}).add(account())
    other = ep.Accounts(path, environ={**ENV, "X_CONSUMER_KEY": "other-key"})
    with pytest.raises(ep.AccountsError, match="@bakery authorised app") as caught:
        other.credentials("bakery")
    message = str(caught.value)
    assert APP.app in message
    assert ep.Consumer("other-key", "s").app in message
    assert "-key" not in message
    with pytest.raises(ep.MissingCredentials, match="set X_CONSUMER_KEY"):
        ep.Accounts(path, environ={}).credentials("bakery")
    assert ep.Accounts(path, consumer=APP, environ={}).credentials("bakery").account == "user 9"


def test_neither_key_nor_secret_of_the_app_is_stored(accounts: ep.Accounts, path: Path) -> None:
    """The file holds a digest of the key, which identifies the app."""
    accounts.add(account())
    assert "consumer" not in path.read_text()
    assert APP.app in path.read_text()


def test_an_account_without_tokens_is_not_added(accounts: ep.Accounts) -> None:
    """Without tokens no request could be signed."""
    with pytest.raises(ep.AccountsError, match="no tokens to store"):
        accounts.add(account().without_tokens())


def test_removing_an_unknown_account_changes_nothing(accounts: ep.Accounts, path: Path) -> None:
    """`remove` returns False, and no file is written."""
    assert accounts.remove("bakery") is False
    assert not path.exists()


def test_reprs_show_no_secret(accounts: ep.Accounts, path: Path) -> None:
    """They show the handles and the path."""
    assert repr(accounts) == f"Accounts({path}: nobody yet)"
    accounts.add(account())
    accounts.add(account("Alps", "10"))
    assert repr(accounts) == f"Accounts({path}: @Alps, @bakery)"
    assert repr(account()) == f"Account(@bakery, user 9, app {APP.app}, tokens hidden)"


# The environment


def test_the_environment_goes_first_for_its_own_account(path: Path) -> None:
    """The user ID at the start of its token identifies the account; others come from the file."""
    environ = {**ENV, **TOKENS}
    accounts = ep.Accounts(path, environ=environ)
    accounts.add(account("bakery", "9"))
    accounts.add(account("railway", "10"))
    assert accounts.credentials("bakery").access_token == "9-env"
    assert accounts.credentials("railway").access_token == "10-railway"
    assert (accounts.source("bakery"), accounts.source("railway")) == ("environment", "file")
    assert accounts.credentials().access_token == "9-env"


def test_x_handle_names_the_user_of_the_environment(path: Path) -> None:
    """If the file does not know the user ID, X_HANDLE names the user of the tokens."""
    accounts = ep.Accounts(path, environ={**ENV, **TOKENS, "X_HANDLE": "@Bakery"})
    assert accounts.handles == ("Bakery",)
    assert accounts.credentials("bakery").access_token == "9-env"
    assert accounts.source("bakery") == "environment"
    accounts.add(account("railway", "10"))
    assert accounts.handles == ("Bakery", "railway")
    assert accounts.credentials("railway").access_token == "10-railway"


def test_credentials_carry_the_handle(path: Path) -> None:
    """The handle comes from the file, from X_HANDLE, or from the user ID in the token."""
    accounts = ep.Accounts(path, environ=ENV)
    accounts.add(account("Bakery", "9"))
    assert accounts.credentials("@bakery").handle == "Bakery"
    assert accounts.credentials().handle == "Bakery"
    named = ep.Accounts(path, environ={**ENV, **TOKENS, "X_HANDLE": " @Railway"})
    assert named.credentials().handle == named.credentials("railway").handle.title() == "Railway"
    numbered = ep.Accounts(path, environ={**ENV, **TOKENS})
    assert numbered.credentials().handle == "Bakery"
    stranger = ep.Accounts(path, environ={**ENV, **TOKENS, "X_ACCESS_TOKEN": "10-env"})
    assert stranger.credentials().handle is None


def test_tokens_in_the_environment_need_no_readable_file(path: Path) -> None:
    """A damaged file is ignored; the handle is unknown then."""
    path.parent.mkdir()
    path.write_text("a diary")
    path.chmod(0o600)
    credentials = ep.Accounts(path, environ={**ENV, **TOKENS}).credentials()
    assert (credentials.access_token, credentials.handle) == ("9-env", None)


def test_x_handle_without_tokens_is_no_account(path: Path) -> None:
    """X_HANDLE alone cannot sign a request."""
    accounts = ep.Accounts(path, environ={**ENV, "X_HANDLE": "bakery"})
    assert accounts.handles == ()
    with pytest.raises(ep.MissingCredentials, match="@bakery has not logged in"):
        accounts.credentials()


def test_x_handle_of_another_user_is_refused(path: Path) -> None:
    """If the file has another user ID for that handle, one of the two is a mistake."""
    accounts = ep.Accounts(path, environ={**ENV, **TOKENS, "X_HANDLE": "railway"})
    accounts.add(account("railway", "10"))
    with pytest.raises(ep.AccountsError, match=r"railway, user 10, but .*belongs to user 9; unset"):
        accounts.credentials("railway")


def test_one_token_of_two_is_refused(path: Path) -> None:
    """An incomplete pair in the environment is an error; the file is not used instead."""
    accounts = ep.Accounts(path, environ={**ENV, "X_ACCESS_TOKEN": "9-env"})
    accounts.add(account())
    for handle in (None, "bakery"):
        with pytest.raises(ep.MissingCredentials, match="set X_ACCESS_TOKEN_SECRET"):
            accounts.credentials(handle)


def test_the_default_account(accounts: ep.Accounts, path: Path) -> None:
    """It is the only account, or of several the one that X_HANDLE names."""
    with pytest.raises(ep.MissingCredentials, match=r"X_ACCESS_TOKEN.*engagement-pandas login"):
        accounts.credentials()
    accounts.add(account())
    assert accounts.credentials().access_token == "9-bakery"
    accounts.add(account("railway", "10"))
    with pytest.raises(
        ep.MissingCredentials, match=r"in: @bakery, @railway; name one of them in X_HANDLE"
    ):
        accounts.credentials()
    named = ep.Accounts(path, environ={**ENV, "X_HANDLE": "Railway"})
    assert named.credentials().access_token == "10-railway"


# Owners of posts


def test_posts_are_split_by_owner(accounts: ep.Accounts) -> None:
    """Handles come from the frame; posts of owners without an account are grouped together."""
    accounts.add(account("Bakery", "9"))
    accounts.add(account("railway", "10"))
    posts = pd.DataFrame(
        {
            "post_id": ["5", "4", "3", "2", "1"],
            "handle": ["@BAKERY", "railway", "stranger", None, "bakery"],
        }
    )
    assert accounts.split(posts) == {"Bakery": ("5", "1"), "railway": ("4",), None: ("3", "2")}
    assert accounts.split(["7", 4, "7"], {"4": "railway"}) == {None: ("7",), "railway": ("4",)}
    assert accounts.split(posts["post_id"]) == {None: ("5", "4", "3", "2", "1")}


HANDLES = st.sampled_from(["bakery", "@Bakery", "railway", "Observatory", "stranger"])


@pytest.mark.slow
@given(st.dictionaries(st.integers(0, 10**18).map(str), st.none() | HANDLES, min_size=1))
def test_splitting_loses_no_post(owners: dict[str, str | None]) -> None:
    """Each post is returned once, under its owner, in its original order."""
    environ = {**ENV, **TOKENS, "X_HANDLE": "bakery", "X_ACCOUNTS": "/nowhere/accounts.json"}
    parts = ep.Accounts(environ=environ).split(list(owners), owners)
    assert sorted(post for posts in parts.values() for post in posts) == sorted(owners)
    for handle, posts in parts.items():
        expected = [
            p
            for p, o in owners.items()
            if ((o or "").strip("@").lower() == "bakery") == (handle == "bakery")
        ]
        assert list(posts) == expected


def test_splitting_refuses_invalid_ids_and_handles(accounts: ep.Accounts) -> None:
    """The first invalid post ID or handle is refused."""
    with pytest.raises(ep.InvalidPostId):
        accounts.split(["x"], {})
    with pytest.raises(ep.RequestError, match="a b"):
        accounts.split(["1"], {"1": "a b"})


# The keyring


def test_tokens_in_the_keyring(memory: Memory, path: Path) -> None:
    """The file holds only names, and a later reader finds the tokens by itself."""
    ep.Accounts(path, tokens_in="keyring", environ=ENV).add(account())
    text = path.read_text()
    assert "9-bakery" not in text
    assert "bakery-secret" not in text
    assert json.loads(text)["accounts"][0]["handle"] == "bakery"
    reader = ep.Accounts(path, environ=ENV)
    assert reader.credentials("bakery").access_token_secret == "bakery-secret"
    assert reader.source("bakery") == "keyring"
    assert len(memory.held) == 1
    assert [a.access_token for a in reader] == [None]


def test_removing_an_account_empties_the_keyring(memory: Memory, path: Path) -> None:
    """The same holds when another program has emptied the keyring before."""
    accounts = ep.Accounts(path, tokens_in="keyring", environ=ENV)
    for _ in range(2):
        accounts.add(account())
        assert accounts.remove("bakery")
        assert memory.held == {}
    accounts.add(account())
    memory.held.clear()
    assert accounts.remove("bakery")
    assert accounts.handles == ()


def test_moving_from_the_keyring_to_the_file_and_back(memory: Memory, path: Path) -> None:
    """Tokens are in one place only, also after a change of the user."""
    accounts = {
        location: ep.Accounts(path, tokens_in=location, environ=ENV)
        for location in ("file", "keyring")
    }
    for location, entries in [("keyring", 1), ("keyring", 1), ("file", 0), ("keyring", 1)]:
        accounts[location].add(account())
        assert len(memory.held) == entries
        assert ("9-bakery" in path.read_text()) == (location == "file")
    accounts["keyring"].add(account("bakery", "10"))
    assert [name for _, name in memory.held] == [f"10 {APP.app}"]


@pytest.mark.parametrize(
    "content", [None, "", "{}", "no JSON", '{"access_token": "a b", "access_token_secret": "s"}']
)
def test_tokens_missing_from_the_keyring_are_reported(
    memory: Memory, path: Path, content: str | None
) -> None:
    """The error names the cure."""
    accounts = ep.Accounts(path, tokens_in="keyring", environ=ENV)
    accounts.add(account())
    (name,) = memory.held
    memory.held.clear()
    if content is not None:
        memory.held[name] = content
    with pytest.raises(ep.AccountsError, match=r"no longer in the keyring; log in again"):
        accounts.credentials("bakery")


def test_a_locked_keyring(memory: Memory, path: Path) -> None:
    """The error is the package's own, hides the keyring's message, and no file is written."""
    accounts = ep.Accounts(path, tokens_in="keyring", environ=ENV)
    accounts.add(account())
    before = path.read_bytes()
    memory.locked = True
    for use in (
        lambda: accounts.credentials("bakery"),
        lambda: accounts.add(account("railway", "10")),
        lambda: accounts.remove("bakery"),
    ):
        with pytest.raises(ep.AccountsError, match=r"KeyringLocked.*unlock it") as caught:
            use()
        assert "secret" not in str(caught.value)
        assert caught.value.__context__ is None
    assert path.read_bytes() == before


def test_a_missing_keyring_is_reported_at_once(
    path: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system has none, or the library is not installed: the error comes before the login."""
    del memory
    keyring.set_keyring(NoKeyring())
    with pytest.raises(ep.AccountsError, match="no usable keyring"):
        ep.Accounts(path, tokens_in="keyring", environ=ENV)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ep.AccountsError, match=r"pip install 'engagement_pandas\[keyring\]'"):
        ep.Accounts(path, tokens_in="keyring", environ=ENV)


def test_an_unknown_token_store_is_refused(path: Path) -> None:
    """The error names the two stores."""
    with pytest.raises(ep.AccountsError, match=r"'cloud'; give one of \['file', 'keyring'\]"):
        ep.Accounts(path, tokens_in="cloud")  # type: ignore[arg-type]


# On the command line


@pytest.fixture
def command(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ep.Accounts:
    """Put the accounts where the command line looks for them."""
    for name in list(os.environ):
        if name.startswith(("X_", "TWITTER_")):
            monkeypatch.delenv(name)
    for name, value in {
        **ENV,
        "X_ACCOUNTS": str(path),
        "X_LEDGER": str(tmp_path / "ledger"),
    }.items():
        monkeypatch.setenv(name, value)
    return ep.Accounts()


def test_accounts_are_listed(
    command: ep.Accounts,
    memory: Memory,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each account has a line without tokens; the month's use is printed to standard error."""
    command.add(account("railway", "10"))
    ep.Accounts(tokens_in="keyring").add(account("bakery", "9"))
    for name, value in {**TOKENS, "X_HANDLE": "alps", "X_HANDLE_LIMIT": "5"}.items():
        monkeypatch.setenv(name, value)
    ledger = ep.Ledger(tmp_path / "ledger")
    ledger.record("railway")
    assert main(["accounts"]) == 0
    output = capsys.readouterr()
    assert output.out == (
        "@alps\t\t\tenvironment\n@bakery\t9\t2026-04-15\tkeyring\n@railway\t10\t2026-04-15\tfile\n"
    )
    assert f"1 of 5 handles requested in {ledger.month}" in output.err
    for secret in ("10-railway", "-secret", "9-env", *memory.held.values()):
        assert secret not in output.out + output.err


def test_an_account_is_removed(command: ep.Accounts, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 3 if the account is unknown."""
    command.add(account())
    assert main(["accounts", "--remove", "@BAKERY"]) == 0
    assert "removed the tokens of @BAKERY" in capsys.readouterr().err
    assert command.handles == ()
    assert main(["accounts", "--remove", "@BAKERY"]) == 3
    assert "nothing was changed" in capsys.readouterr().err


@pytest.mark.usefixtures("command")
def test_an_empty_list_of_accounts_names_the_cure(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list is not an error."""
    assert main(["accounts"]) == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert "engagement-pandas login" in output.err


def test_the_command_refuses_a_readable_file(
    command: ep.Accounts, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 3, and the message has the command that repairs the permissions."""
    command.add(account())
    path.chmod(0o644)
    assert main(["accounts"]) == 3
    assert f"chmod 600 {path}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("above", "own", "refused"),
    [
        (0o755, 0o700, False),
        (0o755, 0o755, False),
        (0o775, 0o700, False),  # home folders of many systems
        (0o1777, 0o700, False),  # like /tmp
        (0o755, 0o1777, False),
        (0o755, 0o770, True),
        (0o755, 0o702, True),
        (0o755, 0o777, True),
        (0o777, 0o700, True),
        (0o703, 0o700, True),
    ],
)
def test_folders_that_others_can_write_to_are_refused(
    tmp_path: Path,
    above: int,
    own: int,
    refused: bool,  # noqa: FBT001
) -> None:
    """Others could replace the file there; the sticky bit prevents it."""
    folder = tmp_path / "above" / "own"
    folder.mkdir(parents=True)
    accounts = ep.Accounts(folder / "accounts.json", environ=ENV)
    accounts.add(account())
    folder.chmod(own)
    folder.parent.chmod(above)
    unsafe = folder if own & 0o022 else folder.parent
    words = rf"accounts\.json.*{unsafe} \(mode \d+\): chmod go-w {unsafe}, and log in"
    for use in (
        lambda: accounts.handles,
        accounts.check,
        lambda: accounts.add(account("railway", "10")),
    ):
        with pytest.raises(ep.AccountsError, match=words) if refused else nullcontext():
            use()
    folder.chmod(0o700)
    folder.parent.chmod(0o700)
    assert len(accounts.handles) == (1 if refused else 2)


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of root is as safe as one's own."""
    accounts = ep.Accounts(tmp_path / "accounts.json", environ=ENV)
    accounts.add(account())
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    if user == 0:
        assert accounts.handles == ("bakery",)
        os.chown(tmp_path, 12_345, -1)
    with pytest.raises(ep.AccountsError, match=r"owner \d+\): move it into a folder of your own"):
        _ = accounts.handles


def test_a_link_in_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    """Others could point the link to another file."""
    (tmp_path / "own").mkdir(0o700)
    (tmp_path / "open").mkdir(0o700)
    ep.Accounts(tmp_path / "own" / "accounts.json", environ=ENV).add(account())
    link = tmp_path / "open" / "link.json"
    link.symlink_to(tmp_path / "own" / "accounts.json")
    assert ep.Accounts(link, environ=ENV).handles == ("bakery",)
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ep.AccountsError, match="open"):
        _ = ep.Accounts(link, environ=ENV).handles


def test_new_folders_are_private(tmp_path: Path) -> None:
    """The umask does not matter, nor whether the accounts or the ledger come first."""
    before = os.umask(0)
    try:
        ep.Ledger(tmp_path / "a" / "b" / "ledger.jsonl").record("bakery")
        ep.Accounts(tmp_path / "a" / "b" / "accounts.json", environ=ENV).add(account())
        ep.Accounts(tmp_path / "c" / "d" / "accounts.json", environ=ENV).add(account())
    finally:
        os.umask(before)
    for name in ("a", "a/b", "c", "c/d"):
        assert mode(tmp_path / name) == 0o700
