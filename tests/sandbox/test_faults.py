"""What goes wrong on demand, seen by a client of common make."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from typing import Any

import pytest
import requests
from support.processes import PATIENCE

from engagement_pandas.sandbox import FAULTS, Fault, Faults, SandboxServer

TOTALS = "/insights/engagement/totals"


@pytest.mark.parametrize("kind", ["429", "500", "502", "503"])
def test_statuses_on_demand(sandbox: SandboxServer, ask: Any, kind: str) -> None:
    """Once, and then all is well again."""
    sandbox.faults.push(kind)
    assert ask().status_code == int(kind)
    assert ask().status_code == 200
    assert [seen.fault for seen in sandbox.requests] == [kind, None]


def test_a_spent_quota_on_demand_says_so(sandbox: SandboxServer, ask: Any) -> None:
    """With nothing remaining, a reset, and the words."""
    sandbox.faults.push("429")
    answer = ask()
    assert answer.headers["x-per-second-remaining"] == "0"
    assert int(answer.headers["x-per-second-reset"]) > 0
    assert "rate limit" in answer.json()["errors"][0]


def test_a_proxy_speaks_html(sandbox: SandboxServer, ask: Any) -> None:
    """Uncompressed."""
    sandbox.faults.push("502")
    answer = ask()
    assert answer.headers["Content-Type"] == "text/html"
    assert "Content-Encoding" not in answer.headers
    assert answer.text.startswith("<html>")


def test_a_closed_connection(sandbox: SandboxServer, ask: Any) -> None:
    """Without a word; the next request finds a new one."""
    sandbox.faults.push("closed")
    with pytest.raises(requests.ConnectionError):
        ask()
    assert ask().status_code == 200
    assert sandbox.requests[0].status is None


def test_a_body_cut_on_the_line(sandbox: SandboxServer, ask: Any) -> None:
    """Shorter than its Content-Length."""
    sandbox.faults.push("cut_off")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask()


def test_a_body_cut_before_the_line(
    sandbox: SandboxServer, raw: http.client.HTTPConnection, body: Any
) -> None:
    """Content-Length is right, and the gzip stream has no end."""
    sandbox.faults.push("truncated")
    bearer = {"Authorization": f"Bearer {sandbox.keys().bearer_token}", "Accept-Encoding": "gzip"}
    asked = json.dumps(body([sandbox.world.posts()[-3].post_id])).encode()
    raw.request("POST", TOTALS, asked, bearer)
    answer = raw.getresponse()
    content = answer.read()
    assert len(content) == int(answer.headers["Content-Length"])
    with pytest.raises(EOFError):
        gzip.decompress(content)


@pytest.mark.parametrize("kind", ["wrong_shape", "not_json", "empty"])
def test_a_200_that_is_none(sandbox: SandboxServer, ask: Any, kind: str) -> None:
    """Something comes with status 200, and it is not what was asked for."""
    sandbox.faults.push(kind)
    answer = ask()
    assert answer.status_code == 200
    assert answer.content == FAULTS[kind].body
    assert b'"g"' not in answer.content


def test_a_slow_answer(sandbox: SandboxServer, ask: Any) -> None:
    """It comes after a client's patience has ended."""
    sandbox.faults.push(Fault("slow", delay=30))
    with pytest.raises(requests.ReadTimeout):
        ask(timeout=0.1)


class Delay(threading.Event):
    """What a slow answer waits for; notes that it does, and whether it was in vain."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.called_off: list[bool] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.begun.set()
        self.called_off.append(super().wait(timeout))
        return self.called_off[-1]


def test_closing_does_not_wait_for_slow_answers(
    sandbox: SandboxServer, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delay ends with the server."""
    delay = Delay()
    monkeypatch.setattr(sandbox._listener, "stopping", delay)
    sandbox.faults.push(Fault("slow", delay=30))
    waiting = threading.Thread(target=lambda: _swallow(ask))
    waiting.start()
    assert delay.begun.wait(PATIENCE)
    sandbox.close()
    waiting.join(20)
    assert delay.called_off == [True]


def _swallow(ask: Any) -> None:
    try:
        ask()
    except requests.RequestException:
        return


def test_a_fault_spends_the_nonce(
    sandbox: SandboxServer, raw: http.client.HTTPConnection, body: Any, oauth: Any
) -> None:
    """Whoever sends the same signature again after a 503 is refused."""
    url = sandbox.base_url + TOTALS
    prepared = requests.Request("POST", url, json=body(["1"]), auth=oauth(sandbox.keys())).prepare()
    auth = prepared.headers["Authorization"]
    auth = auth.decode() if isinstance(auth, bytes) else auth
    sandbox.faults.push("503")
    statuses = []
    for _ in range(2):
        headers = {"Authorization": auth, "Accept-Encoding": "gzip"}
        raw.request("POST", TOTALS, prepared.body, headers)
        answer = raw.getresponse()
        answer.read()
        statuses.append(answer.status)
    assert statuses == [503, 401]


def test_tokens_are_spared(sandbox: SandboxServer) -> None:
    """Faults befall the endpoints that count."""
    sandbox.faults.push("500")
    keys = sandbox.keys()
    answer = requests.post(
        sandbox.token_url,
        data={"grant_type": "client_credentials"},
        auth=(keys.consumer_key, keys.consumer_secret),
        timeout=PATIENCE,
    )
    assert answer.json() == {"token_type": "bearer", "access_token": keys.bearer_token}
    assert len(sandbox.faults) == 1


def test_faults_come_in_order_and_none_lets_through() -> None:
    """The queue is a script."""
    faults = Faults()
    faults.push("500", None, "closed")
    assert [getattr(faults.draw(), "kind", None) for _ in range(4)] == ["500", None, "closed", None]


def test_a_rate_of_faults_is_kept_and_repeats() -> None:
    """About 30 % of a thousand, of each kind named, the same ones for the same seed."""
    drawn = [
        [getattr(faults.draw(), "kind", None) for _ in range(1000)]
        for faults in (Faults(0.3, 1, ["500", "closed"]), Faults(0.3, 1, ["500", "closed"]))
    ]
    assert drawn[0] == drawn[1]
    assert 250 < sum(kind is not None for kind in drawn[0]) < 350
    assert set(drawn[0]) == {None, "500", "closed"}
    other = Faults(0.3, 2, ["500", "closed"])
    assert [getattr(other.draw(), "kind", None) for _ in range(1000)] != drawn[0]


def test_an_unknown_fault_is_refused_with_those_there_are() -> None:
    """At once, and nothing of the call is queued."""
    faults = Faults()
    with pytest.raises(ValueError, match=r"no fault 'flood'; choose from 429, 500"):
        faults.push("500", "flood")
    assert len(faults) == 0


@pytest.mark.parametrize("arguments", [{"rate": 1.5}, {"rate": -0.1}, {"rate": 0.5, "kinds": []}])
def test_a_rate_is_a_share(arguments: Any) -> None:
    """From 0 to 1, and of something."""
    with pytest.raises(ValueError, match="rate"):
        Faults(**arguments)


def test_what_was_pushed_can_be_forgotten() -> None:
    """And the repr tells what is left."""
    faults = Faults(0.25, kinds=["500"])
    faults.push("502")
    assert repr(faults) == "Faults(1 pushed; 25% of the others (500))"
    faults.clear()
    assert len(faults) == 0
