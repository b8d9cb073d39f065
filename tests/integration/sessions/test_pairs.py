"""What members see of their pair, and what others' facts do to it, against a real database."""

from __future__ import annotations

import json
from datetime import date

import pytest

from services.sessions.domain.guidance import ADVICE
from shared.events.insights import (
    DirectionTrust,
    Facet,
    PartnerSafe,
    SharedTrust,
    TrustChanged,
)
from shared.events.people import PersonJoined, PersonLeft
from shared.events.sessions import CommitmentMissed
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, STRANGER, World

pytestmark = pytest.mark.stack


def shared(weakest: Facet | None) -> SharedTrust:
    return SharedTrust(score=0.5, low=0.4, high=0.6, band="steady", weakest=weakest)


def trust(world: World, revision: int, mentor: Facet | None, mentee: Facet | None) -> TrustChanged:
    # 0.123 stands for what only private answers could have made.
    private = DirectionTrust(score=0.123, low=0.123, high=0.123, band="strained", facets={})
    return TrustChanged(
        pair_id=world.pair,
        mentor_id=MENTOR,
        mentee_id=MENTEE,
        model="m1",
        revision=revision,
        as_of=START,
        half_life_days=90,
        health=0.123,
        gap=0.123,
        about_mentor=private,
        about_mentee=private,
        partner_safe=PartnerSafe(
            as_of=None, about_mentor=shared(mentor), about_mentee=shared(mentee)
        ),
    )


async def test_each_side_is_told_what_they_themselves_can_do(world: World) -> None:
    await world.deliver(trust(world, 1, "L", "R"))

    assert (await world.view(MENTOR))["next_step"]["title"] == "Listen actively"
    assert (await world.view(MENTEE))["next_step"]["title"] == "Be reliable"


async def test_a_newer_revision_replaces_an_older_one(world: World) -> None:
    await world.deliver(trust(world, 1, "L", "L"))
    await world.deliver(trust(world, 2, "B", "B"))

    assert (await world.view(MENTOR))["next_step"]["title"] == "Respect boundaries"


async def test_an_older_revision_changes_nothing(world: World) -> None:
    await world.deliver(trust(world, 2, "L", "L"), trust(world, 1, "B", "B"))
    await world.deliver(trust(world, 2, "P", "P"))

    assert (await world.view(MENTOR))["next_step"]["title"] == "Listen actively"


async def test_a_new_pair_begins_with_expectations_until_it_has_agreed(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"
    assert (await world.view())["next_step"]["title"] == ADVICE["E"].title

    await world.ok(MENTOR, path, world.body())
    await world.ok(MENTEE, f"{path}/sign", {"version": 1})

    assert (await world.view())["next_step"] is None


async def test_of_trust_nothing_private_is_kept_and_no_number_is_shown(world: World) -> None:
    await world.deliver(trust(world, 1, "L", "R"))

    (row,) = await world.look("SELECT row_to_json(pair_trust)::text AS kept FROM pair_trust")
    kept = row["kept"]
    assert "0.123" not in kept
    assert set(json.loads(kept)["partner_safe"]) == {"as_of", "about_mentor", "about_mentee"}
    shown = json.dumps([await world.view(MENTOR), await world.view(MENTEE)])
    assert not {"0.5", "0.4", "0.6", "score", "band", "strained"} & set(shown.split('"'))


async def test_a_member_sees_what_is_next_and_who_owes_what(world: World) -> None:
    await world.schedule(START + 2 * DAY)
    soon = await world.schedule(START + DAY)
    mine = await world.promise(START + 3 * DAY, by=MENTOR)
    theirs = await world.promise(START + 4 * DAY, by=MENTEE)

    view = await world.view(MENTOR)

    assert (view["you_are"], view["partner_id"], view["state"]) == ("mentor", MENTEE, "active")
    assert view["next_session"]["session_id"] == soon
    assert [each["commitment_id"] for each in view["commitments"]["yours"]] == [mine]
    assert [each["commitment_id"] for each in view["commitments"]["theirs"]] == [theirs]
    listed = await world.get(MENTOR, "/v1/pairs")
    assert [each["pair_id"] for each in listed.json()["pairs"]] == [str(world.pair)]


async def test_a_started_session_waits_for_the_side_that_has_not_confirmed(world: World) -> None:
    session = await world.schedule(START + DAY)
    world.clock.at = START + DAY + HOUR
    await world.ok(MENTEE, f"/v1/sessions/{session}/confirm")

    waiting = (await world.view(MENTOR))["sessions_to_confirm"]

    assert [each["session_id"] for each in waiting] == [session]
    assert (await world.view(MENTEE))["sessions_to_confirm"] == []


async def test_a_session_is_shown_in_the_reader_s_own_zone(world: World) -> None:
    joined = PersonJoined(
        person_id=MENTEE, email="t@x.org", display_name="T", timezone="Asia/Tokyo"
    )
    await world.schedule(START + DAY)
    await world.deliver(joined)
    assert (await world.view(MENTEE))["next_session"]["starts_at_local"] == (
        "2026-03-03T18:00:00+09:00"
    )

    await world.deliver(PersonLeft(person_id=MENTEE, left_on=date(2026, 3, 2)))

    assert (await world.view(MENTEE))["next_session"]["starts_at_local"] == ("2026-03-03T09:00:00Z")
    assert await world.look("SELECT FROM person") == []


async def test_an_ended_pair_asks_for_nothing_that_lay_after_its_end(world: World) -> None:
    before = await world.promise(START + DAY)
    after = await world.promise(START + 10 * DAY)
    session = await world.schedule(START + 10 * DAY)
    world.clock.at = START + 5 * DAY
    await world.end_pairs(START + 5 * DAY)

    world.clock.at = START + 30 * DAY
    await world.sweep()

    (missed,) = [
        event.fact for event in await world.published() if isinstance(event.fact, CommitmentMissed)
    ]
    assert str(missed.commitment_id) == before
    kept = await world.post(MENTOR, f"/v1/commitments/{after}/keep")
    confirmed = await world.post(MENTOR, f"/v1/sessions/{session}/confirm")
    assert (kept.status_code, confirmed.status_code) == (409, 409)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("agreement", {"cadence_days": 7, "notice_hours": 1, "channels": ["chat"]}),
        ("sessions", {"starts_at": "2026-03-20T09:00:00Z", "duration_minutes": 30}),
        ("commitments", {"due_at": "2026-03-20T09:00:00Z"}),
    ],
)
async def test_nothing_new_begins_in_an_ended_pair(
    world: World, what: str, body: dict[str, object]
) -> None:
    await world.end_pairs(START)

    refused = await world.post(MENTOR, f"/v1/pairs/{world.pair}/{what}", body)

    assert refused.status_code == 409
    assert refused.json()["type"].endswith("pair-ended")


@pytest.mark.parametrize("path", ["", "/history"])
async def test_a_stranger_cannot_tell_a_pair_from_none(world: World, path: str) -> None:
    real = await world.get(STRANGER, f"/v1/pairs/{world.pair}{path}")
    none = await world.get(STRANGER, f"/v1/pairs/{STRANGER_PAIR}{path}")
    other_tenant = await world.get(MENTOR, f"/v1/pairs/{world.pair}{path}", tenant="globex")

    assert real.status_code == none.status_code == other_tenant.status_code == 404
    assert real.text == none.text == other_tenant.text


STRANGER_PAIR = "01890000-0000-7000-8000-000000000000"


async def test_history_is_read_page_by_page_the_newest_first(world: World) -> None:
    for n in range(5):
        world.clock.at = START + n * HOUR
        await world.promise(START + (n + 2) * DAY, title=f"thing {n}")

    titles: list[str] = []
    cursor = ""
    while True:
        page = await world.get(MENTEE, f"/v1/pairs/{world.pair}/history?limit=2{cursor}")
        titles += [
            entry["title"] for entry in page.json()["entries"] if entry["type"] == "commitment.made"
        ]
        if page.json()["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json()['next_cursor']}"

    assert titles == [f"thing {n}" for n in (4, 3, 2, 1, 0)]


async def test_history_tells_everything_that_both_sides_saw(world: World) -> None:
    path = f"/v1/pairs/{world.pair}"
    await world.ok(MENTOR, f"{path}/agreement", world.body())
    await world.ok(MENTEE, f"{path}/agreement/sign", {"version": 1})
    world.clock.at += HOUR
    session = await world.schedule(START + DAY)

    newest, second, oldest = (await world.get(MENTEE, f"{path}/history")).json()["entries"]

    assert (newest["type"], second["type"]) == ("session.scheduled", "agreement.signed")
    assert oldest["type"] == "agreement.proposed"
    assert newest["occurred_at"] == "2026-03-02T10:00:00Z"
    assert newest["details"] == {
        "session_id": session,
        "by": MENTOR,
        "starts_at": "2026-03-03T09:00:00Z",
        "duration_minutes": 60,
        "channel": None,
    }
    assert oldest["details"]["agreement_version"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=nonsense", "cursor"),
        ("cursor=2026-01-01T00:00:00_01890000-0000-7000-8000-000000000000", "cursor"),
        ("limit=101", "query.limit"),
        ("limit=0", "query.limit"),
    ],
)
async def test_a_bad_page_is_refused_with_its_field(world: World, query: str, field: str) -> None:
    refused = await world.get(MENTEE, f"/v1/pairs/{world.pair}/history?{query}")

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == field
