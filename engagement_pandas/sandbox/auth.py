"""Verification of OAuth 1.0a signatures and bearer tokens on the server side.

Timestamps of signatures are checked against the wall clock, not the time in the sandbox,
since clients sign with the wall clock.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote_plus

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, RequestValidator, SignatureOnlyEndpoint

from engagement_pandas.sandbox.http_answer import Refusal
from engagement_pandas.sandbox.world import ACCOUNTS, SyntheticAccount

TIMESTAMP_TOLERANCE: Final = 300.0
"""Maximum deviation of a signature's timestamp, in seconds."""

NOT_AUTHENTICATED: Final = "Your account could not be authenticated. Reason: {}"
TOKEN_NOT_FOUND: Final = NOT_AUTHENTICATED.format("Access token not found")
UNKNOWN_SCHEME: Final = NOT_AUTHENTICATED.format("Unknown Authorization Type")


@dataclass(frozen=True, slots=True)
class App:
    """The app that the accounts have authorised.

    ``consumer_secret`` is left out of the ``repr``. ``takes_pins`` is true if the app's settings
    allow logins by PIN.
    """

    consumer_key: str = "SandboxConsumerKey"
    consumer_secret: str = field(default="sandbox-consumer-secret", repr=False)
    takes_pins: bool = True

    @property
    def bearer_token(self) -> str:
        """The token that ``/oauth2/token`` issues; always the same, as on X."""
        keys = f"{self.consumer_key}:{self.consumer_secret}".encode()
        return f"SandboxBearer{hashlib.sha256(keys).hexdigest()}"


class Authority:
    """Authentication of requests.

    ``wall`` returns seconds since 1970.
    """

    def __init__(self, app: App, wall: Callable[[], float]) -> None:
        self._app = app
        self._accounts = {account.access_token: account for account in ACCOUNTS}
        self._signatures = Signatures(app, wall, self._secret)

    def identify(
        self, method: str, url: str, headers: Mapping[str, str], body: str
    ) -> SyntheticAccount | None:
        """Return the account that a request is authorised for; None for app-only requests.

        ``method`` and ``url`` are those signed. Header names are in lower case. The body is signed
        only if it is a form.
        """
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if not hmac.compare_digest(rest.strip().encode(), self._app.bearer_token.encode()):
                raise Refusal(401, TOKEN_NOT_FOUND)
            return None
        if scheme.lower() == "oauth":
            request = self._signatures.verify(method, url, headers, body)
            return self._accounts.get(str(request.resource_owner_key))
        raise Refusal(401, UNKNOWN_SCHEME)

    def issue(self, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Return the response of ``/oauth2/token``.

        The headers have names in lower case, and consumer key and secret as basic authentication.
        The body is the form ``grant_type=client_credentials``.
        """
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        try:
            decoded = base64.b64decode(rest.strip(), validate=True).decode()
        except ValueError:  # includes binascii.Error and UnicodeDecodeError
            decoded = ""
        given = tuple(unquote_plus(part) for part in decoded.partition(":")[::2])
        if scheme.lower() != "basic" or given != (
            self._app.consumer_key,
            self._app.consumer_secret,
        ):
            raise Refusal(403, "Unable to verify your credentials")
        form = parse_qs(body.decode(errors="replace"))
        if form.get("grant_type") != ["client_credentials"]:
            raise Refusal(400, "Missing required parameter: grant_type")
        return {"token_type": "bearer", "access_token": self._app.bearer_token}

    def _secret(self, token: str) -> str | None:
        if not token:
            return ""  # signed by the app alone
        account = self._accounts.get(token)
        return account.access_token_secret if account else None


class Signatures:
    """Verifier of OAuth 1.0a signatures.

    ``wall`` returns seconds since 1970. ``secret_of`` returns the secret of a token, possibly
    empty, or None for an unknown token.
    """

    def __init__(
        self, app: App, wall: Callable[[], float], secret_of: Callable[[str], str | None]
    ) -> None:
        self._wall = wall
        self._secret_of = secret_of
        self._endpoint = SignatureOnlyEndpoint(_Keys(app, secret_of))
        self._lock = threading.Lock()
        self._nonces: dict[tuple[str, str, int], None] = {}

    def verify(self, method: str, url: str, headers: Mapping[str, str], body: str) -> Any:
        """Verify a signed request, and return it as parsed by oauthlib."""
        try:
            valid, request = self._endpoint.validate_request(url, method, body, dict(headers))
        except ValueError as error:  # raised by oauthlib for a malformed header
            raise Refusal(401, NOT_AUTHENTICATED.format("Invalid request")) from error
        if request is None:
            raise Refusal(401, NOT_AUTHENTICATED.format("Invalid request"))
        token = str(request.resource_owner_key or "")
        if self._secret_of(token) is None:
            raise Refusal(401, TOKEN_NOT_FOUND)
        if not valid:
            raise Refusal(401, NOT_AUTHENTICATED.format("Invalid signature"))
        signed_at = int(request.timestamp)
        if abs(self._wall() - signed_at) > TIMESTAMP_TOLERANCE:
            raise Refusal(401, NOT_AUTHENTICATED.format("Timestamp out of bounds"))
        self._spend((token, str(request.nonce), signed_at))
        return request

    def _spend(self, nonce: tuple[str, str, int]) -> None:
        oldest = self._wall() - 2 * TIMESTAMP_TOLERANCE
        with self._lock:
            if nonce in self._nonces:
                raise Refusal(401, NOT_AUTHENTICATED.format("Nonce already used"))
            self._nonces[nonce] = None
            # In order of arrival, so that the oldest come first.
            while next(iter(self._nonces))[2] < oldest:
                del self._nonces[next(iter(self._nonces))]


class _Keys(RequestValidator):
    """Secrets for oauthlib's verification.

    Unknown keys get dummy secrets, so that verification takes the usual time. Timestamps and
    nonces are checked by :class:`Signatures` with its own clock, after the signature.
    """

    dummy_client = "dummy-client"
    dummy_access_token = "dummy-access-token"  # noqa: S105
    enforce_ssl = False
    timestamp_lifetime = 10**10
    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)

    def __init__(self, app: App, secret_of: Callable[[str], str | None]) -> None:
        super().__init__()
        self._app = app
        self._secret_of = secret_of

    def check_client_key(self, client_key: str) -> bool:
        return bool(client_key)

    def check_nonce(self, nonce: str) -> bool:
        return bool(nonce)

    def validate_client_key(self, client_key: str, request: Any) -> bool:  # noqa: ARG002
        return client_key == self._app.consumer_key

    def validate_timestamp_and_nonce(self, *_: Any, **__: Any) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:  # noqa: ARG002
        return self._app.consumer_secret if client_key == self._app.consumer_key else "dummy-secret"

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:  # noqa: ARG002
        return self._secret_of(str(token)) or "dummy-secret"
