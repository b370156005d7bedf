"""What comes in the middle of a request, from a signal or anywhere, shows no secret."""

from __future__ import annotations

import base64
import builtins
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from requests import PreparedRequest
from requests_oauthlib import OAuth1
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ProtocolError

import engagement_pandas as ep
from engagement_pandas.auth.oauth import OAuthStep
from engagement_pandas.transport import scheduler
from engagement_pandas.transport.exchange import without_frames

SECRETS = ("CANARY-key", "CANARY-secret", "9-CANARY-token", "CANARY-token-secret", "CANARY-bearer")
PAIR = base64.b64encode(b"CANARY-key:CANARY-secret").decode()
USER = ep.UserContext(*SECRETS[:4])
BEARER = ep.AppOnly(SECRETS[4])
KEYS = ep.AppOnly.from_consumer(*SECRETS[:2])
APP = ep.Consumer(*SECRETS[:2])
ASK = ep.totals([str(n) for n in range(1, 252)], engagement_types=["replies"])  # two requests

FOREIGN = ("requests", "urllib3", "requests_oauthlib", "oauthlib", "http")


class Ended(BaseException):
    """As a job runner has it."""


class Listener:
    """Takes requests, does something when one has arrived, and answers none."""

    def __init__(self, arrived: Callable[[], object]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._arrived = arrived
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            connection, _ = self._socket.accept()
            with connection:
                connection.recv(65_536)
                connection.settimeout(0.05)
                hung_up = False
                while not (hung_up or self._over.is_set()):
                    self._arrived()  # again: a signal just before a wait does not end it
                    with suppress(TimeoutError):
                        hung_up = connection.recv(65_536) == b""

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


def chained(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that hang on it."""
    pending, seen = [error], set()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [it for it in (one.__cause__, one.__context__) if it is not None]
        pending += getattr(one, "exceptions", ())


def check(error: BaseException) -> None:
    """Assert that an exception has no frame of another package, and shows no secret."""
    for one in chained(error):
        for frame, _ in traceback.walk_tb(one.__traceback__):
            package = str(frame.f_globals.get("__name__")).partition(".")[0]
            assert package not in FOREIGN, f"{package} in {one!r}"
        assert not isinstance(getattr(one, "request", None), PreparedRequest)
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    # The frame of the test itself knows the secrets.
    shown = [line for line in "".join(told.format()).split("  File ") if __file__ not in line]
    text = "".join(shown)
    for secret in (*SECRETS, PAIR, "OAuth oauth", "Bearer "):
        assert secret not in text


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing that is on its way: it never arrives."""
    monkeypatch.setattr(scheduler, "DRAIN_SECONDS", 0)


@pytest.fixture(
    params=[KeyboardInterrupt, SystemExit, MemoryError, Ended], ids=lambda it: it.__name__
)
def stop(request: pytest.FixtureRequest) -> Iterator[type[BaseException]]:
    """Have a signal raise this in the main thread."""
    kind: type[BaseException] = request.param

    raised = []

    def handler(number: int, frame: FrameType | None) -> None:
        del frame
        if not raised:
            raised.append(number)
            raise kind

    before = signal.signal(signal.SIGUSR1, handler)
    yield kind
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Send the signal once a request has arrived."""
    main = threading.main_thread().ident
    assert main is not None
    made = Listener(lambda: signal.pthread_kill(main, signal.SIGUSR1))
    yield made
    made.close()


def client(credentials: Any, url: str, **more: Any) -> ep.EngagementClient:
    """Return a client that asks there."""
    return ep.EngagementClient(credentials, base_url=url, token_url=f"{url}/t", **more)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("credentials", "how", "in_flight"),
    [
        (USER, "fetch", 1),
        (USER, "stream", 3),
        (USER, "collect", 1),
        (BEARER, "fetch", 3),
        (BEARER, "collect", 1),
        (KEYS, "fetch", 1),
        (KEYS, "stream", 1),
    ],
    ids=repr,
)
def test_in_the_middle_of_a_request(  # noqa: PLR0913, PLR0917 - each is a case
    stop: type[BaseException],
    listener: Listener,
    tmp_path: Path,
    credentials: Any,
    how: str,
    in_flight: int,
) -> None:
    """In the caller's thread or in others; of the counts, or of the bearer token."""
    with client(credentials, listener.url, in_flight=in_flight) as asking:
        ask = {
            "fetch": lambda: asking.fetch(ASK, watch=lambda _: None),
            "stream": lambda: list(asking.stream(ASK, watch=lambda _: None)),
            "collect": lambda: asking.collect(ASK, into=tmp_path / "raw", watch=lambda _: None),
        }[how]
        if how == "collect" and credentials is not USER:
            ask = lambda: asking.collect(  # noqa: E731 - as above
                ep.totals(["1"], engagement_types=["replies"]), into=tmp_path, watch=lambda _: None
            )
        with pytest.raises(stop) as caught:
            ask()
        check(caught.value)


def test_in_the_middle_of_a_login(stop: type[BaseException], listener: Listener) -> None:
    """In its first step, with the app's secret."""
    with pytest.raises(stop) as caught:
        ep.begin_login(APP, login_url=listener.url)
    check(caught.value)


def test_in_the_middle_of_the_last_step(stop: type[BaseException], listener: Listener) -> None:
    """With the PIN and the secret of the request token, too."""
    keys = OAuthStep(*SECRETS[:4])
    pending = ep.PendingLogin("url", "app", keys, listener.url, (5, 5), lambda: 1e9)
    with pytest.raises(stop) as caught:
        pending.finish("1234567")
    check(caught.value)


def raising(error: BaseException) -> Callable[..., Any]:
    """Return a function that raises it, whatever it is called with, while it handles another."""

    def function(*_: Any, **__: Any) -> Any:
        try:
            raise ProtocolError(*SECRETS)  # noqa: TRY301 - and is handled
        except ProtocolError:
            raise error  # noqa: B904 - the context is what is tested

    return function


SPOTS = {
    "signing": (OAuth1, "__call__"),
    "making a signer": (OAuth1, "__init__"),
    "connecting": (HTTPConnection, "connect"),
}


@pytest.mark.slow
@pytest.mark.parametrize("in_flight", [1, 3])
@pytest.mark.parametrize("spot", SPOTS)
@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        GeneratorExit(),
        MemoryError(),
        AssertionError(),
        builtins.BaseExceptionGroup("two", [KeyboardInterrupt(), SystemExit(3)]),
    ],
    ids=lambda it: type(it).__name__,
)
def test_wherever_it_comes(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, spot: str, in_flight: int
) -> None:
    """While it is signed or a connection is made, and while another error is handled."""
    monkeypatch.setattr(*SPOTS[spot], raising(error))
    with (
        client(USER, "http://127.0.0.1:9", in_flight=in_flight, attempts=1) as asking,
        pytest.raises(type(error)) as caught,
    ):
        asking.fetch(ASK, watch=lambda _: None)
    assert caught.value is error
    check(error)


def test_what_hangs_on_it_has_no_frames_either() -> None:
    """Causes and members of groups, nested; a ring of causes ends."""

    def thrown(error: BaseException) -> BaseException:
        try:
            raising(error)()
        except BaseException as caught:  # noqa: BLE001 - handed back
            return caught
        raise AssertionError

    inner = thrown(OSError("a"))
    inner.__cause__ = middle = thrown(ExceptionGroup("b", [thrown(KeyError("c"))]))
    middle.__cause__ = inner
    bare = without_frames(thrown(BaseExceptionGroup("d", [inner, thrown(SystemExit())])))
    found = list(chained(bare))
    assert len(found) == 5
    assert all(one.__traceback__ is None and one.__context__ is None for one in found)


@pytest.mark.parametrize("in_flight", [1, 3])
def test_what_a_watcher_raises(in_flight: int) -> None:
    """Its own frames stay, and show nothing."""

    def watch(_: ep.Progress) -> None:
        raise Ended

    with (
        client(USER, "http://127.0.0.1:9", in_flight=in_flight, attempts=1) as asking,
        pytest.raises(Ended) as caught,
    ):
        asking.fetch(ASK, watch=watch)
    check(caught.value)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "watch"
