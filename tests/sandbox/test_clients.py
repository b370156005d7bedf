"""Clients of common make, over the wire: requests, with and without requests_oauthlib."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests_oauthlib import OAuth1

from engagement_pandas.sandbox import SandboxServer, Settings
from engagement_pandas.sandbox.world import Availability

Ask = Callable[..., requests.Response]
NOW = "2026-03-12T19:43:21Z"


@pytest.fixture
def send(session: requests.Session, body: Any) -> Ask:
    """Send a request for favorites to a sandbox; as the owner, unless told otherwise."""

    def post(server: SandboxServer, endpoint: str, posts: list[Any], **more: Any) -> Any:
        keys = server.keys()
        owner = OAuth1(
            keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
        )
        how = {name: more.pop(name) for name in ("auth", "headers") if name in more}
        content = json.dumps(body(posts, **more))
        url = f"{server.base_url}/insights/engagement/{endpoint}"
        return session.post(url, data=content, **{"auth": owner, **how})

    return post


def test_a_protected_post_is_nobody_s_to_see(sandbox: SandboxServer, send: Ask) -> None:
    """Asked for by its owner on each endpoint: 400 alone, left out beside another."""
    now = sandbox.world.now()
    posts = sandbox.world.posts()
    hidden = next(p for p in posts if p.availability(now) is Availability.PROTECTED)
    seen = next(p for p in posts[::-1] if p.availability(now) is Availability.PUBLIC)
    for endpoint in ("totals", "28hr", "historical"):
        alone = send(sandbox, endpoint, [hidden])
        assert (alone.status_code, alone.json()["errors"]) == (
            400,
            ["1 Tweet ID(s) are unavailable"],
        )
        both = send(sandbox, endpoint, [hidden, seen])
        assert both.status_code == 200
        assert both.json()["unavailable_tweet_ids"] == [hidden.post_id]
        assert set(both.json()["g"]) == {seen.post_id}


def test_an_app_needs_no_token(sandbox: SandboxServer, send: Ask) -> None:
    """Two-legged OAuth 1.0a sees public totals of anyone, and nothing else."""
    app = OAuth1(sandbox.app.consumer_key, sandbox.app.consumer_secret)
    posts = [sandbox.world.posts(handle)[-9] for handle in ("sandbox_bakery", "sandbox_railway")]
    answer = send(sandbox, "totals", posts, auth=app)
    assert answer.status_code == 200
    assert set(answer.json()["g"]) == {post.post_id for post in posts}
    assert send(sandbox, "totals", posts, auth=app, types=["impressions"]).status_code == 403
    assert send(sandbox, "historical", posts, auth=app).status_code == 403
    wrong = OAuth1(sandbox.app.consumer_key, "wrong")
    assert send(sandbox, "totals", posts, auth=wrong).status_code == 401


def test_ids_may_be_integers(sandbox: SandboxServer, send: Ask) -> None:
    """In full precision, and the answer has them as text."""
    post = sandbox.world.posts()[-9]
    assert set(send(sandbox, "totals", [post.number]).json()["g"]) == {post.post_id}
    assert send(sandbox, "totals", [float(post.number)]).status_code == 400


@pytest.mark.parametrize("given", ["Basic YTpi", "Token abc", "bearer_abc", "Digest x"])
def test_an_unknown_scheme(sandbox: SandboxServer, send: Ask, given: str) -> None:
    """401, in the documented words."""
    answer = send(sandbox, "totals", ["1"], auth=None, headers={"Authorization": given})
    assert (answer.status_code, answer.json()) == (
        401,
        {"errors": ["Your account could not be authenticated. Reason: Unknown Authorization Type"]},
    )


def test_half_a_window(sandbox: SandboxServer, send: Ask) -> None:
    """Answered, the other end filled in; refused where the setting says so."""
    post = sandbox.world.posts()[-9]
    late = send(sandbox, "historical", [post], start="2026-03-01").json()
    assert (late["start"], late["end"]) == ("2026-03-01T00:00:00Z", "2026-03-12T19:43:00Z")
    early = send(sandbox, "historical", [post], end="2026-03-12").json()
    assert (early["start"], early["end"]) == ("2026-02-12T00:00:00Z", "2026-03-12T00:00:00Z")
    with SandboxServer(NOW, settings=Settings(half_window="refused")) as strict:
        assert send(strict, "historical", [post], start="2026-03-01").status_code == 400
        assert send(strict, "historical", [post], end="2026-03-12").status_code == 400
        assert send(strict, "historical", [post]).status_code == 200


KINDS = {
    "application/json": 200,
    "Application/JSON; charset=utf-8": 200,
    "text/plain": 415,
    "application/jsonp": 415,
    None: 415,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_content_types(sandbox: SandboxServer, send: Ask, kind: str | None) -> None:
    """Any is taken; JSON alone where the setting says so, and it costs no request otherwise."""
    post = sandbox.world.posts()[-9]
    headers = {} if kind is None else {"Content-Type": kind}
    assert send(sandbox, "totals", [post], headers=headers).status_code == 200
    with SandboxServer(NOW, settings=Settings(content_type="json")) as strict:
        answer = send(strict, "totals", [post], headers=headers)
    assert answer.status_code == KINDS[kind]
    assert (kind or "").encode() in answer.content or answer.status_code == 200


def test_the_package_names_its_content_type(sandbox: SandboxServer) -> None:
    """Its own client is let in where JSON alone is."""
    import engagement_pandas as ep  # noqa: PLC0415

    with SandboxServer(NOW, settings=Settings(content_type="json")) as strict:
        app = ep.AppOnly(strict.app.bearer_token)
        with ep.EngagementClient(app, base_url=strict.base_url) as client:
            post = sandbox.world.posts()[-9].post_id
            (answer,) = client.fetch(ep.totals([post], engagement_types=["favorites"]))
    assert answer.status == 200
