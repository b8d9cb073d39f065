"""Six months of Maria and Tom, as one story: told over HTTP, kept in what each chapter saw.

Maria mentors from Berlin, Tom is in New York. Nothing here asserts what came of it; the test does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.events.matching import PairStarted
from shared.events.people import PersonErased, PersonJoined, PersonLeaveEnded, PersonLeaveStarted
from shared.ids import PersonId, ProgrammeId
from tests.e2e.stage import Stage

MARIA, TOM, GRACE = PersonId("maria"), PersonId("tom"), PersonId("grace")
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
# What the two say to each other. It must be in no topic.
SECRETS = ("become a team lead", "my divorce", "the reading list", "bring the draft", "Amina")
SUNDAY = datetime(2026, 1, 18, 15, tzinfo=UTC)
AFTER_WORK = [{"weekday": day, "from_minute": 840, "until_minute": 1140} for day in range(1, 6)]
MORNINGS = [{"weekday": day, "from_minute": 480, "until_minute": 780} for day in range(1, 6)]


@dataclass
class Told:
    """What each chapter saw."""

    seen: dict[str, Any] = field(default_factory=dict)


async def tell(stage: Stage) -> Told:
    """The whole story, in order."""
    told = Told()
    for chapter in (
        _they_meet,
        _they_agree,
        _the_agreement_is_enforced,
        _they_meet_by_the_clocks_on_the_wall,
        _they_answer_in_private,
        _tom_keeps_and_asks_for_time,
        _tom_misses_and_repairs,
        _maria_is_on_leave,
        _nobody_was_there_or_was_she,
        _a_line_is_drawn,
        _they_have_a_goal,
        _it_is_in_the_calendar,
        _the_power_fails,
        _tom_leaves_no_trace,
    ):
        await chapter(stage, told.seen)
    return told


async def _they_meet(stage: Stage, seen: dict[str, Any]) -> None:
    await stage.tell(
        PersonJoined(
            person_id=MARIA,
            email="maria@acme.example",
            display_name="Maria Amina Roth",
            timezone="Europe/Berlin",
            country="DE",
        ),
        PersonJoined(
            person_id=TOM,
            email="tom@acme.example",
            display_name="Tom Amina Hill",
            timezone="America/New_York",
            country="US",
        ),
        PairStarted(
            pair_id=stage.pair,
            mentor_id=MARIA,
            mentee_id=TOM,
            programme_id=ProgrammeId("spring-2026"),
            started_at=START,
        ),
    )
    seen["met"] = await stage.see(TOM, "/v1/pairs/{pair}")


async def _they_agree(stage: Stage, seen: dict[str, Any]) -> None:
    terms = {
        "cadence_days": 14,
        "notice_hours": 24,
        "channels": ["video"],
        "hours": [
            *({"person_id": MARIA, **each} for each in AFTER_WORK),
            *({"person_id": TOM, **each} for each in MORNINGS),
        ],
        "goals": [SECRETS[0]],
        "topics_off_limits": [SECRETS[1]],
        "review_after_days": 90,
    }
    await stage.do(MARIA, "/v1/pairs/{pair}/agreement", terms)
    seen["asked to sign"] = await stage.see(TOM, "/v1/pairs/{pair}")
    seen["signed"] = await stage.do(TOM, "/v1/pairs/{pair}/agreement/sign", {"version": 1})


async def _the_agreement_is_enforced(stage: Stage, seen: dict[str, Any]) -> None:
    sunday = {"starts_at": SUNDAY.isoformat(), "duration_minutes": 60, "channel": "video"}
    seen["sunday refused"] = await stage.ask("POST", TOM, "/v1/pairs/{pair}/sessions", sunday)
    offer = {"slots": [{"starts_at": SUNDAY.isoformat(), "duration_minutes": 60}]}
    proposal = await stage.do(TOM, "/v1/pairs/{pair}/proposals", {**offer, "channel": "video"})
    seen["waiting for maria"] = (await stage.see(MARIA, "/v1/pairs/{pair}"))["waiting_for_you"]
    path = f"/v1/proposals/{proposal['proposal_id']}/accept"
    accepted = await stage.do(MARIA, path, {"slot": 1})
    seen["sunday allowed"] = await stage.see(MARIA, f"/v1/sessions/{accepted['session_id']}")
    await _hold(stage, seen["sunday allowed"])


async def _they_meet_by_the_clocks_on_the_wall(stage: Stage, seen: dict[str, Any]) -> None:
    body = {
        "starts_at_local": "2026-01-28T10:00:00",
        "zone": "America/New_York",
        "duration_minutes": 60,
        "channel": "video",
        "count": 8,
    }
    seen["series"] = await stage.do(TOM, "/v1/pairs/{pair}/series", body)
    await _hold(stage, seen["series"]["sessions"][0])


async def _they_answer_in_private(stage: Stage, seen: dict[str, Any]) -> None:
    session = seen["series"]["sessions"][0]["session_id"]
    answered = {}
    for person in (TOM, MARIA):
        asked = await stage.see(person, f"/v1/sessions/{session}/question")
        answer = {"item": asked["item"], "answer": True}
        answered[person] = await stage.ask(
            "POST", person, f"/v1/sessions/{session}/feedback", answer
        )
        seen[f"feedback after {person}"] = await stage.see(
            MARIA, f"/v1/sessions/{session}/feedback"
        )
    seen["answered"] = {person: answer.status_code for person, answer in answered.items()}


async def _tom_keeps_and_asks_for_time(stage: Stage, seen: dict[str, Any]) -> None:
    kept = await _promise(stage, stage.clock.now() + 5 * DAY, title=SECRETS[2])
    await stage.go_to(stage.clock.now() + 4 * DAY)
    seen["kept"] = await stage.do(MARIA, f"/v1/commitments/{kept}/keep")

    later = await _promise(stage, stage.clock.now() + 6 * DAY, title=SECRETS[3])
    due = stage.clock.now() + 9 * DAY
    await stage.do(TOM, f"/v1/commitments/{later}/ask-for-time", {"due_at": due.isoformat()})
    seen["more time"] = await stage.do(MARIA, f"/v1/commitments/{later}/agree-time")
    await stage.go_to(due - DAY)
    await stage.do(MARIA, f"/v1/commitments/{later}/keep")


async def _tom_misses_and_repairs(stage: Stage, seen: dict[str, Any]) -> None:
    due = stage.clock.now() + 3 * DAY
    missed = await _promise(stage, due)
    before = await _trust_in_tom(stage)
    await stage.go_to(due + 2 * DAY - timedelta(minutes=1))
    seen["a minute before the grace is over"] = await stage.see(MARIA, f"/v1/commitments/{missed}")
    await stage.go_to(due + 2 * DAY)
    seen["missed"] = await stage.see(MARIA, f"/v1/commitments/{missed}")
    await stage.do(MARIA, f"/v1/commitments/{missed}/acknowledge")
    after = await _trust_in_tom(stage)

    again = {"repairs": missed, "due_at": (stage.clock.now() + 5 * DAY).isoformat()}
    repair = (await stage.do(TOM, "/v1/pairs/{pair}/repairs", again))["repair_id"]
    await stage.go_to(stage.clock.now() + 3 * DAY)
    await stage.do(TOM, f"/v1/repairs/{repair}/deliver")
    seen["repaired"] = await stage.do(MARIA, f"/v1/repairs/{repair}/acknowledge")
    seen["trust"] = {"before": before, "missed": after, "repaired": await _trust_in_tom(stage)}


async def _maria_is_on_leave(stage: Stage, seen: dict[str, Any]) -> None:
    due = stage.clock.now() + 4 * DAY
    waits = await _promise(stage, due)
    since = stage.clock.now().date() + 2 * DAY
    leave = {"person_id": MARIA, "leave_id": "l-1", "started_on": since}
    await stage.tell(PersonLeaveStarted(**leave))
    seen["moved without an end"] = await stage.see(TOM, f"/v1/commitments/{waits}")
    await stage.go_to(due + 5 * DAY)
    seen["while she is away"] = await stage.see(TOM, f"/v1/commitments/{waits}")
    back = since + 10 * DAY
    await stage.tell(PersonLeaveEnded(**leave, back_on=back))
    seen["moved"] = await stage.see(TOM, f"/v1/commitments/{waits}")
    seen["promised for"] = due
    await stage.go_to(datetime.fromisoformat(seen["moved"]["due_at"]) - DAY)
    await stage.do(MARIA, f"/v1/commitments/{waits}/keep")


async def _nobody_was_there_or_was_she(stage: Stage, seen: dict[str, Any]) -> None:
    ahead = await stage.see(TOM, "/v1/pairs/{pair}/sessions?state=scheduled")
    first, second = ahead["sessions"][:2]
    await stage.go_to(datetime.fromisoformat(first["starts_at"]) + 2 * HOUR)
    path = f"/v1/sessions/{first['session_id']}"
    await stage.do(TOM, f"{path}/no-show", {"who": "other"})
    await stage.do(MARIA, f"{path}/dispute")
    seen["disputes"] = await stage.see(GRACE, "/v1/disputes", role="manager")
    seen["judged by tom"] = await stage.ask(
        "POST", TOM, f"{path}/resolve", {"outcome": "missed"}, role="manager"
    )
    seen["judged"] = await stage.do(GRACE, f"{path}/resolve", {"outcome": "held"}, role="manager")

    await stage.do(MARIA, f"/v1/sessions/{second['session_id']}/cancel")


async def _a_line_is_drawn(stage: Stage, seen: dict[str, Any]) -> None:
    reminded = await stage.do(TOM, "/v1/pairs/{pair}/boundaries", {"term": "hours"})
    path = f"/v1/boundaries/{reminded['boundary_id']}"
    await stage.go_to(stage.clock.now() + WEEK)
    happened = {"happened_at": (stage.clock.now() - HOUR).isoformat()}
    await stage.do(TOM, f"{path}/claim", happened)
    seen["line waits"] = (await stage.see(MARIA, "/v1/pairs/{pair}"))["waiting_for_you"]
    seen["line"] = await stage.do(TOM, f"{path}/withdraw")


async def _they_have_a_goal(stage: Stage, seen: dict[str, Any]) -> None:
    wanted = {"words": SECRETS[0], "measure": "leads the Amina project"}
    goal = (await stage.do(TOM, "/v1/pairs/{pair}/goals", wanted))["goal_id"]
    await stage.do(MARIA, f"/v1/goals/{goal}/agree")
    await stage.do(TOM, f"/v1/goals/{goal}/progress", {"progress": 0.5})
    note = {"text": f"He spoke about {SECRETS[1]}; leave it there."}
    seen["note"] = await stage.do(MARIA, "/v1/pairs/{pair}/notes", note)
    seen["note for a stranger"] = await stage.ask("GET", GRACE, "/v1/pairs/{pair}/notes")
    seen["agenda"] = await stage.see(TOM, "/v1/pairs/{pair}/agenda")


async def _it_is_in_the_calendar(stage: Stage, seen: dict[str, Any]) -> None:
    made = await stage.do(TOM, "/v1/me/calendar")
    url = stage.network.url("sessions") + made["path"]
    seen["calendar"] = (await stage.http.get(url)).content
    await stage.ask("DELETE", TOM, "/v1/me/calendar")
    seen["calendar revoked"] = (await stage.http.get(url)).status_code


async def _the_power_fails(stage: Stage, seen: dict[str, Any]) -> None:
    before = await stage.see(TOM, "/v1/pairs/{pair}")
    stage.network.kill("sessions")
    stage.network.launch("sessions")
    stage.network.wait_ready("sessions")
    seen["power"] = (before, await stage.see(TOM, "/v1/pairs/{pair}"))


async def _tom_leaves_no_trace(stage: Stage, seen: dict[str, Any]) -> None:
    history = await stage.see(MARIA, "/v1/pairs/{pair}/history?limit=100")
    await stage.tell(PersonErased(person_id=TOM, erased_on=date(2026, 6, 30)))
    seen["history"] = (history, await stage.see(MARIA, "/v1/pairs/{pair}/history?limit=100"))
    seen["erased"] = await stage.see(MARIA, "/v1/pairs/{pair}")
    seen["goals left"] = await stage.see(MARIA, "/v1/pairs/{pair}/goals")


async def _hold(stage: Stage, session: dict[str, Any]) -> None:
    """Both are there and say so."""
    await stage.go_to(datetime.fromisoformat(session["starts_at"]) + HOUR)
    for person in (MARIA, TOM):
        await stage.do(person, f"/v1/sessions/{session['session_id']}/confirm")


async def _promise(stage: Stage, due_at: datetime, title: str = "as agreed") -> str:
    """Tom promises Maria something, and she wants it."""
    body = {"due_at": due_at.isoformat(), "title": title, "size": "small"}
    made = await stage.do(TOM, "/v1/pairs/{pair}/commitments", body)
    await stage.do(MARIA, f"/v1/commitments/{made['commitment_id']}/accept")
    return str(made["commitment_id"])


async def _trust_in_tom(stage: Stage) -> float:
    """How far Maria can rely on Tom, as insights has folded what happened by now."""
    await stage.read_up("insights")
    found = await stage.see("ops", "/v1/pairs/{pair}/trust", role="service", service="insights")
    return float(found["about_mentee"]["facets"]["R"]["score"])
