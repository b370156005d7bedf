"""An interrupt during a request, by a signal or an error, shows no secret."""

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
from engagement_pandas.auth.login_step import OAuthStep
from engagement_pandas.transport import scheduler
from engagement_pandas.transport.exchange import without_frames

SECRETS = ("CANARY-key", "CANARY-secret", "9-CANARY-token", "CANARY-token-secret", "CANARY-bearer")
PAIR = base64.b64encode(b"CANARY-key:CANARY-secret").decode()
USER = ep.UserContext(*SECRETS[:4])
BEARER = ep.AppOnly(SECRETS[4])
KEYS = ep.AppOnly.from_consumer(*SECRETS[:2])
APP = ep.Consumer(*SECRETS[:2])
REQUEST = ep.totals([str(n) for n in range(1, 252)], engagement_types=["replies"])  # two requests

FOREIGN = ("requests", "urllib3", "requests_oauthlib", "oauthlib", "http")


class JobEnded(BaseException):
    """An exception as job runners define it."""


class Listener:
    """A server that accepts requests, calls a function when one has arrived, and never responds."""

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
                    self._arrived()  # repeated, since a signal just before a wait does not end it
                    with suppress(TimeoutError):
                        hung_up = connection.recv(65_536) == b""

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


def chained(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, contexts and members."""
    pending, seen = [error], set()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [
            related for related in (current.__cause__, current.__context__) if related is not None
        ]
        pending += getattr(current, "exceptions", ())


def check(error: BaseException) -> None:
    """Check that an exception has no frame of another package, and shows no secret."""
    for related in chained(error):
        for frame, _ in traceback.walk_tb(related.__traceback__):
            package = str(frame.f_globals.get("__name__")).partition(".")[0]
            assert package not in FOREIGN, f"{package} in {related!r}"
        assert not isinstance(getattr(related, "request", None), PreparedRequest)
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    # The test's own frame has the secrets.
    shown = [line for line in "".join(report.format()).split("  File ") if __file__ not in line]
    text = "".join(shown)
    for secret in (*SECRETS, PAIR, "OAuth oauth", "Bearer "):
        assert secret not in text


@pytest.fixture(autouse=True)
def _no_draining(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for requests in flight, which are never answered."""
    monkeypatch.setattr(scheduler, "DRAIN_SECONDS", 0)


@pytest.fixture(
    params=[KeyboardInterrupt, SystemExit, MemoryError, JobEnded], ids=lambda it: it.__name__
)
def stop(request: pytest.FixtureRequest) -> Iterator[type[BaseException]]:
    """Raise this exception in the main thread on a signal."""
    error: type[BaseException] = request.param

    raised = []

    def handler(number: int, frame: FrameType | None) -> None:
        del frame
        if not raised:
            raised.append(number)
            raise error

    before = signal.signal(signal.SIGUSR1, handler)
    yield error
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Send the signal once a request has arrived."""
    main = threading.main_thread().ident
    assert main is not None
    running = Listener(lambda: signal.pthread_kill(main, signal.SIGUSR1))
    yield running
    running.close()


def client(credentials: Any, url: str, **more: Any) -> ep.EngagementClient:
    """Return a client of that URL."""
    return ep.EngagementClient(credentials, base_url=url, token_url=f"{url}/t", **more)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("credentials", "method", "in_flight"),
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
def test_interrupts_of_a_request(  # noqa: PLR0913, PLR0917 - each is a case
    stop: type[BaseException],
    listener: Listener,
    tmp_path: Path,
    credentials: Any,
    method: str,
    in_flight: int,
) -> None:
    """They come in the caller's thread or another, during a request for counts or for the token."""
    with client(credentials, listener.url, in_flight=in_flight) as interrupted:
        call = {
            "fetch": lambda: interrupted.fetch(REQUEST, watch=lambda _: None),
            "stream": lambda: list(interrupted.stream(REQUEST, watch=lambda _: None)),
            "collect": lambda: interrupted.collect(
                REQUEST, into=tmp_path / "raw", watch=lambda _: None
            ),
        }[method]
        if method == "collect" and credentials is not USER:
            call = lambda: interrupted.collect(  # noqa: E731 - as above
                ep.totals(["1"], engagement_types=["replies"]), into=tmp_path, watch=lambda _: None
            )
        with pytest.raises(stop) as caught:
            call()
        check(caught.value)


def test_interrupts_of_the_first_step_of_a_login(
    stop: type[BaseException], listener: Listener
) -> None:
    """The request is signed with the app's secret."""
    with pytest.raises(stop) as caught:
        ep.begin_login(APP, login_url=listener.url)
    check(caught.value)


def test_interrupts_of_the_last_step_of_a_login(
    stop: type[BaseException], listener: Listener
) -> None:
    """The request has the PIN and the secret of the request token too."""
    keys = OAuthStep(*SECRETS[:4])
    pending = ep.PendingLogin("url", "app", keys, listener.url, (5, 5), lambda: 1e9)
    with pytest.raises(stop) as caught:
        pending.finish("1234567")
    check(caught.value)


def raiser(error: BaseException) -> Callable[..., Any]:
    """Return a function that raises the error while it handles another."""

    def function(*_: Any, **__: Any) -> Any:
        try:
            raise ProtocolError(*SECRETS)  # noqa: TRY301 - handled here
        except ProtocolError:
            raise error  # noqa: B904 - the context is tested

    return function


METHODS = {
    "signing": (OAuth1, "__call__"),
    "making a signer": (OAuth1, "__init__"),
    "connecting": (HTTPConnection, "connect"),
}


@pytest.mark.slow
@pytest.mark.parametrize("in_flight", [1, 3])
@pytest.mark.parametrize("step", METHODS)
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
def test_interrupts_of_each_step(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, step: str, in_flight: int
) -> None:
    """They come while a request is signed or connected, and while another error is handled."""
    monkeypatch.setattr(*METHODS[step], raiser(error))
    with (
        client(USER, "http://127.0.0.1:9", in_flight=in_flight, attempts=1) as interrupted,
        pytest.raises(type(error)) as caught,
    ):
        interrupted.fetch(REQUEST, watch=lambda _: None)
    assert caught.value is error
    check(error)


def test_related_exceptions_have_no_frames() -> None:
    """Causes and members of nested groups are included; a cycle of causes ends."""

    def raised(error: BaseException) -> BaseException:
        try:
            raiser(error)()
        except BaseException as caught:  # noqa: BLE001 - returned
            return caught
        raise AssertionError

    inner = raised(OSError("a"))
    inner.__cause__ = middle = raised(ExceptionGroup("b", [raised(KeyError("c"))]))
    middle.__cause__ = inner
    stripped = without_frames(raised(BaseExceptionGroup("d", [inner, raised(SystemExit())])))
    related = list(chained(stripped))
    assert len(related) == 5
    assert all(error.__traceback__ is None and error.__context__ is None for error in related)


@pytest.mark.parametrize("in_flight", [1, 3])
def test_errors_of_a_watcher(in_flight: int) -> None:
    """Their own frames are kept, and show no secret."""

    def watch(_: ep.Progress) -> None:
        raise JobEnded

    with (
        client(USER, "http://127.0.0.1:9", in_flight=in_flight, attempts=1) as watched,
        pytest.raises(JobEnded) as caught,
    ):
        watched.fetch(REQUEST, watch=watch)
    check(caught.value)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "watch"
