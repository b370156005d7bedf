"""Credentials are sent to the API only: certificates, URLs, and the environment."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hostile.raw import RawServer, respond_with
from support.scripted import USER, FakeClock, Scripted, ScriptedServer

import engagement_pandas as ep
from engagement_pandas.transport.transport import Transport
from engagement_pandas.transport.urls import checked_url

REQUEST = ep.totals(["1"], engagement_types=["favorites"])
GOOD = b'{"by_post": {"1": {"favorites": "1"}}}'
ANSWER = respond_with(f"HTTP/1.1 200 OK\nContent-Length: {len(GOOD)}", GOOD)


def write_certificate(folder: Path, *, host: str = "127.0.0.1") -> Path:
    """Write a self-signed certificate with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ip_address(host))]
    )
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a certificate for loopback."""
    return write_certificate(tmp_path_factory.mktemp("tls"))


def tls_server(certificate: Path) -> RawServer:
    """Return a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return RawServer(ANSWER, context)


def client(url: str, credentials: Any = USER) -> ep.EngagementClient:
    """Return a client of a server."""
    clock = FakeClock()
    return ep.EngagementClient(
        credentials, base_url=url, token_url=url, attempts=3, clock=clock.time, sleep=clock.sleep
    )


TURNED_OFF = {
    "nothing": {},
    "an empty bundle": {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": ""},
    "Python's own": {"PYTHONHTTPSVERIFY": "0"},
    "names of others": {
        "NODE_TLS_REJECT_UNAUTHORIZED": "0",
        "GIT_SSL_NO_VERIFY": "1",
        "CURL_INSECURE": "1",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("environment", TURNED_OFF.values(), ids=TURNED_OFF)
def test_untrusted_certificates_are_refused(
    certificate: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are refused at the first attempt, with all variables of the environment."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with (
        tls_server(certificate) as server,
        client(server.url) as connected,
        pytest.raises(ep.TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught,
    ):
        connected.fetch(REQUEST)
    assert caught.value.attempts == 1
    assert server.received == []


def test_disabled_verification_of_the_session_is_ignored(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session's ``verify`` is not used."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with tls_server(certificate) as server, client(server.url) as connected:
        connected._transport._own.session.verify = False
        with pytest.raises(ep.TransportError, match="CERTIFICATE_VERIFY_FAILED"):
            connected.fetch(REQUEST)
    assert server.received == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_of_certificates_is_used(
    certificate: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its certificates are trusted if the environment names it."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(certificate))
    with tls_server(certificate) as server, client(server.url) as connected:
        assert connected.fetch(REQUEST)[0].content == GOOD
    assert len(server.received) == 1


def test_a_certificate_of_another_host_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trusted, but not for this address."""
    other_certificate = write_certificate(tmp_path, host="127.0.0.2")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other_certificate))
    with (
        tls_server(other_certificate) as server,
        client(server.url) as connected,
        pytest.raises(ep.TransportError, match="CERTIFICATE_VERIFY_FAILED") as caught,
    ):
        connected.fetch(REQUEST)
    assert (caught.value.attempts, server.received) == (1, [])


@pytest.mark.parametrize("credentials", [USER, ep.AppOnly("bearer-token")], ids=repr)
def test_netrc_is_ignored(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credentials: Any
) -> None:
    """Its password is not sent in place of the signature."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answer(Scripted(200, GOOD))
    with client(server.url, credentials) as connected:
        connected.fetch(REQUEST)
    scheme = server.seen[0].headers["authorization"].split()[0]
    assert scheme == ("OAuth" if credentials is USER else "Bearer")


def test_an_https_proxy_gets_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """An https URL uses a tunnel, so the proxy gets only the host."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with RawServer(respond_with("HTTP/1.1 403 No\nContent-Length: 0")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with client("https://data-api.invalid") as connected, pytest.raises(ep.TransportError):
            connected.fetch(REQUEST)
        received = b"".join(proxy.received)
    assert received.startswith(b"CONNECT data-api.invalid:443 ")
    for secret in (b"uthorization", b"oauth", b"9-access-token", b"consumer-key"):
        assert secret not in received


MISLEADING_URLS = [
    "http://127.1",
    "http://0.0.0.0",
    "http://0",
    "http://2130706433",
    "http://0x7f.0.0.1",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://localhost.",
    "http://localhost.localdomain",
    "http://127.0.0.1@evil.example",
    "http://evil.example@127.0.0.1",
    "http://user:canary@127.0.0.1",
    "https://user:canary@data-api.twitter.com",
    "https://canary@data-api.twitter.com",
    "http://evil.example\\@127.0.0.1",
    "http://127.0.0.1\\.evil.example",
    "http://evil.example#@127.0.0.1",
    "http://evil.example?@127.0.0.1",
    "http://127.0.0.1:80@evil.example",
    "http://[::ffff:127.0.0.1]",
    "http://[::1%25eth0]",
    "http://[::1]evil.example",
    "http://[::]",
    "http://\uff11\uff12\uff17.0.0.1",
    "http://127\u30020\u30020\u30021",
    "http://loc\u00adalhost",
    "https://data-api.twitter.com\u2044.evil.example",
    "https://d\u0430ta-api.twitter.com",
    "http://local\thost",
    "http://local\nhost",
    " http://localhost",
    "http://localhost ",
    "https://data-api.twitter.com/\r\nX-Injected: 1",
    "https://data-api.twitter.com/?key=canary",
    "https://data-api.twitter.com/#there",
    "https://data-api.twitter.com:0",
    "https://data-api.twitter.com:99999",
    "https://data-api.twitter.com:http",
    "https:data-api.twitter.com",
    "https:///data-api.twitter.com",
    "file:///etc/hosts",
    "http+unix://localhost",
    b"https://data-api.twitter.com",
]


@pytest.mark.parametrize("url", MISLEADING_URLS, ids=ascii)
def test_misleading_urls_are_refused(url: Any) -> None:
    """They are refused when a client is made; a password in them is not shown."""
    with pytest.raises(ep.RequestError, match="is not an https URL") as caught:
        ep.EngagementClient(USER, base_url=url)
    assert "canary" not in str(caught.value)
    with pytest.raises(ep.RequestError):
        ep.EngagementClient(USER, token_url=url)


@pytest.mark.parametrize(
    "url", ["http://LOCALHOST:8080", "HTTP://127.0.0.1", "https://data-api.x.com:8443/v2/"]
)
def test_valid_urls_are_accepted(url: str) -> None:
    """Any case, a port and a path are allowed."""
    assert checked_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "injected", ["\r\nX-Injected: 1", "\n", "\0", "\u2028", "\ud800", " ", "\x7f"]
)
@pytest.mark.parametrize(
    "build",
    [
        lambda injected: ep.UserContext(f"key{injected}", "secret", "9-token", "token-secret"),
        lambda injected: ep.UserContext("key", "secret", f"9-token{injected}", "token-secret"),
        lambda injected: ep.AppOnly(f"bearer{injected}"),
        lambda injected: ep.AppOnly.from_consumer("key", f"secret{injected}"),
        lambda injected: ep.totals([f"1{injected}2"], engagement_types=["favorites"]),
        lambda injected: ep.totals(["1"], engagement_types=[f"favorites{injected}x"]),
        lambda injected: ep.totals(
            ["1"], engagement_types=["favorites"], by=["tweet.id", f"engagement.type{injected}x"]
        ),
        lambda injected: ep.EngagementClient(USER, base_url=f"https://data-api.x.com{injected}"),
    ],
    ids=["key", "token", "bearer", "secret", "post", "type", "dimension", "url"],
)
def test_header_injection_is_refused(build: Any, injected: str) -> None:
    """No text that is sent can begin another header: it is refused before anything is sent."""
    with pytest.raises(ep.EngagementError):
        build(injected)


@pytest.mark.parametrize("injected", ["\r\nX-Injected: 1", "\0", '"', "\u2028", "\\", "a" * 1000])
def test_a_grouping_name_cannot_inject_a_header(server: ScriptedServer, injected: str) -> None:
    """It is refused, or sent as JSON in the body."""
    try:
        request = ep.totals(["1"], engagement_types=["favorites"], by={f"g{injected}": ep.BY_POST})
    except ep.EngagementError:
        return
    server.answer(Scripted(200, {f"g{injected}": {"1": {"favorites": "1"}}}))
    with client(server.url) as connected:
        responses = connected.fetch(request)
    assert list(server.seen[0].body["groupings"]) == [f"g{injected}"]
    assert not any("injected" in name for name in server.seen[0].headers)
    assert ep.flatten(responses)["count"].to_list() == [1]


def test_a_fetched_token_cannot_inject_a_header(server: ScriptedServer) -> None:
    """The bearer token of the server's response must be valid in a header."""
    server.answer(Scripted(200, {"access_token": "a\r\nX-Injected: 1"}))
    with (
        client(server.url, ep.AppOnly.from_consumer("key", "secret")) as connected,
        pytest.raises(ep.EngagementError, match="access_token"),
    ):
        connected.fetch(REQUEST)
    assert len(server.seen) == 1


def test_only_http_and_https_are_mounted() -> None:
    """The session has no adapter for another scheme."""
    transport = Transport()
    assert set(transport._own.session.adapters) == {"https://", "http://"}
    with pytest.raises(requests.exceptions.InvalidSchema):
        transport._own.session.get("ftp://localhost")
    transport.close()
