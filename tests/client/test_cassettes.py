"""Recorded responses of the sandbox, and responses copied from the documentation.

``cassettes/README.md`` lists both. The sandbox's are recorded again with::

    pytest tests/client/test_cassettes.py --record-mode=rewrite
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from support.recording import CASSETTES
from support.recording import TAPE_PORT as PORT
from vcr.errors import CannotOverwriteExistingCassetteException

import engagement_pandas as ep
from engagement_pandas.sandbox import SandboxServer

NOW = "2026-04-15T12:20:00Z"
DOCUMENTED = {"totals_owned_documented", "totals_public_documented", "historical_documented"}

USER = ep.UserContext("recorded", "recorded", "recorded", "recorded")
MARCH = ep.Window.covering("2026-04-14", "2026-04-15T06:00:00Z")


@pytest.fixture
def clients(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Return clients of the recording; while recording, of a sandbox at the same address."""
    url = f"http://127.0.0.1:{PORT}"
    recording = request.config.getoption("--record-mode") not in (None, "none")
    server = SandboxServer(now=NOW, port=PORT) if recording else None
    keys = server.keys() if server else None
    owner = (
        ep.UserContext(
            keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
        )
        if keys
        else USER
    )
    app = (
        ep.AppOnly.from_consumer(keys.consumer_key, keys.consumer_secret)
        if keys
        else ep.AppOnly.from_consumer("recorded", "recorded")
    )
    urls = {"base_url": url, "token_url": f"{url}/oauth2/token"}
    with (
        ep.EngagementClient(owner, **urls) as client,  # type: ignore[arg-type]
        ep.EngagementClient(app, **urls) as public,  # type: ignore[arg-type]
    ):
        yield {"client": client, "public": public}
    if server:
        server.close()


def post_ids(handle: str = "sandbox_bakery", last: int = 3) -> list[str]:
    """Return IDs of the sandbox's posts, without a server."""
    from engagement_pandas.sandbox import World  # noqa: PLC0415
    from engagement_pandas.sandbox.service import as_clock  # noqa: PLC0415

    posts = World(as_clock(NOW)).posts(handle)
    return [post.post_id for post in posts[-last:]]


def check_against_sandbox(responses: list[ep.EngagementResponse]) -> None:
    """Send the same requests to the present sandbox, and compare its frames with these."""
    with ep.demo_client(now=NOW) as demo:
        requests = [r.request for r in responses]
        bearer = all(request.owner_only is None for request in requests)
        client = demo.public if bearer else demo.client
        responses_now = [response for request in requests for response in client.fetch(request)]
    pd.testing.assert_frame_equal(ep.flatten(responses), ep.flatten(responses_now))
    pd.testing.assert_frame_equal(ep.omissions(responses), ep.omissions(responses_now))


@pytest.mark.default_cassette("totals_public.yaml")
@pytest.mark.vcr
def test_public_totals(clients: dict[str, Any]) -> None:
    """A bearer token is fetched, and the counts equal those of the present sandbox."""
    request = ep.totals(post_ids(), engagement_types=ep.PUBLIC_TYPES)
    responses = clients["public"].fetch(request)
    assert len(ep.flatten(responses)) == 3 * 5
    check_against_sandbox(responses)


@pytest.mark.default_cassette("last_28_hours.yaml")
@pytest.mark.vcr
def test_last_28_hours(clients: dict[str, Any]) -> None:
    """The range from 08:20 the day before to 12:20 has 29 hours, two of them partial."""
    request = ep.last_28_hours(post_ids(last=2), engagement_types=["impressions", "favorites"])
    responses = clients["client"].fetch(request)
    counts = ep.flatten(responses)
    assert len(counts) == 2 * 2 * 29
    times = ep.timestamps(counts)
    assert str(times.min()) == "2026-04-14 08:00:00+00:00"
    assert str(times.max()) == "2026-04-15 12:00:00+00:00"
    check_against_sandbox(responses)


@pytest.mark.default_cassette("historical_with_an_unowned_post.yaml")
@pytest.mark.vcr
def test_historical_with_an_unowned_post(clients: dict[str, Any]) -> None:
    """The recording has both the refusal and the second request."""
    unowned = post_ids("sandbox_railway", last=9)[:1]
    owned = post_ids(last=9)[:2]
    request = ep.historical(
        [*owned, *unowned], engagement_types=["impressions"], window=MARCH, by=ep.BY_HOUR
    )
    responses = clients["client"].fetch(request)
    assert [(r.status, r.request.post_ids) for r in responses] == [
        (403, tuple(unowned)),
        (200, tuple(owned)),
    ]
    assert len(ep.flatten(responses)) == 2 * 30
    check_against_sandbox(responses)


@pytest.mark.default_cassette("three_groupings.yaml")
@pytest.mark.vcr
def test_three_groupings(clients: dict[str, Any]) -> None:
    """The three frames of one request have equal sums."""
    by = {
        "types": ["engagement.type"],
        "days": ["engagement.day", "engagement.type"],
        "hours": ["engagement.type", "tweet.id", "engagement.day", "engagement.hour"],
    }
    posts = post_ids(last=9)[:2]
    request = ep.historical(posts, engagement_types=["impressions"], window=MARCH, by=by)
    responses = clients["client"].fetch(request)
    sums = {name: ep.flatten(responses, name)["count"].sum() for name in by}
    assert len(set(sums.values())) == 1
    assert sums["types"] > 0


@pytest.mark.default_cassette("totals_owned_documented.yaml")
@pytest.mark.vcr(record_mode="none")
def test_documented_totals_of_owned_posts() -> None:
    """The documented request gives the counts of the documented response."""
    with ep.EngagementClient(USER) as client:
        responses = client.fetch(
            ep.totals(
                ["1060976163948904448", "1045709644067471360"],
                engagement_types=[
                    "favorites", "replies", "retweets", "video_views", "impressions", "engagements"
                ],
                by={"perTweetMetricsOwned": ["tweet.id", "engagement.type"]},
            )
        )  # fmt: skip
    counts = ep.flatten(responses).set_index(["post_id", "engagement_type"])["count"]
    assert counts.loc["1045709644067471360"].to_dict() == {
        "impressions": 47,
        "engagements": 2,
        "favorites": 0,
        "retweets": 8,
        "quote_tweets": 5,
        "replies": 0,
        "video_views": 0,
    }
    assert counts.loc[("1060976163948904448", "impressions")] == 148


@pytest.mark.default_cassette("totals_public_documented.yaml")
@pytest.mark.vcr(record_mode="none")
def test_documented_totals_of_public_posts() -> None:
    """A bearer token reads 5,754,512 video views and two true zeros."""
    with ep.EngagementClient(ep.AppOnly("recorded")) as client:
        responses = client.fetch(
            ep.totals(
                ["1070059276213702656", "1021817816134156288", "1067094924124872705"],
                engagement_types=[
                    "favorites",
                    "retweets",
                    "replies",
                    "quote_tweets",
                    "video_views",
                ],
                by={"perTweetMetricsUnowned": ["tweet.id", "engagement.type"]},
            )
        )
    counts = ep.flatten(responses)
    views = counts[counts["engagement_type"] == "video_views"].set_index("post_id")["count"]
    assert views.to_dict() == {
        "1021817816134156288": 0,
        "1067094924124872705": 5754512,
        "1070059276213702656": 0,
    }
    assert len(ep.omissions(responses)) == 0


@pytest.mark.default_cassette("historical_documented.yaml")
@pytest.mark.vcr(record_mode="none")
def test_documented_historical() -> None:
    """Two weeks of 2015 are summed by post and type."""
    with ep.EngagementClient(USER) as client:
        responses = client.fetch(
            ep.historical(
                ["123456789", "223456789", "323456789"],
                engagement_types=["impressions", "engagements", "url_clicks", "detail_expands"],
                window=ep.Window.covering("2015-08-01", "2015-08-15"),
                by={"types-by-tweet-id": ["tweet.id", "engagement.type"]},
            )
        )
    counts = ep.flatten(responses)
    assert counts["count"].tolist() == [0, 0, 0, 0, 788, 134, 30, 1323, 4, 0, 2, 0]


@pytest.mark.default_cassette("totals_public_documented.yaml")
@pytest.mark.vcr(record_mode="none")
def test_a_recording_answers_only_its_own_request() -> None:
    """The body is matched, so the response for one post is not replayed for another."""
    with (
        ep.EngagementClient(ep.AppOnly("recorded")) as client,
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        client.fetch(ep.totals(["1"], engagement_types=["favorites"]))


def test_each_cassette_is_described() -> None:
    """cassettes/README.md names each recording and no others."""
    text = (CASSETTES / "README.md").read_text()
    for tape in CASSETTES.glob("*.yaml"):
        assert f"`{tape.name}`" in text
    described = {word.strip("`") for word in text.split() if word.endswith(".yaml`")}
    assert described == {tape.name for tape in CASSETTES.glob("*.yaml")}


@pytest.mark.parametrize("tape", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_only_documented_recordings_name_xs_host(tape: Path) -> None:
    """The sandbox's recordings name a loopback address."""
    tracks = yaml.safe_load(tape.read_text())["interactions"]
    hosts = {track["request"]["uri"].split("/")[2] for track in tracks}
    documented = tape.stem in DOCUMENTED
    assert hosts == ({"data-api.twitter.com"} if documented else {f"127.0.0.1:{PORT}"})
