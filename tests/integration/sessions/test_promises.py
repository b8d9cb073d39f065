"""What is said of a promise before it is due, and afterwards, over HTTP and on a real database."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events.sessions import CommitmentRenegotiated, ReplyRequested, ReplySettled
from shared.ids import new_id
from tests.integration.sessions.world import DAY, HOUR, MENTEE, MENTOR, START, STRANGER, World

pytestmark = pytest.mark.stack

DUE = START + 7 * DAY
GRACE = 48 * HOUR
MANAGER = "ines"


async def say(world: World, person: str, commitment: str, verb: str, **body: object) -> Any:
    return await world.ok(person, f"/v1/commitments/{commitment}/{verb}", body or None)


async def view(world: World, person: str, commitment: str) -> dict[str, Any]:
    answer = await world.get(person, f"/v1/commitments/{commitment}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_promise_waits_for_a_yes_and_says_what_each_may_do(world: World) -> None:
    commitment = await world.offer(DUE)

    mine, theirs = await view(world, MENTEE, commitment), await view(world, MENTOR, commitment)
    assert (mine["state"], mine["waits_for"], mine["title"]) == ("made", MENTOR, "read it")
    assert (mine["allowed"], theirs["allowed"]) == (["withdraw"], ["accept", "decline", "keep"])

    accepted = await say(world, MENTOR, commitment, "accept")

    assert (accepted["state"], accepted["waits_for"]) == ("open", None)
    assert accepted["accepted_at"] == "2026-03-02T09:00:00Z"
    assert await world.types() == [
        "commitment.made",
        "reply.requested",
        "commitment.accepted",
        "reply.settled",
    ]
    asked, settled = [
        each.fact
        for each in await world.published()
        if isinstance(each.fact, ReplyRequested | ReplySettled)
    ]
    assert isinstance(asked, ReplyRequested)
    assert (asked.of, asked.about, asked.until) == (MENTOR, "commitment", DUE)
    assert str(settled.reply_id) == commitment


@pytest.mark.parametrize(
    ("person", "verb", "state", "published"),
    [
        (MENTOR, "decline", "declined", ["commitment.made", "commitment.declined"]),
        (MENTEE, "withdraw", "withdrawn", ["commitment.made"]),
    ],
)
async def test_a_promise_that_nobody_takes_is_never_missed(
    world: World, person: str, verb: str, state: str, published: list[str]
) -> None:
    refused, silent = await world.offer(DUE), await world.offer(DUE)
    assert (await say(world, person, refused, verb))["state"] == state

    world.clock.at = DUE + GRACE
    assert await world.sweep() == 1

    assert (await view(world, MENTOR, silent))["state"] == "lapsed"
    assert await world.told() == ["commitment.made", *published]
    assert (await world.types()).count("reply.settled") == 2


async def test_what_cannot_be_done_names_what_can(world: World) -> None:
    commitment = await world.promise(DUE)

    refused = await world.post(MENTOR, f"/v1/commitments/{commitment}/dispute")

    assert refused.status_code == 409
    assert refused.json()["allowed"] == ["keep", "release"]
    assert "keep, release" in refused.json()["detail"]
    late = await view(world, MENTEE, commitment)
    assert late["allowed"] == ["warn", "ask-for-time", "claim-done"]


async def test_more_time_is_asked_for_and_agreed_on(world: World) -> None:
    commitment = await world.promise(DUE)
    later = DUE + 5 * DAY
    asked = await say(world, MENTEE, commitment, "ask-for-time", due_at=later.isoformat())
    assert (asked["asked_for"], asked["waits_for"]) == ("2026-03-14T09:00:00Z", MENTOR)

    world.clock.at = START + DAY
    agreed = await say(world, MENTOR, commitment, "agree-time")
    world.clock.at = DUE + GRACE
    assert await world.sweep() == 0
    world.clock.at = later + GRACE
    assert await world.sweep() == 1

    assert (agreed["due_at"], agreed["warned_at"]) == ("2026-03-14T09:00:00Z", None)
    assert await world.told("commitment.made", "commitment.accepted") == [
        "commitment.warned",
        "commitment.renegotiated",
        "commitment.missed",
    ]
    facts = [each.fact for each in await world.published()]
    (fact,) = [each for each in facts if isinstance(each, CommitmentRenegotiated)]
    assert (fact.previous_due_at, fact.with_notice) == (DUE, True)


async def test_how_long_before_it_is_due_more_time_is_asked_for_is_agreed(world: World) -> None:
    path = f"/v1/pairs/{world.pair}/agreement"
    await world.ok(MENTOR, path, world.body(notice_hours=72))
    await world.ok(MENTEE, f"{path}/sign", {"version": 1})
    commitment = await world.promise(DUE)
    world.clock.at = DUE - 48 * HOUR
    await say(world, MENTEE, commitment, "ask-for-time", due_at=(DUE + DAY).isoformat())

    await say(world, MENTOR, commitment, "agree-time")

    facts = [each.fact for each in await world.published()]
    (fact,) = [each for each in facts if isinstance(each, CommitmentRenegotiated)]
    assert not fact.with_notice


async def test_who_refuses_more_time_or_lets_go(world: World) -> None:
    one, other = await world.promise(DUE), await world.promise(DUE)
    for each in (one, other):
        await say(world, MENTEE, each, "ask-for-time", due_at=(DUE + DAY).isoformat())

    refused = await say(world, MENTOR, one, "refuse-time")
    released = await say(world, MENTOR, other, "release")

    assert (refused["state"], refused["asked_for"], refused["due_at"]) == (
        "open",
        None,
        "2026-03-09T09:00:00Z",
    )
    assert (released["state"], released["allowed"]) == ("released", [])
    assert (await world.told())[-1] == "commitment.released"


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "not swept yet"])
async def test_a_miss_is_heard_of_whether_or_not_the_sweeper_has_been(
    world: World, swept: bool
) -> None:
    commitment = await world.promise(DUE)
    world.clock.at = DUE + GRACE
    if swept:
        await world.sweep()
    assert (await view(world, MENTOR, commitment))["state"] == "missed"

    heard = await say(world, MENTOR, commitment, "acknowledge")
    await world.sweep()

    assert (heard["state"], heard["allowed"]) == ("missed", [])
    assert (await world.told())[-2:] == ["commitment.missed", "commitment.acknowledged"]
    missed = [e for e in await world.published() if e.fact.type == "commitment.missed"]
    assert [each.occurred_at for each in missed] == [DUE + GRACE]


async def test_due_in_days_is_the_end_of_one_s_own_day(world: World) -> None:
    made = await world.ok(
        MENTEE, f"/v1/pairs/{world.pair}/commitments", {"due_in_days": 3, "size": "small"}
    )

    assert (made["due_at"], made["size"]) == ("2026-03-05T23:59:00Z", "small")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"due_at": DUE.isoformat(), "due_in_days": 1},
        {"due_in_days": 0},
        {"due_in_days": 367},
        {"due_in_days": 1, "size": "huge"},
        {"due_in_days": 366, "due_at": None, "surprise": 1},
    ],
)
async def test_a_promise_says_once_when_it_is_due(world: World, body: dict[str, object]) -> None:
    refused = await world.post(MENTEE, f"/v1/pairs/{world.pair}/commitments", body)

    assert refused.status_code == 422
    assert refused.json()["errors"]


async def test_commitments_are_read_page_by_page_by_state_and_side(world: World) -> None:
    made = []
    for n in range(5):
        world.clock.at = START + n * HOUR
        made.append(await world.promise(DUE + n * DAY, by=MENTOR if n == 2 else MENTEE))
    await say(world, MENTOR, made[4], "keep")
    path = f"/v1/pairs/{world.pair}/commitments"

    async def read(query: str) -> list[str]:
        found: list[str] = []
        cursor = ""
        while True:
            page = (await world.get(MENTEE, f"{path}?limit=2{query}{cursor}")).json()
            found += [each["commitment_id"] for each in page["commitments"]]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    assert await read("") == made[::-1]
    assert await read("&state=open") == made[3::-1]
    assert await read("&mine=false") == [made[2]]
    assert await read("&mine=true&state=kept") == [made[4]]
    assert await read("&state=missed") == []
    assert (await world.get(MENTEE, f"{path}?state=nonsense")).status_code == 422
    assert (await world.get(MENTEE, f"{path}?cursor=nonsense")).status_code == 422


VERBS = [
    *("accept", "decline", "withdraw", "keep", "warn", "tell", "agree-time", "refuse-time"),
    *("release", "claim-done", "take-back", "dispute", "admit", "acknowledge"),
]


async def test_to_strangers_and_other_tenants_there_is_nothing(world: World) -> None:
    commitment = await world.promise(DUE)
    path = f"/v1/commitments/{commitment}"
    more = {"due_at": (DUE + DAY).isoformat()}

    answers = [await world.post(STRANGER, f"{path}/{verb}") for verb in VERBS]
    answers += [await world.post(MENTOR, f"{path}/{verb}", tenant="globex") for verb in VERBS]
    answers += [
        await world.post(STRANGER, f"{path}/ask-for-time", more),
        await world.get(STRANGER, path),
        await world.get(MENTOR, path, tenant="globex"),
        await world.get(STRANGER, f"/v1/pairs/{world.pair}/commitments"),
        await world.get(MENTOR, f"/v1/commitments/{new_id()}"),
        await world.post(STRANGER, f"{path}/resolve", {"outcome": "kept"}, role="manager"),
    ]

    # The last is a manager, and there is no dispute.
    assert [answer.status_code for answer in answers[:-1]] == [404] * (len(answers) - 1)
    assert answers[-1].status_code == 409


async def test_the_end_of_the_pair_lets_go_of_what_was_due_later_and_waits_for_nobody(
    world: World,
) -> None:
    offered, claimed = await world.offer(DUE), await world.promise(DUE)
    disputed = await world.promise(DUE)
    for each in (claimed, disputed):
        await say(world, MENTEE, each, "claim-done")
    await say(world, MENTOR, disputed, "dispute")
    world.clock.at = START + DAY

    await world.end_pairs(START + DAY)

    states = [(await view(world, MENTOR, each))["state"] for each in (offered, claimed, disputed)]
    assert states == ["released", "released", "disputed"]
    types = await world.types()
    assert types.count("reply.requested") - types.count("reply.settled") == 1
