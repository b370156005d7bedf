"""Ordinary HTTP clients over the network: requests, with and without requests_oauthlib."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests_oauthlib import OAuth1

from engagement_pandas.sandbox import SandboxServer, Settings
from engagement_pandas.sandbox.world import Availability

Send = Callable[..., requests.Response]
NOW = "2026-03-12T19:43:21Z"


@pytest.fixture
def send(session: requests.Session, body: Any) -> Send:
    """Return a function that requests favorites from a sandbox, as the owner by default."""

    def post(server: SandboxServer, endpoint: str, posts: list[Any], **more: Any) -> Any:
        keys = server.keys()
        owner = OAuth1(
            keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
        )
        options = {name: more.pop(name) for name in ("auth", "headers") if name in more}
        content = json.dumps(body(posts, **more))
        url = f"{server.base_url}/insights/engagement/{endpoint}"
        return session.post(url, data=content, **{"auth": owner, **options})

    return post


def test_a_protected_post_is_unavailable_even_to_its_owner(
    sandbox: SandboxServer, send: Send
) -> None:
    """Each endpoint returns 400 for it alone, and leaves it out next to another post."""
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


def test_an_app_may_sign_without_a_token(sandbox: SandboxServer, send: Send) -> None:
    """Two-legged OAuth 1.0a sees public totals of any post, and nothing else."""
    app = OAuth1(sandbox.app.consumer_key, sandbox.app.consumer_secret)
    posts = [sandbox.world.posts(handle)[-9] for handle in ("sandbox_bakery", "sandbox_railway")]
    response = send(sandbox, "totals", posts, auth=app)
    assert response.status_code == 200
    assert set(response.json()["g"]) == {post.post_id for post in posts}
    assert send(sandbox, "totals", posts, auth=app, types=["impressions"]).status_code == 403
    assert send(sandbox, "historical", posts, auth=app).status_code == 403
    wrong = OAuth1(sandbox.app.consumer_key, "wrong")
    assert send(sandbox, "totals", posts, auth=wrong).status_code == 401


def test_integer_ids_keep_full_precision(sandbox: SandboxServer, send: Send) -> None:
    """The response has them as text."""
    post = sandbox.world.posts()[-9]
    assert set(send(sandbox, "totals", [post.number]).json()["g"]) == {post.post_id}
    assert send(sandbox, "totals", [float(post.number)]).status_code == 400


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["Basic YTpi", "Token abc", "bearer_abc", "Digest x"])
def test_an_unknown_scheme_is_refused(sandbox: SandboxServer, send: Send, scheme: str) -> None:
    """The 401 has the documented message."""
    response = send(sandbox, "totals", ["1"], auth=None, headers={"Authorization": scheme})
    assert (response.status_code, response.json()) == (
        401,
        {"errors": ["Your account could not be authenticated. Reason: Unknown Authorization Type"]},
    )


def test_the_missing_end_of_a_window_is_filled_in(sandbox: SandboxServer, send: Send) -> None:
    """It is refused where the setting requires both."""
    post = sandbox.world.posts()[-9]
    late = send(sandbox, "historical", [post], start="2026-03-01").json()
    assert (late["start"], late["end"]) == ("2026-03-01T00:00:00Z", "2026-03-12T19:43:00Z")
    early = send(sandbox, "historical", [post], end="2026-03-12").json()
    assert (early["start"], early["end"]) == ("2026-02-12T00:00:00Z", "2026-03-12T00:00:00Z")
    with SandboxServer(NOW, settings=Settings(half_window="refused")) as strict:
        assert send(strict, "historical", [post], start="2026-03-01").status_code == 400
        assert send(strict, "historical", [post], end="2026-03-12").status_code == 400
        assert send(strict, "historical", [post]).status_code == 200


CONTENT_TYPES = {
    "application/json": 200,
    "Application/JSON; charset=utf-8": 200,
    "text/plain": 415,
    "application/jsonp": 415,
    None: 415,
}


@pytest.mark.slow
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_other_content_types_are_refused_if_set(
    sandbox: SandboxServer, send: Send, content_type: str | None
) -> None:
    """By default, any content type is accepted."""
    post = sandbox.world.posts()[-9]
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert send(sandbox, "totals", [post], headers=headers).status_code == 200
    with SandboxServer(NOW, settings=Settings(content_type="json")) as strict:
        response = send(strict, "totals", [post], headers=headers)
    assert response.status_code == CONTENT_TYPES[content_type]
    assert (content_type or "").encode() in response.content or response.status_code == 200


def test_the_client_of_the_package_sends_its_content_type(sandbox: SandboxServer) -> None:
    """It is accepted where only JSON is."""
    import engagement_pandas as ep  # noqa: PLC0415

    with SandboxServer(NOW, settings=Settings(content_type="json")) as strict:
        app = ep.AppOnly(strict.app.bearer_token)
        with ep.EngagementClient(app, base_url=strict.base_url) as client:
            post = sandbox.world.posts()[-9].post_id
            (response,) = client.fetch(ep.totals([post], engagement_types=["favorites"]))
    assert response.status == 200
