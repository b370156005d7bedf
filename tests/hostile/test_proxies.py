"""Replies through all kinds of proxies are bounded like others."""

from __future__ import annotations

import importlib
import itertools
import socket
import sys
from types import ModuleType
from typing import Any

import pytest
import requests
from hostile.raw import RawServer, endless, respond_with
from support.scripted import USER, FakeClock, HurriedClock

import engagement_pandas as ep
from engagement_pandas.transport.bounded_session import BoundedSession, read_body

REQUEST = ep.totals(["1"], engagement_types=["favorites"])
OK = "HTTP/1.1 200 OK\nContent-Type: application/json\n"
GOOD = b'{"by_post": {"1": {"favorites": "1"}}}'


@pytest.fixture
def socks_targets(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Replace PySocks, and return the targets that its proxies were requested to connect to.

    The proxy itself responds for the target.
    """
    targets: list[tuple[str, int]] = []

    def create_connection(target: Any, *, proxy_addr: str, proxy_port: int, **_: Any) -> Any:
        targets.append(target)
        return socket.create_connection((proxy_addr, proxy_port), 500)

    stand_in: Any = ModuleType("socks")
    stand_in.PROXY_TYPE_SOCKS4, stand_in.PROXY_TYPE_SOCKS5 = 1, 2
    stand_in.ProxyError = type("ProxyError", (OSError,), {})
    stand_in.create_connection = create_connection
    monkeypatch.setitem(sys.modules, "socks", stand_in)
    name = "urllib3.contrib.socks"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))  # restored at the end
    del sys.modules[name]
    manager = importlib.import_module(name).SOCKSProxyManager
    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", manager)
    return targets


@pytest.mark.parametrize("scheme", ["http", "socks4", "socks5", "socks5h"])
def test_a_slow_reply_is_cut_off(socks_targets: list[tuple[str, int]], scheme: str) -> None:
    """Each byte arrives in time, but not all of them; the same holds for the second reply."""
    dripping = endless(f"{OK}Content-Length: 5000\n\n", itertools.repeat(b" "))
    with RawServer(dripping) as proxy, BoundedSession() as session:
        proxies = {"http": proxy.url.replace("http", scheme, 1)}
        for _ in range(2):
            with (
                session.get("http://data-api.invalid/", proxies=proxies, stream=True) as reply,
                pytest.raises(requests.Timeout, match="more than 900 s"),
            ):
                read_body(reply, HurriedClock().time, 5000, 900)
    assert socks_targets == ([] if scheme == "http" else [("data-api.invalid", 80)] * 2)


@pytest.mark.parametrize("scheme", ["http", "socks4", "socks5", "socks5h"])
def test_a_complete_reply_is_read(socks_targets: list[tuple[str, int]], scheme: str) -> None:
    """The body equals what was sent."""
    with (
        RawServer(respond_with(f"{OK}Content-Length: {len(GOOD)}", GOOD)) as proxy,
        BoundedSession() as session,
    ):
        proxies = {"http": proxy.url.replace("http", scheme, 1)}
        with session.get("http://data-api.invalid/", proxies=proxies, stream=True) as reply:
            assert read_body(reply, FakeClock().time, len(GOOD), 900)[0] == GOOD
    assert len(socks_targets) == (scheme != "http")


def test_a_client_behind_a_socks_proxy(
    socks_targets: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It connects to the API through the proxy, and retries if that fails."""
    for name in ("no_proxy", "NO_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:9")
    clock = FakeClock()
    with (
        ep.EngagementClient(
            USER,
            base_url="https://data-api.invalid",
            attempts=2,
            clock=clock.time,
            sleep=clock.sleep,
        ) as client,
        pytest.raises(ep.TransportError, match="in 2 attempts"),
    ):
        client.fetch(REQUEST)
    assert socks_targets == [("data-api.invalid", 443)] * 2
