"""Concurrent changes of the accounts by several processes, and changes that fail half way."""

from __future__ import annotations

import errno
import sys
import textwrap
from pathlib import Path

import pytest
from auth.test_accounts import ENV, Memory, account, memory, path
from support import processes

import engagement_pandas as ep
from engagement_pandas.files import atomic_write as files

__all__ = ["memory", "path"]


def test_a_full_disk_removes_no_tokens_from_the_keyring(
    memory: Memory, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed move to the file, the old tokens are still in the keyring."""
    ep.Accounts(path, tokens_in="keyring", environ=ENV).add(account())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ep.AccountsError, match="its content is unchanged"):
        ep.Accounts(path, environ=ENV).add(account(access_token="9-new"))
    assert len(memory.held) == 1
    assert ep.Accounts(path, environ=ENV).credentials("bakery").access_token == "9-bakery"


REMOVE = textwrap.dedent(
    """
    import sys
    import engagement_pandas as ep
    accounts = ep.Accounts(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(5):
        assert accounts.remove("h" + sys.argv[2] + str(number))
    """
)


@pytest.mark.slow
def test_concurrent_processes_remove_all_their_accounts(path: Path) -> None:
    """Six processes remove five accounts each at the same time; none is left."""
    accounts = ep.Accounts(path, environ=ENV)
    users = [f"{process}{number}" for process in range(1, 7) for number in range(5)]
    for user in users:
        accounts.add(account(f"h{user}", user))
    assert len(accounts.handles) == 30
    running = [
        processes.start(sys.executable, "-c", REMOVE, str(path), str(process), stderr=None)
        for process in range(1, 7)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:  # all are released before the first is waited for
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate()
        assert process.returncode == 0
    assert accounts.handles == ()
