"""Sources of credentials, and protection of their secrets."""

from __future__ import annotations

import copy
import hashlib
import pickle
import re

import pytest
import requests

import engagement_pandas as ep
from engagement_pandas.auth.signer import oauth1_signature

ENV = {
    "X_CONSUMER_KEY": "ck",
    "X_CONSUMER_SECRET": "cs",
    "X_ACCESS_TOKEN": "at",
    "X_ACCESS_TOKEN_SECRET": "ats",
}


def test_user_context_from_the_environment() -> None:
    """It is read from four variables."""
    assert ep.UserContext.from_env(ENV) == ep.UserContext("ck", "cs", "at", "ats")


def test_twitter_variables_are_the_fallback() -> None:
    """A TWITTER_ variable is read if its X_ variable is unset or empty."""
    twins = {name.replace("X_", "TWITTER_", 1): value for name, value in ENV.items()}
    assert ep.UserContext.from_env(twins) == ep.UserContext("ck", "cs", "at", "ats")
    both = {**twins, "X_CONSUMER_KEY": "new", "X_CONSUMER_SECRET": ""}
    assert ep.UserContext.from_env(both) == ep.UserContext("new", "cs", "at", "ats")


def test_missing_variables_are_listed() -> None:
    """The message and the error's attribute list all of them."""
    with pytest.raises(ep.MissingCredentials) as caught:
        ep.UserContext.from_env({"X_CONSUMER_KEY": "ck", "X_ACCESS_TOKEN": "at"})
    assert caught.value.variables == ("X_CONSUMER_SECRET", "X_ACCESS_TOKEN_SECRET")
    assert "set X_CONSUMER_SECRET and X_ACCESS_TOKEN_SECRET" in str(caught.value)


def test_app_only_from_the_environment() -> None:
    """It is a bearer token, or else a key and its secret."""
    assert ep.AppOnly.from_env({"X_BEARER_TOKEN": "b", **ENV}) == ep.AppOnly("b")
    assert ep.AppOnly.from_env(ENV) == ep.AppOnly.from_consumer("ck", "cs")
    with pytest.raises(ep.MissingCredentials) as caught:
        ep.AppOnly.from_env({"X_CONSUMER_KEY": "ck"})
    assert caught.value.variables == ("X_BEARER_TOKEN", "X_CONSUMER_SECRET")


@pytest.mark.parametrize(
    "invalid", ["", " ", "a b", "a\n", "a\r\nX-Header: b", "a\u200b", "\u00e4", None, 7]
)
def test_invalid_credentials_are_refused(invalid: object) -> None:
    """Empty text, white space, characters outside ASCII or other types are refused, not shown."""
    with pytest.raises(ep.CredentialsError) as caught:
        ep.UserContext("ck", invalid, "at", "ats")  # type: ignore[arg-type]
    assert str(caught.value).startswith(
        "consumer_secret is empty, or has other characters than printable ASCII"
    )
    assert "Header" not in str(caught.value)


def test_app_only_needs_a_token_or_a_key_with_its_secret() -> None:
    """Without a token, both the key and its secret are required."""
    with pytest.raises(ep.CredentialsError, match="needs a bearer token"):
        ep.AppOnly()
    with pytest.raises(ep.CredentialsError, match="needs a bearer token"):
        ep.AppOnly(consumer_key="ck")


@pytest.mark.parametrize(
    "credentials",
    [ep.UserContext("ck", "cs", "at", "ats"), ep.AppOnly("b"), ep.AppOnly(None, "ck", "cs")],
)
def test_credentials_are_not_pickled_or_copied(credentials: object) -> None:
    """No secret is written by accident; the error names the alternative."""
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(ep.CredentialsError, match="from_env"):
            write(credentials)
    with pytest.raises(ep.CredentialsError, match="from_env"):
        pickle.dumps(ep.EngagementClient(credentials))  # type: ignore[arg-type]


def test_each_signature_has_a_new_nonce() -> None:
    """The body is not part of the signature's parameters."""
    user = ep.UserContext("ck", "cs", "at", "ats")
    headers = [
        requests.Request(
            "POST",
            "https://data-api.twitter.com/x",
            json={},
            auth=oauth1_signature(user, 1_776_255_600.9),
        )
        .prepare()
        .headers["Authorization"]
        for _ in range(2)
    ]
    decoded = [header.decode() for header in headers]
    nonces = {
        dict(p.split("=", 1) for p in header[6:].split(", "))["oauth_nonce"] for header in decoded
    }
    assert len(nonces) == 2
    assert all('oauth_timestamp="1776255600"' in text for text in decoded)
    assert all("oauth_body_hash" not in text for text in decoded)


def test_redact_replaces_secrets_by_their_names() -> None:
    """A text with secrets in it can be shown afterwards."""
    user = ep.UserContext("KEY", "SECRET", "TOKEN", "HUSH")
    assert user.redact("bad TOKEN, HUSH") == "bad <access_token>, <access_token_secret>"


def test_the_account_name_is_stable() -> None:
    """It is the user ID at the start of the token, or else a digest of the token."""
    assert ep.UserContext("ck", "cs", "9-at", "ats").account == "user 9"
    names = {
        token: ep.UserContext("ck", "cs", token, "ats").account
        for token in ("at", "other", "x-at", "-at", "9at")
    }
    assert names["at"] == "token " + hashlib.sha256(b"at").hexdigest()[:12]
    assert len(set(names.values())) == 5
    assert all(re.fullmatch("token [0-9a-f]{12}", name) for name in names.values())
    assert ep.UserContext("other", "keys", "at", "secret").account == names["at"]


def test_a_known_user_id_is_the_account_name() -> None:
    """The token need not begin with it."""
    user = ep.UserContext("ck", "cs", "at", "ats", "9")
    assert user.account == "user 9"
    assert user.redact("9 posts of ats") == "9 posts of <access_token_secret>"


def test_the_app_from_the_environment() -> None:
    """The key and secret have fallbacks too; the error lists missing variables."""
    assert ep.Consumer.from_env(ENV) == ep.Consumer("ck", "cs")
    with pytest.raises(ep.MissingCredentials) as caught:
        ep.Consumer.from_env({"TWITTER_CONSUMER_KEY": "ck"})
    assert caught.value.variables == ("X_CONSUMER_SECRET",)


def test_apps_are_identified_by_a_digest_of_the_key() -> None:
    """An app with a new secret is the same app."""
    assert ep.Consumer("ck", "cs").app == hashlib.sha256(b"ck").hexdigest()[:12]
    assert ep.Consumer("ck", "other").app == ep.Consumer("ck", "cs").app
    assert ep.Consumer("ck2", "cs").app != ep.Consumer("ck", "cs").app
