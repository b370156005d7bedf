"""Fixtures for all tests: no windows, no network except loopback, no real waiting."""

from __future__ import annotations

import os
import tempfile

os.environ["MPLBACKEND"] = "agg"  # before anything imports matplotlib

import faulthandler
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import settings
from support import processes
from support.recording import CASSETTES, of_the_tape, without_tokens
from support.scripted import USER, FakeClock, ScriptedServer

import engagement_pandas as ep

# No deadline, since the duration of an example depends on the load of the machine. In CI, examples
# are the same in each run, so that only a change of the code fails; other runs look for new ones.
settings.register_profile(
    "engagement_pandas",
    deadline=None,
    max_examples=25,
    derandomize="REQUIRE_PROGRAMS" in os.environ,
)
settings.load_profile("engagement_pandas")

# Protect the user's own accounts and ledger, also from child processes.
_SETTINGS = tempfile.TemporaryDirectory(prefix="engagement_pandas-tests-")
os.environ["X_ACCOUNTS"] = f"{_SETTINGS.name}/accounts.json"
os.environ["X_LEDGER"] = f"{_SETTINGS.name}/ledger.jsonl"

processes.use_default_signals()

LONG: Final = 1500
"""Timeout of long simulations, in seconds; the usual timeout is in pyproject.toml."""

SAMPLES = Path(__file__).parent / "samples"


@pytest.hookimpl(tryfirst=True)  # before -m selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Raise the timeout of long simulations and browser tests, and mark them slow."""
    for item in items:
        if item.get_closest_marker("long") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(LONG))


def pytest_unconfigure() -> None:
    """Exit with a traceback if a thread keeps the process from ending for 120 seconds."""
    faulthandler.dump_traceback_later(120, exit=True)


@pytest.fixture(autouse=True)
def _no_process_left() -> Iterator[None]:
    """Kill all processes started by the test."""
    yield
    processes.end_all()


@pytest.fixture
def sample() -> Callable[[str], Any]:
    """Return a function that loads a documented response body by name."""

    def read(name: str) -> Any:
        return json.loads((SAMPLES / f"{name}.json").read_text())

    return read


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that advances only during sleep."""
    return FakeClock()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Run a server on loopback with scripted responses."""
    running = ScriptedServer()
    yield running
    running.close()


@pytest.fixture
def client(server: ScriptedServer, clock: FakeClock) -> Iterator[ep.EngagementClient]:
    """Return a client of the scripted server, in user context and with the fake clock."""
    with ep.EngagementClient(
        USER,
        base_url=server.url,
        token_url=f"{server.url}/oauth2/token",
        in_flight=1,  # responses and interruptions in a known order
        clock=clock.time,
        sleep=clock.sleep,
    ) as test_client:
        yield test_client


@pytest.fixture(scope="session")
def vcr_config() -> dict[str, Any]:
    """Match on the body too: the default would replay post 1's response for post 2."""
    return {
        "match_on": ["method", "scheme", "host", "port", "path", "body"],
        "before_record_request": of_the_tape,
        "before_record_response": without_tokens,
        "decode_compressed_response": True,
    }


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """Return the one folder of all cassettes, at the top of the project."""
    return str(CASSETTES)
