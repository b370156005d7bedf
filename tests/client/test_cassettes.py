"""Recorded answers: of the sandbox, and written out from the documentation.

``cassettes/README.md`` says which is which. Those of the sandbox are made anew with::

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
def twin(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
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


def world(handle: str = "sandbox_bakery", last: int = 3) -> list[str]:
    """Return IDs of the sandbox's posts, without a server."""
    from engagement_pandas.sandbox import World  # noqa: PLC0415
    from engagement_pandas.sandbox.service import as_clock  # noqa: PLC0415

    posts = World(as_clock(NOW)).posts(handle)
    return [post.post_id for post in posts[-last:]]


def same_as_today(responses: list[ep.EngagementResponse]) -> None:
    """Ask the sandbox of today the same, and hold its frame against the recorded one."""
    with ep.demo_client(now=NOW) as demo:
        asked = [r.request for r in responses]
        bearer = all(request.owner_only is None for request in asked)
        client = demo.public if bearer else demo.client
        again = [answer for request in asked for answer in client.fetch(request)]
    pd.testing.assert_frame_equal(ep.flatten(responses), ep.flatten(again))
    pd.testing.assert_frame_equal(ep.omissions(responses), ep.omissions(again))


@pytest.mark.default_cassette("totals_public.yaml")
@pytest.mark.vcr
def test_public_totals(twin: dict[str, Any]) -> None:
    """A bearer token is fetched, and public types counted; as the sandbox does today."""
    request = ep.totals(world(), engagement_types=ep.PUBLIC_TYPES)
    responses = twin["public"].fetch(request)
    assert len(ep.flatten(responses)) == 3 * 5
    same_as_today(responses)


@pytest.mark.default_cassette("last_28_hours.yaml")
@pytest.mark.vcr
def test_last_28_hours(twin: dict[str, Any]) -> None:
    """From 08:20 the day before to 12:20: 29 hours, the first and the last in part."""
    request = ep.last_28_hours(world(last=2), engagement_types=["impressions", "favorites"])
    responses = twin["client"].fetch(request)
    counts = ep.flatten(responses)
    assert len(counts) == 2 * 2 * 29
    moments = ep.timestamps(counts)
    assert str(moments.min()) == "2026-04-14 08:00:00+00:00"
    assert str(moments.max()) == "2026-04-15 12:00:00+00:00"
    same_as_today(responses)


@pytest.mark.default_cassette("historical_with_an_unowned_post.yaml")
@pytest.mark.vcr
def test_historical_with_an_unowned_post(twin: dict[str, Any]) -> None:
    """The refusal and the second request are both on the tape."""
    unowned = world("sandbox_railway", last=9)[:1]
    mine = world(last=9)[:2]
    request = ep.historical(
        [*mine, *unowned], engagement_types=["impressions"], window=MARCH, by=ep.BY_HOUR
    )
    responses = twin["client"].fetch(request)
    assert [(r.status, r.request.post_ids) for r in responses] == [
        (403, tuple(unowned)),
        (200, tuple(mine)),
    ]
    assert len(ep.flatten(responses)) == 2 * 30
    same_as_today(responses)


@pytest.mark.default_cassette("three_groupings.yaml")
@pytest.mark.vcr
def test_three_groupings(twin: dict[str, Any]) -> None:
    """One request, three frames that agree with each other."""
    by = {
        "types": ["engagement.type"],
        "days": ["engagement.day", "engagement.type"],
        "hours": ["engagement.type", "tweet.id", "engagement.day", "engagement.hour"],
    }
    posts = world(last=9)[:2]
    request = ep.historical(posts, engagement_types=["impressions"], window=MARCH, by=by)
    responses = twin["client"].fetch(request)
    sums = {name: ep.flatten(responses, name)["count"].sum() for name in by}
    assert len(set(sums.values())) == 1
    assert sums["types"] > 0


@pytest.mark.default_cassette("totals_owned_documented.yaml")
@pytest.mark.vcr(record_mode="none")
def test_documented_totals_of_owned_posts() -> None:
    """The documented request and its documented answer; the counts as printed there."""
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
    """With a bearer token: 5,754,512 video views, and two true zeros."""
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
    """Two weeks of 2015, summed by post and type."""
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
def test_a_recording_answers_only_its_own_question() -> None:
    """Matched on the body: the answer about one post is not replayed for another."""
    with (
        ep.EngagementClient(ep.AppOnly("recorded")) as client,
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        client.fetch(ep.totals(["1"], engagement_types=["favorites"]))


def test_each_cassette_is_described() -> None:
    """cassettes/README.md names each, and none that is not there."""
    text = (CASSETTES / "README.md").read_text()
    for tape in CASSETTES.glob("*.yaml"):
        assert f"`{tape.name}`" in text
    named = {word.strip("`") for word in text.split() if word.endswith(".yaml`")}
    assert named == {tape.name for tape in CASSETTES.glob("*.yaml")}


@pytest.mark.parametrize("tape", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_recording_does_not_pass_itself_off(tape: Path) -> None:
    """Only what is written out from the documentation names X's host."""
    tracks = yaml.safe_load(tape.read_text())["interactions"]
    hosts = {track["request"]["uri"].split("/")[2] for track in tracks}
    documented = tape.stem in DOCUMENTED
    assert hosts == ({"data-api.twitter.com"} if documented else {f"127.0.0.1:{PORT}"})
