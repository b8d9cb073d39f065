"""The agreement over HTTP, against a real database: proposed, edited, signed, reviewed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest

from services.sessions.queries import agreements
from shared.events.sessions import AgreementReviewed, AgreementSigned
from shared.ids import PairId, TenantId, new_id
from shared.postgres import outbox
from shared.postgres.tenancy import acting_for
from tests.integration.sessions.world import (
    DAY,
    MENTEE,
    MENTOR,
    START,
    STRANGER,
    TENANT,
    World,
)
from tests.support.callers import as_

pytestmark = pytest.mark.stack

GOAL, TOPIC = "speak up in the steering committee", "my divorce"
MORNINGS = {"person_id": MENTOR, "weekday": 1, "from_minute": 480, "until_minute": 720}
FRIDAYS = {"person_id": MENTEE, "weekday": 5, "from_minute": 720, "until_minute": 1440}


def agreement(world: World) -> str:
    return f"/v1/pairs/{world.pair}/agreement"


def everything(world: World, **changed: object) -> dict[str, object]:
    """Terms with all there is to agree on."""
    return world.body(
        hours=[MORNINGS],
        off_limits=[FRIDAYS],
        goals=[GOAL],
        topics_off_limits=[TOPIC],
        feedback="in_writing",
        review_after_days=90,
        **changed,
    )


async def edit(
    world: World, person: str, version: int, body: Mapping[str, object], match: str | None
) -> httpx.Response:
    headers = as_(person, tenant=TENANT)
    if match is not None:
        headers["If-Match"] = match
    return await world.http.put(f"{agreement(world)}s/{version}", json=body, headers=headers)


async def sign_first(world: World, **terms: object) -> None:
    await world.ok(MENTOR, agreement(world), everything(world, **terms))
    await world.ok(MENTEE, f"{agreement(world)}/sign", {"version": 1})


async def test_an_agreement_is_in_force_once_both_have_signed(world: World) -> None:
    proposed = await world.ok(MENTOR, agreement(world), world.body())
    assert proposed["state"] == "proposed"
    assert (await world.view())["agreement"] is None
    assert await world.types() == ["agreement.proposed"]

    world.clock.at += DAY
    signed = await world.ok(MENTEE, f"{agreement(world)}/sign", {"version": 1})

    assert signed["state"] == "signed"
    assert (await world.view(MENTEE))["agreement"] == signed
    assert (await world.view(MENTEE))["proposed_agreement"] is None
    assert await world.last() == ("agreement.signed", world.clock.at)


async def test_all_that_was_proposed_comes_back_as_it_was(world: World) -> None:
    proposed = await world.ok(MENTOR, agreement(world), everything(world))

    read = (await world.get(MENTEE, f"{agreement(world)}s/1")).json()

    assert {name: read[name] for name in proposed} == proposed
    assert (read["hours"], read["off_limits"]) == ([MORNINGS], [FRIDAYS])
    assert (read["goals"], read["topics_off_limits"]) == ([GOAL], [TOPIC])
    assert (read["feedback"], read["review_after_days"]) == ("in_writing", 90)
    assert read["allowed"] == ["sign", "propose"]


async def test_the_pair_s_own_words_are_in_no_fact_and_no_record(world: World) -> None:
    await sign_first(world)
    await world.ok(MENTEE, agreement(world), everything(world, cadence_days=7))
    world.clock.at += 85 * DAY
    for person in (MENTOR, MENTEE):
        await world.ok(person, f"{agreement(world)}/review", {"version": 1})

    async with world.pool.acquire() as conn:
        told = [each.value or b"" for each in await outbox.take(conn, 100)]
    rows = await world.look(
        "SELECT history::text AS row FROM history UNION ALL SELECT request::text FROM request"
    )
    written = b" ".join(told).decode() + " ".join(row["row"] for row in rows)
    assert "agreement_version" in written
    assert (GOAL in written, TOPIC in written) == (False, False)
    facts = [event.fact for event in await world.published()]
    signed = next(fact for fact in facts if isinstance(fact, AgreementSigned))
    assert [each.person_id for each in (*signed.hours, *signed.off_limits)] == [MENTOR, MENTEE]
    assert str(signed.review_on) == "2026-05-31"


async def test_signing_a_superseded_version_names_the_newest(world: World) -> None:
    await world.ok(MENTOR, agreement(world), world.body())
    await world.ok(MENTEE, agreement(world), world.body(cadence_days=7))

    late = await world.post(MENTEE, f"{agreement(world)}/sign", {"version": 1})

    assert late.status_code == 409
    assert late.json()["type"].endswith("agreement-superseded")
    assert "newest is version 2" in late.json()["detail"]
    assert late.json()["allowed"] == ["propose"]
    assert await world.types() == ["agreement.proposed", "agreement.proposed"]


async def test_signing_twice_is_told_once(world: World) -> None:
    await world.ok(MENTOR, agreement(world), world.body())

    answers = await asyncio.gather(
        *(world.post(MENTEE, f"{agreement(world)}/sign", {"version": 1}) for _ in range(5))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert await world.types() == ["agreement.proposed", "agreement.signed"]


async def test_the_proposer_cannot_sign_for_the_other_side(world: World) -> None:
    await world.ok(MENTOR, agreement(world), world.body())

    refused = await world.post(MENTOR, f"{agreement(world)}/sign", {"version": 1})

    assert refused.status_code == 409
    assert refused.json()["type"].endswith("own-proposal")
    assert refused.json()["allowed"] == ["edit", "withdraw"]


async def test_an_old_agreement_stays_in_force_while_a_new_one_waits(world: World) -> None:
    await sign_first(world)

    await world.ok(MENTEE, agreement(world), world.body(cadence_days=7))

    view = await world.view()
    assert view["agreement"]["version"] == 1
    assert view["proposed_agreement"]["version"] == 2


async def test_a_retried_proposal_is_one_version(world: World) -> None:
    first = await world.post(MENTOR, agreement(world), world.body(), key="k")
    again = await world.post(MENTOR, agreement(world), world.body(), key="k")

    assert (first.status_code, again.text) == (201, first.text)
    assert await world.types() == ["agreement.proposed"]


async def test_two_proposals_at_once_become_two_versions(world: World) -> None:
    answers = await asyncio.gather(
        world.post(MENTOR, agreement(world), world.body()),
        world.post(MENTEE, agreement(world), world.body()),
    )

    assert sorted(answer.json()["version"] for answer in answers) == [1, 2]
    now = (await world.get(MENTOR, agreement(world))).json()
    assert (now["proposed"]["version"], now["in_force"]) == (2, None)


async def test_a_proposal_and_a_signature_at_once_never_sign_the_wrong_version(
    world: World,
) -> None:
    await world.ok(MENTOR, agreement(world), world.body())

    signed, proposed = await asyncio.gather(
        world.post(MENTEE, f"{agreement(world)}/sign", {"version": 1}),
        world.post(MENTOR, agreement(world), world.body(cadence_days=7)),
    )

    assert proposed.json()["version"] == 2
    # Either came first: signed before the new version, or refused because of it.
    in_force = (await world.view())["agreement"]
    assert (signed.status_code, in_force is not None) in {(200, True), (409, False)}


async def test_an_edited_proposal_is_signed_as_it_was_read(world: World) -> None:
    made = await world.post(MENTOR, agreement(world), everything(world))
    edited = await edit(world, MENTOR, 1, world.body(cadence_days=7), made.headers["ETag"])
    assert (edited.status_code, edited.json()["revision"]) == (200, 2)

    unread = await world.post(MENTEE, f"{agreement(world)}/sign", {"version": 1})
    stale = await world.post(
        MENTEE, f"{agreement(world)}/sign", {"version": 1}, match=made.headers["ETag"]
    )
    named = await world.post(MENTEE, f"{agreement(world)}/sign", {"version": 1, "revision": 1})

    assert (unread.status_code, stale.status_code, named.status_code) == (409, 412, 409)
    assert unread.json()["type"].endswith("agreement-edited")
    assert (await world.view())["agreement"] is None
    read = await world.get(MENTEE, f"{agreement(world)}s/1")
    match = read.headers["ETag"]
    signed = await world.post(MENTEE, f"{agreement(world)}/sign", {"version": 1}, match=match)
    assert (signed.status_code, signed.json()["cadence_days"]) == (200, 7)
    assert await world.types() == ["agreement.proposed", "agreement.signed"]


async def test_of_an_edit_and_a_signature_at_once_nothing_is_half_signed(world: World) -> None:
    for n in range(1, 9):
        await world.ok(MENTOR, agreement(world), world.body(cadence_days=14))

        edited, signed = await asyncio.gather(
            edit(world, MENTOR, n, world.body(cadence_days=7), '"1"'),
            world.post(MENTEE, f"{agreement(world)}/sign", {"version": n, "revision": 1}),
        )

        version = (await world.get(MENTOR, f"{agreement(world)}s/{n}")).json()
        outcome = (edited.status_code, signed.status_code, version["cadence_days"])
        assert outcome in {(200, 409, 7), (412, 200, 14)}
        assert (version["state"] == "signed") == (signed.status_code == 200)


async def test_an_edit_names_what_was_read(world: World) -> None:
    made = await world.post(MENTOR, agreement(world), world.body())

    blind = await edit(world, MENTOR, 1, world.body(), None)
    first = await edit(world, MENTOR, 1, world.body(cadence_days=7), made.headers["ETag"])
    second = await edit(world, MENTOR, 1, world.body(cadence_days=9), made.headers["ETag"])

    assert (blind.status_code, first.status_code, second.status_code) == (428, 200, 412)
    assert (await world.view())["proposed_agreement"]["cadence_days"] == 7


async def test_only_one_s_own_waiting_proposal_is_edited(world: World) -> None:
    made = await world.post(MENTOR, agreement(world), world.body())
    theirs = await edit(world, MENTEE, 1, world.body(), made.headers["ETag"])
    signed = await world.post(MENTEE, f"{agreement(world)}/sign", {"version": 1})
    late = await edit(world, MENTOR, 1, world.body(), signed.headers["ETag"])
    none = await edit(world, MENTOR, 2, world.body(), '"1"')

    assert (theirs.status_code, late.status_code, none.status_code) == (409, 409, 404)
    assert theirs.json()["allowed"] == ["sign", "propose"]
    assert late.json()["type"].endswith("agreement-settled")


async def test_what_is_taken_back_waits_for_nobody(world: World) -> None:
    await sign_first(world)
    await world.ok(MENTEE, agreement(world), world.body(cadence_days=7))

    theirs = await world.post(MENTOR, f"{agreement(world)}/withdraw", {"version": 2})
    taken = await world.ok(MENTEE, f"{agreement(world)}/withdraw", {"version": 2})
    signed = await world.post(MENTOR, f"{agreement(world)}/sign", {"version": 2})

    assert (theirs.status_code, taken["state"], signed.status_code) == (409, "withdrawn", 409)
    view = await world.view(MENTOR)
    assert (view["agreement"]["version"], view["proposed_agreement"]) == (1, None)


async def test_before_one_signs_one_sees_what_would_change(world: World) -> None:
    await sign_first(world)
    await world.ok(MENTEE, agreement(world), everything(world, cadence_days=7) | {"hours": []})

    now = (await world.get(MENTOR, agreement(world))).json()

    assert (now["in_force"]["version"], now["proposed"]["version"]) == (1, 2)
    assert now["proposed"]["since"] == 1
    assert now["proposed"]["changed"] == [
        {"field": "cadence_days", "before": 14, "after": 7},
        {"field": "hours", "before": [MORNINGS], "after": []},
    ]
    assert now["proposed"]["allowed"] == ["sign", "propose"]


async def test_a_counter_proposal_is_compared_with_the_proposal(world: World) -> None:
    await world.ok(MENTOR, agreement(world), world.body())
    await world.ok(MENTEE, agreement(world), world.body(notice_hours=48))

    now = (await world.get(MENTOR, agreement(world))).json()

    assert now["proposed"]["changed"] == [{"field": "notice_hours", "before": 24, "after": 48}]


async def test_every_version_is_kept_and_says_what_became_of_it(world: World) -> None:
    await sign_first(world)
    await world.ok(MENTEE, agreement(world), world.body(cadence_days=7))
    await world.ok(MENTEE, agreement(world), world.body(cadence_days=8))
    await world.ok(MENTOR, f"{agreement(world)}/sign", {"version": 3})
    await world.ok(MENTOR, agreement(world), world.body(cadence_days=9))
    await world.ok(MENTOR, f"{agreement(world)}/withdraw", {"version": 4})
    await world.ok(MENTOR, agreement(world), world.body(cadence_days=10))

    found, before = [], ""
    while True:
        page = (await world.get(MENTEE, f"{agreement(world)}s?limit=2{before}")).json()
        found += page["versions"]
        if page["next_before"] is None:
            break
        before = f"&before={page['next_before']}"

    assert [(each["version"], each["state"]) for each in found] == [
        (5, "proposed"),
        (4, "withdrawn"),
        (3, "signed"),
        (2, "superseded"),
        (1, "replaced"),
    ]
    assert [each["since"] for each in found] == [4, 3, 2, 1, None]
    assert found[2]["changed"] == [{"field": "cadence_days", "before": 7, "after": 8}]


async def test_a_review_is_told_once_both_have_looked_and_sets_the_next(world: World) -> None:
    await sign_first(world)
    early = await world.post(MENTOR, f"{agreement(world)}/review", {"version": 1})
    world.clock.at = START + 85 * DAY
    half = await world.ok(MENTOR, f"{agreement(world)}/review", {"version": 1})
    world.clock.at += 6 * DAY
    whole = await world.ok(MENTEE, f"{agreement(world)}/review", {"version": 1})

    assert (early.status_code, early.json()["type"][-15:]) == (409, "review-not-open")
    assert (half["reviewed_by"], half["review_on"]) == ([MENTOR], "2026-05-31")
    assert (whole["reviewed_by"], whole["review_on"]) == ([MENTOR, MENTEE], "2026-08-30")
    fact = (await world.published())[-1].fact
    assert isinstance(fact, AgreementReviewed)
    assert not fact.on_time
    assert await world.last() == ("agreement.reviewed", world.clock.at)


async def test_both_reviewing_at_once_are_one_review(world: World) -> None:
    await sign_first(world)
    world.clock.at = START + 85 * DAY

    answers = await asyncio.gather(
        *(
            world.post(person, f"{agreement(world)}/review", {"version": 1})
            for person in (MENTOR, MENTEE, MENTOR, MENTEE)
        )
    )

    assert {answer.status_code for answer in answers} == {200}
    assert (await world.types()).count("agreement.reviewed") == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"cadence_days": 0}, "body.cadence_days"),
        ({"channels": []}, "body.channels"),
        ({"channels": ["chat", "chat"]}, "body.channels"),
        ({"goals": ["x" * 201]}, "body.goals.0"),
        ({"goals": ["a\x00b"]}, "body.goals.0"),
        ({"goals": ["a\nb"]}, "body.goals.0"),
        ({"goals": ["x"] * 2}, "body.goals"),
        ({"topics_off_limits": [f"t{n}" for n in range(21)]}, "body.topics_off_limits"),
        ({"topics_off_limits": [" "]}, "body.topics_off_limits.0"),
        ({"feedback": "In writing"}, "body.feedback"),
        ({"review_after_days": 27}, "body.review_after_days"),
        ({"hours": [MORNINGS | {"weekday": 8}]}, "body.hours.0.weekday"),
        ({"hours": [MORNINGS | {"until_minute": 1441}]}, "body.hours.0.until_minute"),
        ({"hours": [MORNINGS | {"until_minute": 480}]}, "hours.0.until_minute"),
        ({"off_limits": [FRIDAYS, FRIDAYS | {"person_id": "eve"}]}, "off_limits.1.person_id"),
        ({"hours": [MORNINGS] * 101}, "body.hours"),
        ({"score": 1}, "body.score"),
    ],
)
async def test_terms_that_cannot_be_are_named(
    world: World, changed: dict[str, object], field: str
) -> None:
    refused = await world.post(MENTOR, agreement(world), world.body(**changed))

    assert refused.status_code == 422
    assert field in [each["field"] for each in refused.json()["errors"]]
    assert await world.types() == []


async def test_half_a_character_is_no_word(world: World) -> None:
    body = json.dumps(world.body(goals=["\ud800"]))
    headers = as_(MENTOR, tenant=TENANT) | {"Content-Type": "application/json"}

    refused = await world.http.post(agreement(world), content=body, headers=headers)

    assert refused.status_code == 422


async def test_to_anybody_else_there_is_no_agreement(world: World) -> None:
    await sign_first(world)
    nowhere = f"/v1/pairs/{PairId(new_id())}/agreement"
    reads = ("", "s", "s/1", "/draft")

    for end in reads:
        real = await world.get(STRANGER, agreement(world) + end)
        boss = await world.get("boss", agreement(world) + end, role="manager")
        other = await world.get(MENTOR, agreement(world) + end, tenant="globex")
        none = await world.get(STRANGER, nowhere + end)
        assert {each.status_code for each in (real, boss, other, none)} == {404}
        assert len({each.text for each in (real, boss, other, none)}) == 1
    for act, body in (
        ("sign", {"version": 1}),
        ("withdraw", {"version": 1}),
        ("review", {"version": 1}),
        ("review", {"version": 9}),
    ):
        refused = await world.post(STRANGER, f"{agreement(world)}/{act}", body)
        assert refused.status_code == 404
    assert (await edit(world, STRANGER, 1, world.body(), '"1"')).status_code == 404


async def test_the_words_of_who_is_erased_are_gone_and_the_rest_stays(world: World) -> None:
    await sign_first(world)
    theirs = everything(world, cadence_days=7)
    await world.ok(MENTEE, agreement(world), theirs | {"goals": ["another goal"]})

    async with acting_for(world.pool, TenantId("globex")) as conn:
        await agreements.erase_words(conn, TENANT, MENTOR)
    untouched = (await world.get(MENTEE, f"{agreement(world)}s/1")).json()
    async with acting_for(world.pool, TENANT) as conn:
        await agreements.erase_words(conn, TENANT, MENTOR)
    mine = (await world.get(MENTEE, f"{agreement(world)}s/1")).json()
    other = (await world.get(MENTEE, f"{agreement(world)}s/2")).json()

    assert untouched["goals"] == [GOAL]
    assert (mine["goals"], mine["topics_off_limits"]) == ([], [])
    assert (mine["proposed_by"], mine["hours"]) == (MENTOR, [MORNINGS])
    assert (other["goals"], other["topics_off_limits"]) == (["another goal"], [TOPIC])
    kept = await world.look("SELECT goals FROM agreement WHERE version = 1")
    assert [row["goals"] for row in kept] == [None]


async def test_a_proposal_whose_words_are_erased_is_to_be_read_again(world: World) -> None:
    await world.ok(MENTOR, agreement(world), everything(world))
    async with acting_for(world.pool, TENANT) as conn:
        await agreements.erase_words(conn, TENANT, MENTOR)

    refused = await world.post(MENTEE, f"{agreement(world)}/sign", {"version": 1})

    assert refused.json()["type"].endswith("agreement-edited")


async def test_a_version_the_release_before_wrote_can_be_signed_and_read(world: World) -> None:
    async with acting_for(world.pool, TENANT) as conn:
        await conn.execute(
            """INSERT INTO agreement (tenant, pair_id, version, cadence_days, notice_hours,
                   channels, proposed_by, proposed_at) VALUES ($1, $2, 1, 14, 24, $3, $4, $5)""",
            TENANT,
            world.pair,
            ["video"],
            MENTOR,
            world.clock.at - timedelta(days=1),
        )

    signed = await world.ok(MENTEE, f"{agreement(world)}/sign", {"version": 1})

    assert (signed["state"], signed["hours"], signed["review_on"]) == ("signed", [], None)
