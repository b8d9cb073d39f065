"""A manager's programme, from HR's facts to a new match, as one story: told over HTTP.

Kept in what each chapter saw; nothing here asserts what came of it, the test does.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.events.people import PersonErased, PersonJoined, PersonLeft
from shared.ids import PersonId
from tests.e2e.stage import Stage
from tests.support.waiting import until

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)
BOSS = "boss"
PLACE = "/v1/programmes/spring"
# In a profile; it must be in no fact.
SECRET = "I would love to speak in public without trembling"
# id, places, what they offer; id and what they look for.
MENTORS = (("ada", 2, "python"), ("bo", 1, "data"), ("cy", 1, "python"))
MENTEES = (
    ("max", "python"),
    ("mia", "python"),
    ("mo", "data"),
    ("mel", "data"),
    ("may", "python"),
    ("mi", "cooking"),
)


def joined(person: str, **participation: Any) -> PersonJoined:
    return PersonJoined.model_validate(
        {
            "person_id": person,
            "email": f"{person}@mentoring.example",
            "display_name": person.title(),
            "timezone": "Europe/Berlin",
            "participation": participation,
        }
    )


async def run(stage: Stage, **wish: Any) -> dict[str, Any]:
    """A run as it stands when it has come to its result."""
    made = await stage.do(BOSS, f"{PLACE}/runs", wish, role="manager", service="matching")
    return await reached(stage, made["run_id"], "ready")


async def reached(stage: Stage, run_id: str, state: str) -> dict[str, Any]:
    """The run, once it is in a state."""
    seen: dict[str, Any] = {}

    async def there() -> bool:
        seen.update(await overseen(stage, f"/v1/runs/{run_id}"))
        assert seen["state"] not in ("failed", "cancelled"), seen
        return bool(seen["state"] == state)

    await until(there, what=f"a run that is {state}")
    return seen


async def overseen(stage: Stage, path: str) -> Any:
    return await stage.see(BOSS, path, role="manager", service="matching")


async def pairs(stage: Stage) -> dict[str, dict[str, Any]]:
    """Every mentee's newest pair, as the manager sees it."""
    page = (await overseen(stage, "/v1/pairs?limit=100"))["pairs"]
    return {pair["mentee"]["person_id"]: pair for pair in reversed(page)}


async def tell(stage: Stage) -> dict[str, Any]:
    """The whole story, in order; what was seen."""
    seen: dict[str, Any] = {}
    for chapter in (
        _hr_tells,
        _a_programme_is_made,
        _what_if,
        _a_run,
        _somebody_leaves_and_it_is_committed,
        _they_answer,
        _one_asks_for_themselves,
        _what_nobody_answered_lapses,
        _one_would_rather_be_matched_anew,
        _one_is_erased,
    ):
        await chapter(stage, seen)
    return seen


async def _hr_tells(stage: Stage, seen: dict[str, Any]) -> None:
    await stage.tell(
        *(joined(who, roles=["mentor"], capacity=n, offers=[what]) for who, n, what in MENTORS),
        *(joined(who, roles=["mentee"], goals=[what]) for who, what in MENTEES),
    )
    wishes = {"wishes": SECRET, "avoid": ["cy"]}
    seen["profile"] = await stage.ask("PUT", "max", "/v1/me/profile", wishes, service="matching")
    seen["people"] = await overseen(stage, "/v1/people")


async def _a_programme_is_made(stage: Stage, seen: dict[str, Any]) -> None:
    how: dict[str, Any] = {"role": "manager", "service": "matching"}
    seen["contradiction"] = await stage.ask(
        "PUT", BOSS, PLACE, {"name": "Spring", "settings": {"weights": _NOTHING}}, **how
    )
    seen["programme"] = await stage.ask("PUT", BOSS, PLACE, {"name": "Spring"}, **how)


_NOTHING = {"goals": 0, "related": 0, "languages": 0, "hours": 0}


async def _what_if(stage: Stage, seen: dict[str, Any]) -> None:
    tried = await run(stage, what_if={"rules": {"org_units": "same", "min_grade_gap": 1}})
    seen["what if"] = tried
    seen["what if committed"] = await stage.ask(
        "POST", BOSS, f"/v1/runs/{tried['run_id']}/commit", role="manager", service="matching"
    )


async def _a_run(stage: Stage, seen: dict[str, Any]) -> None:
    found = await run(stage)
    seen["run"] = found
    seen["report"] = await overseen(stage, f"/v1/runs/{found['run_id']}/report")
    seen["unmatched"] = await overseen(stage, f"/v1/runs/{found['run_id']}/unmatched")
    seen["before commit"] = await stage.events()


async def _somebody_leaves_and_it_is_committed(stage: Stage, seen: dict[str, Any]) -> None:
    await stage.tell(PersonLeft(person_id=PersonId("mia"), left_on=date(2026, 1, 5)))
    run_id = seen["run"]["run_id"]
    await stage.do(BOSS, f"/v1/runs/{run_id}/commit", role="manager", service="matching")
    seen["committed"] = await reached(stage, run_id, "committed")
    seen["proposed"] = await pairs(stage)


async def _they_answer(stage: Stage, seen: dict[str, Any]) -> None:
    pair = seen["proposed"]["max"]
    seen["max"] = pair
    for who in ("max", pair["mentor"]["person_id"]):
        await stage.do(who, f"/v1/pairs/{pair['pair_id']}/accept", service="matching")
    await stage.do("max", f"/v1/pairs/{pair['pair_id']}/start", service="matching")
    await stage.read_up("matching", "sessions")
    seen["in sessions"] = await stage.see("max", f"/v1/pairs/{pair['pair_id']}")


async def _one_asks_for_themselves(stage: Stage, seen: dict[str, Any]) -> None:
    left = next(who for who in ("mo", "mel") if who not in seen["proposed"])
    seen["refused"] = await stage.ask(
        "POST", left, f"{PLACE}/asks", {"mentor_id": "bo"}, service="matching"
    )
    seen["wait"] = await stage.see(left, f"{PLACE}/wait", service="matching")


async def _what_nobody_answered_lapses(stage: Stage, seen: dict[str, Any]) -> None:
    stage.clock.set(START + 15 * DAY)

    async def closed() -> bool:
        found = (await pairs(stage)).values()
        return not [pair for pair in found if pair["state"] == "proposed"]

    await until(closed, what="no proposal that still waits")
    left = next(who for who in ("mo", "mel") if who not in seen["proposed"])
    seen["asked"] = await stage.do(left, f"{PLACE}/asks", {"mentor_id": "bo"}, service="matching")
    path = f"/v1/pairs/{seen['asked']['pair_id']}"
    seen["answered"] = await stage.do("bo", f"{path}/accept", service="matching")


async def _one_would_rather_be_matched_anew(stage: Stage, seen: dict[str, Any]) -> None:
    await stage.do("max", f"/v1/pairs/{seen['max']['pair_id']}/rematch", service="matching")
    await stage.read_up("matching", "sessions")
    seen["ended in sessions"] = await stage.see("max", f"/v1/pairs/{seen['max']['pair_id']}")
    again = await run(stage)
    await stage.do(BOSS, f"/v1/runs/{again['run_id']}/commit", role="manager", service="matching")
    await reached(stage, again["run_id"], "committed")
    seen["anew"] = (await pairs(stage)).get("max")


async def _one_is_erased(stage: Stage, seen: dict[str, Any]) -> None:
    await stage.tell(PersonErased(person_id=PersonId("max"), erased_on=date(2026, 1, 20)))
    seen["tables"] = await stage.tables("matching")
