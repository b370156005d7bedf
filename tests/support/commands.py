"""Arguments of commands in tests."""

from __future__ import annotations

from typing import Any

from engagement_pandas.sandbox import SandboxServer

NOW = "2026-04-15T12:20:00Z"


def urls(server: Any) -> list[str]:
    """Return the options with the URLs of a local server."""
    base = server.base_url if isinstance(server, SandboxServer) else server.url
    return ["--base-url", base, "--token-url", f"{base}/oauth2/token"]


def mine(server: SandboxServer, number: int = 3) -> list[str]:
    """Return IDs of the account's latest posts."""
    return [post.post_id for post in server.world.posts("sandbox_bakery")[-number:]]
