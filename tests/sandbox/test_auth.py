"""Signatures, tokens, the quota, and the checks before them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import quote

import pytest

from engagement_pandas.sandbox.auth import App
from engagement_pandas.sandbox.service import Settings

TOTALS = "/insights/engagement/totals"
HOST = "sandbox.invalid"
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def valid_body(twin: Any, body: Any) -> bytes:
    """Return the body of a valid request."""
    return json.dumps(body(twin.visible()[-1:])).encode()


def by_hand(twin: Any, *, nonce: str = "abc123", **changes: str) -> dict[str, str]:
    """Sign as RFC 5849 specifies, with hmac only."""
    account = twin.world.account("sandbox_bakery")
    fields = {
        "oauth_consumer_key": twin.settings.app.consumer_key,
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(twin.wall())),
        "oauth_token": account.access_token,
        "oauth_version": "1.0",
    }
    fields |= changes
    pairs = "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in sorted(fields.items()))
    base = f"POST&{quote(f'http://{HOST}{TOTALS}', '')}&{quote(pairs, '')}"
    key = f"{quote(twin.settings.app.consumer_secret, '')}&{quote(account.access_token_secret, '')}"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
    fields["oauth_signature"] = base64.b64encode(digest).decode()
    header = ", ".join(f'{quote(k, "")}="{quote(v, "")}"' for k, v in fields.items())
    return {"Authorization": f"OAuth {header}"}


def test_a_signature_made_by_hand_is_accepted(make_twin: Any, valid_body: bytes) -> None:
    """The signature base is that of RFC 5849 and leaves out the JSON body."""
    twin = make_twin()
    assert twin.send(TOTALS, valid_body, GZIP | by_hand(twin)).status == 200


def test_a_nonce_is_accepted_once(make_twin: Any, valid_body: bytes) -> None:
    """The same signed headers are refused the second time; a new nonce is accepted."""
    twin = make_twin()
    headers = GZIP | by_hand(twin)
    assert twin.send(TOTALS, valid_body, headers).status == 200
    again = twin.send(TOTALS, valid_body, headers)
    assert again.status == 401
    assert "Nonce already used" in again.errors[0]
    assert twin.send(TOTALS, valid_body, GZIP | by_hand(twin, nonce="other")).status == 200


def test_a_refused_signature_does_not_use_up_its_nonce(make_twin: Any, valid_body: bytes) -> None:
    """Otherwise anyone could use up the nonces of others."""
    twin = make_twin()
    forged = by_hand(twin)
    forged["Authorization"] = forged["Authorization"].replace(
        'oauth_signature="', 'oauth_signature="x'
    )
    assert twin.send(TOTALS, valid_body, GZIP | forged).status == 401
    assert twin.send(TOTALS, valid_body, GZIP | by_hand(twin)).status == 200


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, 200), (300, 200), (-300, 200), (301, 401), (-301, 401)]
)
def test_timestamps_may_be_off_by_5_minutes(
    make_twin: Any, valid_body: bytes, seconds: int, status: int
) -> None:
    """The wall clock decides, and not the clock of the sandbox's posts."""
    twin = make_twin(now="2026-03-12T19:43:21Z")
    twin.wall.seconds = 4_000_000_000.0
    signed = by_hand(twin)
    twin.wall.seconds += seconds
    assert twin.send(TOTALS, valid_body, GZIP | signed).status == status


def test_stale_nonces_are_forgotten(make_twin: Any, valid_body: bytes) -> None:
    """The memory stays bounded, since the timestamp already refuses stale nonces."""
    twin = make_twin()
    for _ in range(3):
        signed = GZIP | by_hand(twin)
        assert twin.send(TOTALS, valid_body, signed).status == 200
        twin.wall.seconds += 700
        assert "Timestamp" in twin.send(TOTALS, valid_body, signed).errors[0]
    assert len(twin.service._authority._signatures._nonces) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": "wrong"},
        {"resource_owner_secret": "wrong"},
        {"client_key": "SomebodyElse"},
        {"client_key": "SomebodyElse", "client_secret": "dummy-secret"},
        {"resource_owner_key": "9-nobody", "resource_owner_secret": "dummy-secret"},
        {"signature_method": "HMAC-SHA256"},
        {"signature_method": "PLAINTEXT"},
    ],
)
def test_wrong_keys_are_refused(twin: Any, valid_body: bytes, changes: dict[str, str]) -> None:
    """A wrong secret, an unknown consumer and an unknown signature method get a 401."""
    headers = twin.signed(TOTALS, "sandbox_bakery", **changes)
    reply = twin.send(TOTALS, valid_body, GZIP | headers)
    assert reply.status == 401
    assert reply.errors[0].startswith("Your account could not be authenticated. Reason: ")


def test_an_unknown_token_gets_the_documented_message(
    twin: Any, valid_body: bytes, sample: Any
) -> None:
    """OAuth 1.0a and bearer tokens get the same message."""
    documented = sample("error_auth_access_token_not_found")
    unknown = twin.signed(TOTALS, "sandbox_bakery", resource_owner_key="9-nobody")
    for headers in (
        unknown,
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Bearer"},
    ):
        reply = twin.send(TOTALS, valid_body, GZIP | headers)
        assert (reply.status, reply.document) == (401, documented)


def test_an_app_can_sign_without_a_token(make_twin: Any, body: Any) -> None:
    """Public totals are returned; what only owners may see is refused."""
    twin = make_twin()
    alone = {"resource_owner_key": None, "resource_owner_secret": None}
    responses = []
    for endpoint, types in (
        ("totals", ["favorites"]),
        ("totals", ["impressions"]),
        ("28hr", ["favorites"]),
    ):
        path = f"/insights/engagement/{endpoint}"
        signed = twin.signed(path, "sandbox_bakery", **alone)
        posts = [twin.visible("sandbox_bakery")[-1], twin.visible("sandbox_railway")[-1]]
        reply = twin.send(path, json.dumps(body(posts, types)).encode(), GZIP | signed)
        responses.append((reply.status, reply.document.get("errors")))
    assert responses == [
        (200, None),
        (403, ["Forbidden to access metrics: impressions"]),
        (403, ["Forbidden to access metrics: favorites"]),
    ]
    # A token's secret without the token makes another signature.
    without_token = twin.signed(TOTALS, "sandbox_bakery", resource_owner_key=None)
    reply = twin.send(TOTALS, json.dumps(body(["1"])).encode(), GZIP | without_token)
    assert (reply.status, reply.errors[0].endswith("Invalid signature")) == (401, True)


def test_the_token_of_another_account_is_refused(twin: Any, valid_body: bytes) -> None:
    """Token and secret must belong to the same account."""
    other = twin.world.account("sandbox_railway")
    headers = twin.signed(TOTALS, "sandbox_bakery", resource_owner_key=other.access_token)
    assert twin.send(TOTALS, valid_body, GZIP | headers).status == 401


def test_a_signature_is_valid_for_one_url(twin: Any, valid_body: bytes) -> None:
    """Another endpoint, another host and a query each make the signature invalid."""
    other = "/insights/engagement/28hr"
    signed = GZIP | twin.signed(TOTALS, "sandbox_bakery")
    assert twin.send(other, valid_body, signed).status == 401
    assert twin.send(f"{TOTALS}?a=b", valid_body, signed).status == 401
    assert twin.send(TOTALS, valid_body, signed | {"Host": "elsewhere.invalid"}).status == 401


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic abc"}, {"Authorization": "hello"}])
def test_other_schemes_are_refused(twin: Any, valid_body: bytes, header: dict[str, str]) -> None:
    """The message is the documented one."""
    reply = twin.send(TOTALS, valid_body, GZIP | header)
    assert (reply.status, reply.errors) == (
        401,
        ["Your account could not be authenticated. Reason: Unknown Authorization Type"],
    )


@pytest.mark.parametrize(
    "rest", ["", "garbage", 'oauth_token="a"', "oauth_nonce=1, =, ,", 'a="%zz"']
)
def test_a_malformed_signature_is_refused(twin: Any, valid_body: bytes, rest: str) -> None:
    """The service returns 401 for any malformed header and does not crash."""
    reply = twin.send(TOTALS, valid_body, GZIP | {"Authorization": f"OAuth {rest}"})
    assert reply.status == 401


@pytest.mark.parametrize(
    "accepted", [None, "", "identity", "deflate, br", "gzip;q=0", "gzip; q=0.00", "xgzip"]
)
def test_a_request_that_does_not_accept_gzip_is_refused(
    twin: Any, valid_body: bytes, sample: Any, accepted: str | None
) -> None:
    """The captured 406 is returned before any other check, and is compressed itself."""
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    reply = twin.send(TOTALS, valid_body, headers)
    assert (reply.status, reply.document) == (406, sample("error_406_gzip_required"))
    assert reply.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "accepted", ["gzip", "deflate, gzip", "GZIP;q=0.5, br", "br , gzip ; q=1.0"]
)
def test_gzip_may_be_one_of_several_encodings(twin: Any, valid_body: bytes, accepted: str) -> None:
    """Browsers and requests send such lists."""
    headers = {"Accept-Encoding": accepted, **twin.signed(TOTALS, "sandbox_bakery")}
    assert twin.send(TOTALS, valid_body, headers).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [TOTALS, "/oauth2/token"])
def test_only_post_requests_are_allowed(twin: Any, path: str, method: str) -> None:
    """Other methods get a 405 with errors and the allowed method."""
    reply = twin.send(path, b"", GZIP, method)
    assert reply.status == 405
    assert reply.headers["Allow"] == "POST"
    assert isinstance(reply.errors[0], str)


@pytest.mark.parametrize("path", ["/", "/insights/engagement", f"{TOTALS}/", "/2/tweets", ""])
def test_other_paths_are_not_found(twin: Any, path: str) -> None:
    """The service returns 404 with errors."""
    reply = twin.send(path, b"{}", GZIP)
    assert reply.status == 404
    assert isinstance(reply.errors[0], str)


# Tokens


def basic(key: str, secret: str) -> dict[str, str]:
    """Make the header of basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}


def test_an_issued_token_is_accepted(twin: Any, valid_body: bytes) -> None:
    """Consumer key and secret obtain a token, and that request needs no gzip."""
    app = twin.settings.app
    keys = basic(app.consumer_key, app.consumer_secret)
    issued = twin.send("/oauth2/token", b"grant_type=client_credentials", keys)
    assert issued.status == 200
    assert issued.document["token_type"] == "bearer"
    bearer = {"Authorization": f"Bearer {issued.document['access_token']}"}
    assert twin.send(TOTALS, valid_body, GZIP | bearer).status == 200


@pytest.mark.parametrize(
    ("headers", "form", "status"),
    [
        (basic("SandboxConsumerKey", "wrong"), b"grant_type=client_credentials", 403),
        (basic("wrong", "sandbox-consumer-secret"), b"grant_type=client_credentials", 403),
        ({}, b"grant_type=client_credentials", 403),
        ({"Authorization": "Basic !!"}, b"grant_type=client_credentials", 403),
        (basic("SandboxConsumerKey", "sandbox-consumer-secret"), b"grant_type=password", 400),
        (basic("SandboxConsumerKey", "sandbox-consumer-secret"), b"", 400),
        (basic("SandboxConsumerKey", "sandbox-consumer-secret"), b"\xff", 400),
    ],
)
def test_a_token_needs_valid_keys_and_a_grant(
    twin: Any, headers: dict[str, str], form: bytes, status: int
) -> None:
    """Wrong keys get a 403, a wrong grant a 400."""
    reply = twin.send("/oauth2/token", form, headers)
    assert reply.status == status
    assert isinstance(reply.errors[0], str)


def test_keys_are_form_encoded_before_base64(make_twin: Any) -> None:
    """RFC 6749 requires it, which matters for keys with colons and signs."""
    app = App("key:with colon", "secret+plus%")
    twin = make_twin(settings=Settings(app=app))
    keys = basic(quote(app.consumer_key, ""), quote(app.consumer_secret, ""))
    reply = twin.send("/oauth2/token", b"grant_type=client_credentials", keys)
    assert reply.document["access_token"] == app.bearer_token


def test_each_app_has_a_separate_token() -> None:
    """The tokens of two apps differ."""
    assert App("a", "b").bearer_token != App("a", "c").bearer_token


def test_no_secret_is_in_a_repr_of_the_app() -> None:
    """The repr shows neither the secret nor the token."""
    app = App()
    assert app.consumer_secret not in repr(Settings(app=app))
    assert app.bearer_token not in repr(app)


# Quota


def quota_of(reply: Any) -> dict[str, int]:
    """Read the quota headers, without their prefix."""
    return {
        name.removeprefix("x-per-"): int(value)
        for name, value in reply.headers.items()
        if name.startswith("x-per-")
    }


def test_the_quota_is_in_the_headers_and_counts_down(make_twin: Any, wall: Any, body: Any) -> None:
    """The headers hold the limit, what remains, and the second in which the period ends."""
    wall.seconds = 1_773_344_601.5  # in the minute that ends at 1_773_344_640
    twin = make_twin(settings=Settings(per_minute=9, per_second=5), wall=wall)
    twin.post("totals", body(twin.visible()[-1:]))
    assert quota_of(twin.post("totals", body(["1"]))) == {
        "minute-limit": 9,
        "minute-remaining": 7,
        "minute-reset": 1_773_344_640,
        "second-limit": 5,
        "second-remaining": 3,
        "second-reset": 1_773_344_602,
    }


@pytest.mark.parametrize(("limits", "wait"), [((3, 100), 60), ((100, 3), 1)])
def test_a_spent_quota_is_429_until_the_reset(
    make_twin: Any, wall: Any, body: Any, limits: tuple[int, int], wait: int
) -> None:
    """The message contains 'rate limit'; requests succeed from the reset on, not before."""
    twin = make_twin(settings=Settings(*limits), wall=wall)
    request_body = body(twin.visible()[-1:])
    assert [twin.post("totals", request_body).status for _ in range(3)] == [200] * 3
    for _ in range(2):
        refused = twin.post("totals", request_body)
        assert refused.status == 429
        assert "rate limit" in refused.errors[0]
    name = "minute" if wait == 60 else "second"
    assert quota_of(refused)[f"{name}-remaining"] == 0
    reset = quota_of(refused)[f"{name}-reset"]
    wall.seconds = reset - 0.01
    assert twin.post("totals", request_body).status == 429
    wall.seconds = reset
    assert twin.post("totals", request_body).status == 200


def test_a_spent_second_does_not_cost_the_minute(make_twin: Any, wall: Any, body: Any) -> None:
    """Requests that are refused with 429 are not counted."""
    twin = make_twin(settings=Settings(per_minute=9, per_second=1), wall=wall)
    statuses = [twin.post("totals", body(["1"])).status for _ in range(5)]
    assert statuses == [400, 429, 429, 429, 429]
    wall.seconds += 1
    assert quota_of(twin.post("totals", body(["1"])))["minute-remaining"] == 7


def test_requests_over_the_quota_can_be_penalised(make_twin: Any, wall: Any) -> None:
    """Two 429s leave two requests fewer in the next minute, and none fewer in the one after."""
    wall.seconds = 1_773_344_640.0  # a minute begins
    twin = make_twin(settings=Settings(per_minute=5, penalty=1), wall=wall)

    def statuses(number: int) -> list[int]:
        return [twin.post("totals", b"{").status for _ in range(number)]

    assert statuses(7) == [400] * 5 + [429] * 2
    wall.seconds += 60
    assert quota_of(twin.post("totals", b"{"))["minute-remaining"] == 5 - 2 - 1
    assert statuses(2) == [400] * 2
    wall.seconds += 60
    assert statuses(5) == [400] * 5


@pytest.mark.slow
def test_a_client_that_does_not_wait_stays_refused(make_twin: Any, wall: Any) -> None:
    """One request a second, sent regardless of responses, succeeds in the first minute only."""
    wall.seconds = 1_773_344_640.0
    succeeded = {}
    for name in ("goes on", "waits"):
        twin = make_twin(settings=Settings(per_minute=10, penalty=1), wall=wall)
        answered, quiet_until = 0, 0.0
        for _ in range(5 * 60):
            if name == "goes on" or wall.seconds >= quiet_until:
                reply = twin.post("totals", b"{")
                answered += reply.status == 400
                if quota_of(reply)["minute-remaining"] == 0:
                    quiet_until = quota_of(reply)["minute-reset"]
            wall.seconds += 1
        succeeded[name] = answered
    assert succeeded == {"goes on": 10, "waits": 50}


def test_requests_refused_before_the_quota_are_not_counted(
    make_twin: Any, wall: Any, body: Any, valid_body: bytes
) -> None:
    """A 404, 406, 401 or 429 is not counted; a 400 is."""
    twin = make_twin(settings=Settings(per_minute=3), wall=wall)
    for _ in range(5):
        assert not quota_of(twin.send(TOTALS, valid_body, GZIP))
        assert not quota_of(twin.send(TOTALS, valid_body, {}))
        assert not quota_of(twin.send("/", valid_body, GZIP))
    assert quota_of(twin.post("totals", b"{"))["minute-remaining"] == 2
    assert quota_of(twin.post("totals", body(["1"])))["minute-remaining"] == 1
