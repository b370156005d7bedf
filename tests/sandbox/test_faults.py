"""Faults that a test requests, as an ordinary HTTP client sees them."""

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


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["429", "500", "502", "503"])
def test_a_fault_returns_its_status_once(
    sandbox: SandboxServer, request_total: Any, fault: str
) -> None:
    """The next request succeeds."""
    sandbox.faults.push(fault)
    assert request_total().status_code == int(fault)
    assert request_total().status_code == 200
    assert [seen.fault for seen in sandbox.requests] == [fault, None]


def test_a_429_fault_has_the_headers_of_a_spent_quota(
    sandbox: SandboxServer, request_total: Any
) -> None:
    """Nothing remains, the reset is in the headers, and the message is the usual one."""
    sandbox.faults.push("429")
    response = request_total()
    assert response.headers["x-per-second-remaining"] == "0"
    assert int(response.headers["x-per-second-reset"]) > 0
    assert "rate limit" in response.json()["errors"][0]


def test_a_502_fault_is_an_html_page(sandbox: SandboxServer, request_total: Any) -> None:
    """The page is not compressed, as from a proxy."""
    sandbox.faults.push("502")
    response = request_total()
    assert response.headers["Content-Type"] == "text/html"
    assert "Content-Encoding" not in response.headers
    assert response.text.startswith("<html>")


def test_a_closed_fault_closes_the_connection(sandbox: SandboxServer, request_total: Any) -> None:
    """There is no response, and the next request opens a new connection."""
    sandbox.faults.push("closed")
    with pytest.raises(requests.ConnectionError):
        request_total()
    assert request_total().status_code == 200
    assert sandbox.requests[0].status is None


def test_a_cut_off_fault_sends_less_than_the_content_length(
    sandbox: SandboxServer, request_total: Any
) -> None:
    """The client reports a broken body."""
    sandbox.faults.push("cut_off")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        request_total()


def test_a_truncated_fault_ends_the_gzip_stream_early(
    sandbox: SandboxServer, raw: http.client.HTTPConnection, body: Any
) -> None:
    """The Content-Length fits the truncated body."""
    sandbox.faults.push("truncated")
    bearer = {"Authorization": f"Bearer {sandbox.keys().bearer_token}", "Accept-Encoding": "gzip"}
    request_body = json.dumps(body([sandbox.world.posts()[-3].post_id])).encode()
    raw.request("POST", TOTALS, request_body, bearer)
    response = raw.getresponse()
    content = response.read()
    assert len(content) == int(response.headers["Content-Length"])
    with pytest.raises(EOFError):
        gzip.decompress(content)


@pytest.mark.parametrize("fault", ["wrong_shape", "not_json", "empty"])
def test_some_faults_have_status_200_without_counts(
    sandbox: SandboxServer, request_total: Any, fault: str
) -> None:
    """The body is not the requested one."""
    sandbox.faults.push(fault)
    response = request_total()
    assert response.status_code == 200
    assert response.content == FAULTS[fault].body
    assert b'"g"' not in response.content


def test_a_slow_fault_exceeds_the_timeout(sandbox: SandboxServer, request_total: Any) -> None:
    """The response comes after the timeout of the client."""
    sandbox.faults.push(Fault("slow", delay=30))
    with pytest.raises(requests.ReadTimeout):
        request_total(timeout=0.1)


class Delay(threading.Event):
    """The delay of a slow response; records that it began, and whether it was cut short."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.called_off: list[bool] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.begun.set()
        self.called_off.append(super().wait(timeout))
        return self.called_off[-1]


def test_closing_does_not_wait_for_slow_responses(
    sandbox: SandboxServer, request_total: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delay ends when the server closes."""
    delay = Delay()
    monkeypatch.setattr(sandbox._listener, "stopping", delay)
    sandbox.faults.push(Fault("slow", delay=30))
    waiting = threading.Thread(target=lambda: _swallow(request_total))
    waiting.start()
    assert delay.begun.wait(PATIENCE)
    sandbox.close()
    waiting.join(20)
    assert delay.called_off == [True]


def _swallow(request_total: Any) -> None:
    try:
        request_total()
    except requests.RequestException:
        return


def test_a_fault_uses_up_the_nonce(
    sandbox: SandboxServer, raw: http.client.HTTPConnection, body: Any, oauth: Any
) -> None:
    """The same signature is refused if it is sent again after a 503."""
    url = sandbox.base_url + TOTALS
    prepared = requests.Request("POST", url, json=body(["1"]), auth=oauth(sandbox.keys())).prepare()
    auth = prepared.headers["Authorization"]
    auth = auth.decode() if isinstance(auth, bytes) else auth
    sandbox.faults.push("503")
    statuses = []
    for _ in range(2):
        headers = {"Authorization": auth, "Accept-Encoding": "gzip"}
        raw.request("POST", TOTALS, prepared.body, headers)
        response = raw.getresponse()
        response.read()
        statuses.append(response.status)
    assert statuses == [503, 401]


def test_faults_do_not_affect_token_requests(sandbox: SandboxServer) -> None:
    """Faults apply only to the endpoints that count."""
    sandbox.faults.push("500")
    keys = sandbox.keys()
    response = requests.post(
        sandbox.token_url,
        data={"grant_type": "client_credentials"},
        auth=(keys.consumer_key, keys.consumer_secret),
        timeout=PATIENCE,
    )
    assert response.json() == {"token_type": "bearer", "access_token": keys.bearer_token}
    assert len(sandbox.faults) == 1


def test_faults_are_drawn_in_order() -> None:
    """None lets a request pass, and so does an empty queue."""
    faults = Faults()
    faults.push("500", None, "closed")
    assert [getattr(faults.draw(), "kind", None) for _ in range(4)] == ["500", None, "closed", None]


def test_faults_are_drawn_at_a_rate_that_a_seed_repeats() -> None:
    """About 30 % of a thousand are faults, and the same seed draws the same ones."""
    drawn = [
        [getattr(faults.draw(), "kind", None) for _ in range(1000)]
        for faults in (Faults(0.3, 1, ["500", "closed"]), Faults(0.3, 1, ["500", "closed"]))
    ]
    assert drawn[0] == drawn[1]
    assert 250 < sum(fault is not None for fault in drawn[0]) < 350
    assert set(drawn[0]) == {None, "500", "closed"}
    other = Faults(0.3, 2, ["500", "closed"])
    assert [getattr(other.draw(), "kind", None) for _ in range(1000)] != drawn[0]


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    """The error is raised immediately, and no fault of the call is queued."""
    faults = Faults()
    with pytest.raises(ValueError, match=r"no fault 'flood'; choose from 429, 500"):
        faults.push("500", "flood")
    assert len(faults) == 0


@pytest.mark.parametrize("arguments", [{"rate": 1.5}, {"rate": -0.1}, {"rate": 0.5, "kinds": []}])
def test_an_invalid_rate_is_refused(arguments: Any) -> None:
    """A rate is from 0 to 1 and needs at least one kind of fault."""
    with pytest.raises(ValueError, match="rate"):
        Faults(**arguments)


def test_pushed_faults_can_be_cleared() -> None:
    """The repr shows what is left."""
    faults = Faults(0.25, kinds=["500"])
    faults.push("502")
    assert repr(faults) == "Faults(1 pushed; 25% of the others (500))"
    faults.clear()
    assert len(faults) == 0
