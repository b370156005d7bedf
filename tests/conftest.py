"""Fixtures for all tests: no window, no network but loopback, no real waiting."""

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

# A law holds however busy the machine is: how long an example takes proves nothing.
settings.register_profile("engagement_pandas", deadline=None)
settings.load_profile("engagement_pandas")

# Nobody's own accounts and ledger are read or written, by other processes neither.
_SETTINGS = tempfile.TemporaryDirectory(prefix="engagement_pandas-tests-")
os.environ["X_ACCOUNTS"] = f"{_SETTINGS.name}/accounts.json"
os.environ["X_LEDGER"] = f"{_SETTINGS.name}/ledger.jsonl"

processes.use_default_signals()

LONG: Final = 1500
"""Seconds that a long simulation may take; the others' limit is in pyproject.toml."""

SAMPLES = Path(__file__).parent / "samples"


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give long simulations and browsers more time; they are slow, too."""
    for item in items:
        if item.get_closest_marker("long") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(LONG))


def pytest_unconfigure() -> None:
    """End, with a traceback of what holds it up, also where a thread does not."""
    faulthandler.dump_traceback_later(120, exit=True)


@pytest.fixture(autouse=True)
def _no_process_left() -> Iterator[None]:
    """Kill the processes that the test has started."""
    yield
    processes.end_all()


@pytest.fixture
def sample() -> Callable[[str], Any]:
    """Read a documented body by its name."""

    def read(name: str) -> Any:
        return json.loads((SAMPLES / f"{name}.json").read_text())

    return read


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that moves only when somebody sleeps."""
    return FakeClock()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Run a server on loopback that answers from a script."""
    running = ScriptedServer()
    yield running
    running.close()


@pytest.fixture
def client(server: ScriptedServer, clock: FakeClock) -> Iterator[ep.EngagementClient]:
    """Return a client in user context of the scripted server, on the fake clock."""
    with ep.EngagementClient(
        USER,
        base_url=server.url,
        token_url=f"{server.url}/oauth2/token",
        in_flight=1,  # answers and interruptions in a known order
        clock=clock.time,
        sleep=clock.sleep,
    ) as made:
        yield made


@pytest.fixture(scope="session")
def vcr_config() -> dict[str, Any]:
    """Match on the body too: the default would replay post 1's answer for post 2."""
    return {
        "match_on": ["method", "scheme", "host", "port", "path", "body"],
        "before_record_request": of_the_tape,
        "before_record_response": without_tokens,
        "decode_compressed_response": True,
    }


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """Keep all cassettes in one place, at the top of the project."""
    return str(CASSETTES)
