"""The accounts that authorised the app: a file of one's own, the keyring, the environment."""

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
from engagement_pandas import files
from engagement_pandas.cli import main

AT = datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
APP = ep.Consumer("consumer-key", "consumer-secret")
ENV = {"X_CONSUMER_KEY": "consumer-key", "X_CONSUMER_SECRET": "consumer-secret"}
TOKENS = {"X_ACCESS_TOKEN": "9-env", "X_ACCESS_TOKEN_SECRET": "env-secret"}


def account(handle: str = "bakery", user_id: str = "9", **changes: Any) -> ep.Account:
    """Return an account whose tokens tell its handle."""
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
    """Put a keyring in memory in the place of the system's."""
    before = keyring.get_keyring()
    made = Memory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the accounts go; neither it nor its folder is there yet."""
    return tmp_path / "settings" / "accounts.json"


@pytest.fixture
def accounts(path: Path) -> ep.Accounts:
    """Return accounts of nobody yet."""
    return ep.Accounts(path, environ=ENV)


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


# The file


def test_what_was_added_is_there_again(accounts: ep.Accounts, path: Path) -> None:
    """For another process as well."""
    accounts.add(account())
    again = ep.Accounts(path, environ=ENV)
    assert again.credentials("bakery") == ep.UserContext(
        "consumer-key", "consumer-secret", "9-bakery", "bakery-secret", "9", "bakery"
    )
    assert list(again) == [account()]
    assert again.credentials("bakery").account == "user 9"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_it(accounts: ep.Accounts, path: Path, umask: int) -> None:
    """File 0600, a folder that is made for it 0700, whatever the umask; again after a change."""
    before = os.umask(umask)
    try:
        for handle in ("bakery", "railway"):
            accounts.add(account(handle, str(len(handle))))
            assert (mode(path), mode(path.parent)) == (0o600, 0o700)
        assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_it_is_never_there_with_another_mode(
    accounts: ep.Accounts, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the file that is written beside it."""
    seen: list[int] = []
    fsync = os.fsync

    def watched(handle: int) -> None:
        if path.parent.is_dir():
            seen.extend(mode(file) for file in path.parent.iterdir())
        fsync(handle)

    monkeypatch.setattr(files.os, "fsync", watched)
    accounts.add(account())
    assert len(seen) > 1
    assert set(seen) == {0o600}


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666])
def test_a_file_that_others_can_read_is_refused(
    accounts: ep.Accounts, path: Path, bits: int
) -> None:
    """Or write; with the command that mends it, and nothing is overwritten."""
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
    """Return a file with one account, in part as it should be."""
    told = {"handle": "a", "user_id": "9", "app": "x", "added_at": AT.isoformat()} | changes
    return json.dumps({"version": 1, "accounts": [told]}).encode()


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


def test_the_least_that_is_whole(accounts: ep.Accounts, path: Path) -> None:
    """What the damaged ones are made from is read, as one with tokens in the keyring."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(entry())
    assert accounts.handles == ("a",)
    assert accounts.source("a") == "keyring"


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_refused(accounts: ep.Accounts, path: Path, content: bytes) -> None:
    """With its path; whatever is done, it stays as it is, for somebody to mend."""
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


def test_a_file_of_the_future_is_refused(accounts: ep.Accounts, path: Path) -> None:
    """Whatever it looks like inside, and without a word written."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_text('{"version": 2, "owners": {}}')
    with pytest.raises(
        ep.AccountsError, match=r"version 2, and this package reads version 1; update"
    ):
        accounts.add(account())
    assert path.read_text() == '{"version": 2, "owners": {}}'


def test_a_disk_that_is_full(
    accounts: ep.Accounts, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there is there still, and nothing beside it."""
    accounts.add(account())
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ep.AccountsError, match=r"No space left.*its content is unchanged"):
        accounts.add(account("railway", "10"))
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} == {"accounts.json", ".accounts.json.lock"}


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    """A folder in its place, or a file in the place of its folder."""
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "accounts.json"):
        with pytest.raises(ep.AccountsError, match="cannot be"):
            ep.Accounts(place, environ=ENV).add(account())


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
def test_a_process_that_was_killed(accounts: ep.Accounts, path: Path) -> None:
    """Its lock ends with it; the tokens that it left beside the file go with the next change."""
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
    """Whoever keeps settings elsewhere and links to them keeps doing so."""
    real = tmp_path / "real.json"
    path.parent.mkdir()
    path.symlink_to(real)
    accounts.add(account())
    assert path.is_symlink()
    assert mode(real) == 0o600
    assert accounts.handles == ("bakery",)


@pytest.mark.slow
def test_two_processes_lose_nobody(path: Path) -> None:
    """Six at once add five each; all thirty are there."""
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


def test_where_it_is_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed, X_ACCOUNTS, the settings' folder; a relative one of those is ignored."""
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


def homeless() -> Path:
    """Raise what the system does where it knows of no home."""
    msg = "Could not determine home directory."
    raise RuntimeError(msg)


def test_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has tokens in the environment needs no file; else the variable is named."""
    monkeypatch.setattr(Path, "home", homeless)
    assert ep.Accounts(environ={**ENV, **TOKENS}).credentials().access_token == "9-env"
    accounts = ep.Accounts(environ=ENV)
    for use in (lambda: accounts.handles, accounts.credentials, accounts.check):
        with pytest.raises(ep.AccountsError, match=r"no home folder.*X_ACCOUNTS"):
            use()
    assert "X_ACCOUNTS" in repr(accounts)


# Who is who


@pytest.mark.parametrize("spelling", ["Bakery", "@bakery", " @BAKERY ", "bakery"])
def test_handles_are_the_same_however_they_are_spelt(accounts: ep.Accounts, spelling: str) -> None:
    """Without case and @; told as they were stored."""
    accounts.add(account("@Bakery"))
    assert accounts.handles == ("Bakery",)
    assert spelling in accounts
    assert accounts.credentials(spelling).access_token == "9-@Bakery"
    assert accounts.remove(spelling)
    assert accounts.handles == ()


@pytest.mark.parametrize("text", ["", "@", "a b", "@@a", "a/b", "a\n", None, 7, "ä"])
def test_what_is_no_handle(accounts: ep.Accounts, text: Any) -> None:
    """Is refused by value, but for white space around it."""
    if text == "a\n":
        assert "a\n" not in accounts
        return
    with pytest.raises(ep.RequestError, match="is not a handle"):
        accounts.credentials(text) if text is not None else accounts.remove(text)


def test_logging_in_again_replaces(accounts: ep.Accounts) -> None:
    """New tokens of the same owner, under a new handle as well."""
    accounts.add(account("bakery"))
    accounts.add(account("bakery", access_token="9-new"))
    assert [a.access_token for a in accounts] == ["9-new"]
    accounts.add(account("bakery_london"))
    assert accounts.handles == ("bakery_london",)


def test_a_handle_that_changed_hands(accounts: ep.Accounts) -> None:
    """Is its present owner's."""
    accounts.add(account("bakery", "9"))
    accounts.add(account("Bakery", "10"))
    assert [a.user_id for a in accounts] == ["10"]


def test_nobody_of_that_name(accounts: ep.Accounts) -> None:
    """Who is known, and the command that adds one."""
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
    """Another consumer key is refused before anything is asked, and neither key is told."""
    ep.Accounts(path, environ={}).add(account())
    other = ep.Accounts(path, environ={**ENV, "X_CONSUMER_KEY": "other-key"})
    with pytest.raises(ep.AccountsError, match="@bakery authorised app") as caught:
        other.credentials("bakery")
    told = str(caught.value)
    assert APP.app in told
    assert ep.Consumer("other-key", "s").app in told
    assert "-key" not in told
    with pytest.raises(ep.MissingCredentials, match="set X_CONSUMER_KEY"):
        ep.Accounts(path, environ={}).credentials("bakery")
    assert ep.Accounts(path, consumer=APP, environ={}).credentials("bakery").account == "user 9"


def test_neither_key_nor_secret_of_the_app_is_stored(accounts: ep.Accounts, path: Path) -> None:
    """A digest tells apps apart."""
    accounts.add(account())
    assert "consumer" not in path.read_text()
    assert APP.app in path.read_text()


def test_an_account_without_tokens_is_not_added(accounts: ep.Accounts) -> None:
    """There would be nothing to ask with."""
    with pytest.raises(ep.AccountsError, match="no tokens to store"):
        accounts.add(account().without_tokens())


def test_removing_nobody(accounts: ep.Accounts, path: Path) -> None:
    """Says so, and writes nothing."""
    assert accounts.remove("bakery") is False
    assert not path.exists()


def test_reprs_tell_no_secret(accounts: ep.Accounts, path: Path) -> None:
    """Who is there, and where."""
    assert repr(accounts) == f"Accounts({path}: nobody yet)"
    accounts.add(account())
    accounts.add(account("Alps", "10"))
    assert repr(accounts) == f"Accounts({path}: @Alps, @bakery)"
    assert repr(account()) == f"Account(@bakery, user 9, app {APP.app}, tokens hidden)"


# The environment


def test_the_environment_goes_first_for_its_own_account(path: Path) -> None:
    """Known by the number that its token begins with; others come from the file."""
    environ = {**ENV, **TOKENS}
    accounts = ep.Accounts(path, environ=environ)
    accounts.add(account("bakery", "9"))
    accounts.add(account("railway", "10"))
    assert accounts.credentials("bakery").access_token == "9-env"
    assert accounts.credentials("railway").access_token == "10-railway"
    assert (accounts.source("bakery"), accounts.source("railway")) == ("environment", "file")
    assert accounts.credentials().access_token == "9-env"


def test_the_environment_may_name_its_owner(path: Path) -> None:
    """Where the file does not know the number, X_HANDLE says whose tokens they are."""
    accounts = ep.Accounts(path, environ={**ENV, **TOKENS, "X_HANDLE": "@Bakery"})
    assert accounts.handles == ("Bakery",)
    assert accounts.credentials("bakery").access_token == "9-env"
    assert accounts.source("bakery") == "environment"
    accounts.add(account("railway", "10"))
    assert accounts.handles == ("Bakery", "railway")
    assert accounts.credentials("railway").access_token == "10-railway"


def test_credentials_tell_the_handle(path: Path) -> None:
    """As far as it is known: by the file, by X_HANDLE, or by the number in the token."""
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


def test_a_file_that_is_of_no_use_is_not_needed(path: Path) -> None:
    """Tokens in the environment do without it; whose they are is not known then."""
    path.parent.mkdir()
    path.write_text("a diary")
    path.chmod(0o600)
    credentials = ep.Accounts(path, environ={**ENV, **TOKENS}).credentials()
    assert (credentials.access_token, credentials.handle) == ("9-env", None)


def test_a_name_without_tokens_is_nobody(path: Path) -> None:
    """X_HANDLE alone gives nothing to ask with."""
    accounts = ep.Accounts(path, environ={**ENV, "X_HANDLE": "bakery"})
    assert accounts.handles == ()
    with pytest.raises(ep.MissingCredentials, match="@bakery has not logged in"):
        accounts.credentials()


def test_tokens_of_somebody_else_than_named(path: Path) -> None:
    """The file knows the number of that handle: one of the two is a mistake."""
    accounts = ep.Accounts(path, environ={**ENV, **TOKENS, "X_HANDLE": "railway"})
    accounts.add(account("railway", "10"))
    with pytest.raises(ep.AccountsError, match=r"railway, user 10, but .*belongs to user 9; unset"):
        accounts.credentials("railway")


def test_half_of_the_tokens(path: Path) -> None:
    """Are not passed over in favour of the file."""
    accounts = ep.Accounts(path, environ={**ENV, "X_ACCESS_TOKEN": "9-env"})
    accounts.add(account())
    for handle in (None, "bakery"):
        with pytest.raises(ep.MissingCredentials, match="set X_ACCESS_TOKEN_SECRET"):
            accounts.credentials(handle)


def test_whose_tokens_if_nobody_says(accounts: ep.Accounts, path: Path) -> None:
    """The only account's; of several, that of X_HANDLE."""
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


# Whose posts


def test_each_post_to_its_owner(accounts: ep.Accounts) -> None:
    """From a frame with handles; those that nobody authorised for go together."""
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
    """Every post once, below the handle that it was said to be of, in the order it came."""
    environ = {**ENV, **TOKENS, "X_HANDLE": "bakery", "X_ACCOUNTS": "/nowhere/accounts.json"}
    parts = ep.Accounts(environ=environ).split(list(owners), owners)
    assert sorted(post for posts in parts.values() for post in posts) == sorted(owners)
    for handle, posts in parts.items():
        mine = [
            p
            for p, o in owners.items()
            if ((o or "").strip("@").lower() == "bakery") == (handle == "bakery")
        ]
        assert list(posts) == mine


def test_splitting_what_is_wrong(accounts: ep.Accounts) -> None:
    """An ID or a handle that is none."""
    with pytest.raises(ep.InvalidPostId):
        accounts.split(["x"], {})
    with pytest.raises(ep.RequestError, match="a b"):
        accounts.split(["1"], {"1": "a b"})


# The keyring


def test_tokens_in_the_keyring(memory: Memory, path: Path) -> None:
    """The file has names only; whoever reads it later needs not know where tokens are."""
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


def test_removing_empties_the_keyring(memory: Memory, path: Path) -> None:
    """Also where somebody has emptied it before."""
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
    """Tokens are in one place only, whatever handle they had."""
    accounts = {
        place: ep.Accounts(path, tokens_in=place, environ=ENV) for place in ("file", "keyring")
    }
    for place, held in [("keyring", 1), ("keyring", 1), ("file", 0), ("keyring", 1)]:
        accounts[place].add(account())
        assert len(memory.held) == held
        assert ("9-bakery" in path.read_text()) == (place == "file")
    accounts["keyring"].add(account("bakery", "10"))
    assert [name for _, name in memory.held] == [f"10 {APP.app}"]


@pytest.mark.parametrize(
    "held", [None, "", "{}", "no JSON", '{"access_token": "a b", "access_token_secret": "s"}']
)
def test_a_keyring_that_has_forgotten(memory: Memory, path: Path, held: str | None) -> None:
    """Says so, with the cure."""
    accounts = ep.Accounts(path, tokens_in="keyring", environ=ENV)
    accounts.add(account())
    (name,) = memory.held
    memory.held.clear()
    if held is not None:
        memory.held[name] = held
    with pytest.raises(ep.AccountsError, match=r"no longer in the keyring; log in again"):
        accounts.credentials("bakery")


def test_a_locked_keyring(memory: Memory, path: Path) -> None:
    """An error of our own; what it complains of is not passed on, and no file is written."""
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


def test_no_keyring(path: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on the system nor installed: told before anybody logs in."""
    del memory
    keyring.set_keyring(NoKeyring())
    with pytest.raises(ep.AccountsError, match="no usable keyring"):
        ep.Accounts(path, tokens_in="keyring", environ=ENV)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ep.AccountsError, match=r"pip install 'engagement_pandas\[keyring\]'"):
        ep.Accounts(path, tokens_in="keyring", environ=ENV)


def test_tokens_nowhere_else(path: Path) -> None:
    """A place that there is not."""
    with pytest.raises(ep.AccountsError, match=r"'cloud'; give one of \['file', 'keyring'\]"):
        ep.Accounts(path, tokens_in="cloud")  # type: ignore[arg-type]


# On the command line


@pytest.fixture
def command(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ep.Accounts:
    """Put the accounts where the command line looks."""
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
    """One line per, without tokens; the month's number on standard error."""
    command.add(account("railway", "10"))
    ep.Accounts(tokens_in="keyring").add(account("bakery", "9"))
    for name, value in {**TOKENS, "X_HANDLE": "alps", "X_HANDLE_LIMIT": "5"}.items():
        monkeypatch.setenv(name, value)
    ledger = ep.Ledger(tmp_path / "ledger")
    ledger.record("railway")
    assert main(["accounts"]) == 0
    told = capsys.readouterr()
    assert told.out == (
        "@alps\t\t\tenvironment\n@bakery\t9\t2026-04-15\tkeyring\n@railway\t10\t2026-04-15\tfile\n"
    )
    assert f"1 of 5 handles requested in {ledger.month}" in told.err
    for secret in ("10-railway", "-secret", "9-env", *memory.held.values()):
        assert secret not in told.out + told.err


def test_an_account_is_removed(command: ep.Accounts, capsys: pytest.CaptureFixture[str]) -> None:
    """And what else there is to do; a second time there is nobody."""
    command.add(account())
    assert main(["accounts", "--remove", "@BAKERY"]) == 0
    assert "removed the tokens of @BAKERY" in capsys.readouterr().err
    assert command.handles == ()
    assert main(["accounts", "--remove", "@BAKERY"]) == 3
    assert "nothing was changed" in capsys.readouterr().err


@pytest.mark.usefixtures("command")
def test_nobody_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Which is no error; the cure is told."""
    assert main(["accounts"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "engagement-pandas login" in told.err


def test_a_file_for_all_to_read(
    command: ep.Accounts, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3, and the command that mends it."""
    command.add(account())
    path.chmod(0o644)
    assert main(["accounts"]) == 3
    assert f"chmod 600 {path}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("above", "own", "refused"),
    [
        (0o755, 0o700, False),
        (0o755, 0o755, False),
        (0o775, 0o700, False),  # as many a system makes a person's own folders
        (0o1777, 0o700, False),  # as /tmp is
        (0o755, 0o1777, False),
        (0o755, 0o770, True),
        (0o755, 0o702, True),
        (0o755, 0o777, True),
        (0o777, 0o700, True),
        (0o703, 0o700, True),
    ],
)
def test_folders_that_others_write_into(
    tmp_path: Path,
    above: int,
    own: int,
    refused: bool,  # noqa: FBT001
) -> None:
    """They could put another file there; the sticky bit keeps them from it."""
    folder = tmp_path / "above" / "own"
    folder.mkdir(parents=True)
    kept = ep.Accounts(folder / "accounts.json", environ=ENV)
    kept.add(account())
    folder.chmod(own)
    folder.parent.chmod(above)
    bad = folder if own & 0o022 else folder.parent
    words = rf"accounts\.json.*{bad} \(mode \d+\): chmod go-w {bad}, and log in"
    for use in (lambda: kept.handles, kept.check, lambda: kept.add(account("railway", "10"))):
        with pytest.raises(ep.AccountsError, match=words) if refused else nullcontext():
            use()
    folder.chmod(0o700)
    folder.parent.chmod(0o700)
    assert len(kept.handles) == (1 if refused else 2)


def test_a_folder_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of root it is as good as one's own."""
    kept = ep.Accounts(tmp_path / "accounts.json", environ=ENV)
    kept.add(account())
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    if mine == 0:
        assert kept.handles == ("bakery",)
        os.chown(tmp_path, 12_345, -1)
    with pytest.raises(ep.AccountsError, match=r"owner \d+\): move it into a folder of your own"):
        _ = kept.handles


def test_a_link_in_a_folder_that_others_write_into(tmp_path: Path) -> None:
    """They could have it lead elsewhere."""
    (tmp_path / "own").mkdir(0o700)
    (tmp_path / "open").mkdir(0o700)
    ep.Accounts(tmp_path / "own" / "accounts.json", environ=ENV).add(account())
    link = tmp_path / "open" / "link.json"
    link.symlink_to(tmp_path / "own" / "accounts.json")
    assert ep.Accounts(link, environ=ENV).handles == ("bakery",)
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ep.AccountsError, match="open"):
        _ = ep.Accounts(link, environ=ENV).handles


def test_folders_are_made_for_their_owner(tmp_path: Path) -> None:
    """Whatever the umask, and whether accounts or a ledger are first."""
    before = os.umask(0)
    try:
        ep.Ledger(tmp_path / "a" / "b" / "ledger.jsonl").record("bakery")
        ep.Accounts(tmp_path / "a" / "b" / "accounts.json", environ=ENV).add(account())
        ep.Accounts(tmp_path / "c" / "d" / "accounts.json", environ=ENV).add(account())
    finally:
        os.umask(before)
    for name in ("a", "a/b", "c", "c/d"):
        assert mode(tmp_path / name) == 0o700
