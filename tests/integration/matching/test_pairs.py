"""A pair over HTTP: its moves, who may see and make them, and the trust that helps."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from shared.events.insights import TrustChanged
from shared.events.matching import PairEnded, PairStarted
from tests.integration.matching.conftest import START, Matching, days, mentee, mentor

pytestmark = pytest.mark.stack


def direction(band: str, weakest: str | None) -> dict[str, object]:
    return {"score": 0.4217, "low": 0.2, "high": 0.6, "band": band, "weakest": weakest}


def trust(path: str, revision: int, mentor_band: str, weakest: str | None) -> TrustChanged:
    """Trust of the pair at `path`; its private part says "strained" throughout."""
    private = {"score": 0.123, "low": 0.1, "high": 0.2, "band": "strained", "facets": {}}
    return TrustChanged.model_validate(
        {
            "pair_id": path.rsplit("/", 1)[1],
            "mentor_id": "ann",
            "mentee_id": "ben",
            "model": "v1",
            "revision": revision,
            "as_of": START,
            "half_life_days": 90,
            "health": 0.123,
            "gap": None,
            "about_mentor": private,
            "about_mentee": private,
            "partner_safe": {
                "as_of": START,
                "about_mentor": direction(mentor_band, weakest),
                "about_mentee": direction("steady", None),
            },
        }
    )


async def test_a_pair_lives_from_proposal_to_end(matching: Matching) -> None:
    path = await matching.accepted_pair()
    matching.clock.at = START + days(1)
    started = (await matching.post(f"{path}/start", as_="ben")).json()
    matching.clock.at = START + days(90)
    ended = (await matching.post(f"{path}/end", {"reason": "completed"}, as_="ann")).json()

    assert (started["state"], started["started_at"]) == ("started", "2026-03-03T09:00:00Z")
    assert (ended["state"], ended["end_reason"]) == ("ended", "completed")
    assert await matching.announced_types() == [
        "pair.proposed",
        "pair.accepted",
        "pair.accepted",
        "pair.started",
        "pair.ended",
    ]
    *_, start, end = (event.fact for event in await matching.announced())
    assert isinstance(start, PairStarted)
    assert isinstance(end, PairEnded)
    assert (start.started_at, end.ended_at) == (START + days(1), START + days(90))


async def test_every_move_made_twice_is_announced_once(matching: Matching) -> None:
    path = await matching.accepted_pair()
    for move, body in (("accept", None), ("start", None), ("end", {"reason": "completed"})):
        answers = [await matching.post(f"{path}/{move}", body, as_="ann") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()

    types = await matching.announced_types()
    assert types.count("pair.started") == types.count("pair.ended") == 1
    assert types.count("pair.accepted") == 2


async def test_both_say_yes_at_the_same_moment(matching: Matching) -> None:
    path = await matching.proposed_pair()

    await asyncio.gather(*(matching.post(f"{path}/accept", as_=who) for who in ("ann", "ben") * 3))

    assert (await matching.get(path)).json()["state"] == "accepted"
    assert (await matching.announced_types()).count("pair.accepted") == 2


async def test_a_pair_does_not_start_on_one_yes(matching: Matching) -> None:
    path = await matching.proposed_pair()
    await matching.post(f"{path}/accept", as_="ann")

    answer = await matching.post(f"{path}/start", as_="ann")

    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "the pair cannot be started yet: both members have to accept first"
    )


async def test_a_first_yes_does_not_press_the_other_side(matching: Matching) -> None:
    path = await matching.proposed_pair()
    await matching.post(f"{path}/accept", as_="ann")

    mine = (await matching.get(path, "ann", "participant")).json()
    theirs = (await matching.get(path, "ben", "participant")).json()
    overseen = (await matching.get(path)).json()

    assert (mine["you_accepted"], theirs["you_accepted"]) == (True, False)
    assert (theirs["accepted_by"], overseen["accepted_by"]) == (None, ["ann"])


async def test_a_stranger_learns_nothing_of_a_pair(matching: Matching) -> None:
    path = await matching.proposed_pair()
    unknown = f"/v1/pairs/{uuid4()}"

    for move, body in (
        ("accept", None),
        ("decline", None),
        ("start", None),
        ("withdraw", None),
        ("end", {"reason": "completed"}),
    ):
        mine = await matching.post(f"{path}/{move}", body, as_="dora")
        nobodys = await matching.post(f"{unknown}/{move}", body, as_="dora")
        assert (mine.status_code, mine.json()) == (404, nobodys.json())
    for role in ("participant", "hr"):
        assert (await matching.get(path, "dora", role)).status_code == 404
    assert (await matching.get(path, tenant="globex")).status_code == 404


async def test_a_manager_sees_a_pair_but_does_not_answer_for_it(matching: Matching) -> None:
    path = await matching.proposed_pair()
    assert (await matching.get(path)).status_code == 200
    assert (await matching.post(f"{path}/accept", role="manager")).status_code == 403


async def test_pairs_are_listed_newest_first_and_each_sees_their_own(matching: Matching) -> None:
    await matching.hears(mentor("ann", capacity=5), *(mentee(f"n{n}") for n in range(5)))
    await matching.match()

    first = (await matching.get("/v1/pairs?limit=3")).json()
    rest = (await matching.get(f"/v1/pairs?limit=3&cursor={first['next_cursor']}")).json()
    own = (await matching.get("/v1/pairs", "n1", "participant")).json()
    started = (await matching.get("/v1/pairs?state=started")).json()

    ids = [pair["pair_id"] for page in (first, rest) for pair in page["pairs"]]
    assert len(ids) == 5
    assert ids == sorted(ids, key=UUID, reverse=True)
    assert rest["next_cursor"] is None
    assert [pair["mentee"]["person_id"] for pair in own["pairs"]] == ["n1"]
    assert started == {"pairs": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("limit=0", id="a page of nothing"),
        pytest.param("limit=201", id="a page too long"),
        pytest.param("state=happy", id="a state there is not"),
        pytest.param("cursor=next", id="a cursor that is none"),
    ],
)
async def test_a_bad_query_is_told_which_field(matching: Matching, query: str) -> None:
    answer = await matching.get(f"/v1/pairs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == f"query.{query.split('=', maxsplit=1)[0]}"


async def test_trust_is_shown_as_a_next_step_to_the_one_it_is_about(matching: Matching) -> None:
    path = await matching.started_pair()
    await matching.hears(trust(path, 1, "watch", "R"))

    ann = (await matching.get(path, "ann", "participant")).json()["trust"]
    ben = (await matching.get(path, "ben", "participant")).json()["trust"]
    boss = (await matching.get(path)).json()["trust"]

    assert [(one["about"], one["band"]) for one in ann] == [("mentor", "watch")]
    assert ann[0]["next_step"]["title"] == "Be reliable"
    assert [(one["about"], one["band"], one["next_step"]) for one in ben] == [
        ("mentee", "steady", None)
    ]
    assert [one["band"] for one in boss] == ["watch", "steady"]


async def test_the_highest_revision_of_trust_stays(matching: Matching) -> None:
    path = await matching.started_pair()
    for revision, band in ((2, "watch"), (1, "too_early"), (2, "strained")):
        await matching.hears(trust(path, revision, band, None))

    assert (await matching.get(path)).json()["trust"][0]["band"] == "watch"


async def test_no_private_answer_and_no_number_is_kept_or_shown(matching: Matching) -> None:
    path = await matching.started_pair()
    await matching.hears(trust(path, 1, "steady", None))

    kept = await matching.kept("SELECT row_to_json(pair_trust)::text FROM pair_trust")
    shown = "".join(
        [(await matching.get(path, who, "participant")).text for who in ("ann", "ben")]
        + [(await matching.get(path)).text]
    )

    for secret in ("0.123", "strained", "0.4217"):
        assert secret not in kept
        assert secret not in shown
