"""A sandbox whose clock does not move, and clients that are not part of the package."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from oauthlib.oauth1 import Client
from requests_oauthlib import OAuth1
from support.processes import PATIENCE

from engagement_pandas.sandbox.server import Keys, SandboxServer
from engagement_pandas.sandbox.service import Service, Settings, as_clock
from engagement_pandas.sandbox.world import Availability, Post

NOW = "2026-03-12T19:43:21Z"
HOST = "sandbox.invalid"
GENEROUS = Settings(per_minute=1_000_000, per_second=1_000_000)
SAMPLES = Path(__file__).parents[1] / "samples"


@dataclass
class Wall:
    """A wall clock that moves only when a test sets it."""

    seconds: float = 1_773_344_601.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(frozen=True)
class Reply:
    """The status, JSON document and headers of a response."""

    status: int
    document: Any
    headers: Mapping[str, str]

    @property
    def errors(self) -> list[str]:
        return list(self.document["errors"])


@dataclass
class Twin:
    """The service without a network, and signatures made by oauthlib's client."""

    settings: Settings = GENEROUS
    now: Any = NOW
    wall: Wall = field(default_factory=Wall)

    def __post_init__(self) -> None:
        self.service = Service(as_clock(self.now), self.settings, self.wall)
        self.world = self.service.world

    def visible(self, handle: str = "sandbox_bakery", *span: Any) -> list[Post]:
        now = self.world.now()
        posts = self.world.posts(handle, *span)
        return [p for p in posts if p.availability(now) is Availability.PUBLIC]

    def signed(self, path: str, handle: str, **changes: Any) -> dict[str, str]:
        account = self.world.account(handle)
        app = self.settings.app
        keys = {
            "client_key": app.consumer_key,
            "client_secret": app.consumer_secret,
            "resource_owner_key": account.access_token,
            "resource_owner_secret": account.access_token_secret,
            "timestamp": str(int(self.wall())),
        }
        client = Client(**(keys | changes))
        return dict(client.sign(f"http://{HOST}{path}", "POST")[1])

    def send(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        method: str = "POST",
    ) -> Reply:
        answer = self.service.answer(path, {"Host": HOST, **headers}, body, method)
        content = answer.body
        if answer.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return Reply(answer.status, json.loads(content), answer.headers)

    def post(
        self, endpoint: str, body: Any, handle: str | None = "sandbox_bakery", **headers: str
    ) -> Reply:
        """Send a request as the owner of a handle, or as the app if it is None."""
        path = f"/insights/engagement/{endpoint}"
        bearer = {"Authorization": f"Bearer {self.settings.app.bearer_token}"}
        auth = bearer if handle is None else self.signed(path, handle)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(path, content, {"Accept-Encoding": "gzip", **auth, **headers})


@pytest.fixture(scope="session")
def twin() -> Twin:
    """Return the service with a clock that does not move and a generous quota."""
    return Twin()


@pytest.fixture(scope="session")
def make_twin() -> Callable[..., Twin]:
    """Return the class of services, so that a test can make a separate one."""
    return Twin


@pytest.fixture
def wall() -> Wall:
    """Return a wall clock that moves only when a test sets it."""
    return Wall()


def make_body(
    posts: Sequence[Any],
    types: Sequence[str] = ("favorites",),
    by: Any = ("tweet.id", "engagement.type"),
    **more: Any,
) -> dict[str, Any]:
    """Make the body of a request; groupings by name, or one named ``g``."""
    groupings = by if isinstance(by, dict) else {"g": by}
    return {
        "tweet_ids": [p.post_id if isinstance(p, Post) else p for p in posts],
        "engagement_types": list(types),
        "groupings": {name: {"group_by": list(group)} for name, group in groupings.items()},
        **more,
    }


@pytest.fixture(scope="session")
def body() -> Callable[..., dict[str, Any]]:
    """Return the function that makes the body of a request."""
    return make_body


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Any]:
    """Return a function that reads a documented body by its name."""

    def read(name: str) -> Any:
        return json.loads((SAMPLES / f"{name}.json").read_text())

    return read


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Run a sandbox on loopback."""
    with SandboxServer(NOW, settings=GENEROUS) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """Return a plain HTTP client."""
    with requests.Session() as opened:
        yield opened


@pytest.fixture(scope="session")
def oauth() -> Callable[[Keys], OAuth1]:
    """Return a function that signs as requests_oauthlib does."""

    def sign(keys: Keys) -> OAuth1:
        return OAuth1(
            keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
        )

    return sign


@pytest.fixture
def request_total(sandbox: SandboxServer, session: requests.Session, oauth: Any, body: Any) -> Any:
    """Request a total as the owner, over the network."""
    post = sandbox.world.posts()[-3].post_id

    def send(**more: Any) -> requests.Response:
        auth = oauth(sandbox.keys())
        return session.post(
            f"{sandbox.base_url}/insights/engagement/totals", json=body([post]), auth=auth, **more
        )

    return send


@pytest.fixture
def raw(sandbox: SandboxServer) -> Iterator[http.client.HTTPConnection]:
    """Return a plain HTTP connection, which neither retries nor redirects."""
    connection = http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc, timeout=PATIENCE)
    yield connection
    connection.close()
