"""Performs the story on a running network: moves the clock, and does what people do over HTTP.

Writes no table. Different pairs act at once, one pair in its order.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count, groupby
from typing import Any

from deploy.local.demo import quiet
from deploy.local.demo.api import IN_FLIGHT, Api, DemoFailed
from deploy.local.demo.log import Log
from deploy.local.demo.noise import Couple, Record
from deploy.local.demo.population import CONTENT_TYPE, cloud_event
from deploy.local.demo.story import Action, Verb
from shared.clock import FileClock
from shared.events.people import PersonLeft
from shared.events.topics import PEOPLE
from shared.ids import PairId, PersonId, TenantId

PROGRAMME = "autumn-leads"
MANAGER = "e1001"
PAGE = 200
# Where each verb goes: under the pair, or under the session or promise it names.
_IN_PAIR = {
    Verb.PROPOSE: "agreement",
    Verb.SIGN: "agreement/sign",
    Verb.SCHEDULE: "sessions",
    Verb.PROMISE: "commitments",
}
_ON_SESSION = {Verb.CONFIRM: "confirm", Verb.ANSWER: "feedback"}
_ON_PROMISE = {
    Verb.ACCEPT: "accept",
    Verb.KEEP: "keep",
    Verb.WARN: "warn",
    Verb.TELL: "tell",
}
_CREATES = {Verb.SCHEDULE: "session_id", Verb.PROMISE: "commitment_id"}

# Invitations go out six days before a session, and news is too old after seven: the sweeper and the
# post must not fall further behind than this.
HOUR = timedelta(hours=1)
SETTLE_EVERY = timedelta(days=2)
TICK = timedelta(seconds=20)
# Short of the next hour at which anything happens in the story.
AT_MOST = timedelta(hours=1)

OnDay = Callable[[date], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Interlude:
    """Something that happens once, before the first action at or after `at`."""

    at: datetime
    run: Callable[[], Awaitable[None]]


@dataclass
class Stage:
    """Everything that performing needs. `names` holds the services' ids of what was created."""

    api: Api
    log: Log
    clock: FileClock
    tenant: TenantId
    names: dict[tuple[int, str], str] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.clock.now()


async def form_pairs(api: Api, wanted: int) -> tuple[list[Couple], dict[str, int]]:
    """A programme, a run, a commit; both sides accept, and start. The pairs, and why some found
    nobody.
    """
    place = f"/v1/programmes/{PROGRAMME}"
    await api.put("matching", place, person=MANAGER, role="manager", body={"name": "Autumn"})
    asked = await _manage(api, f"{place}/runs", {"limit": wanted})
    run = f"/v1/runs/{asked['run_id']}"
    await _run_is(api, run, "ready")
    await _manage(api, f"{run}/commit")
    await _run_is(api, run, "committed")
    # Newest first, and the best were made first.
    couples = _couples(reversed(await _all(api, "/v1/pairs", "pairs")))
    await gently(_begin(api, couple) for couple in couples)
    await gently(_known(api, couple) for couple in couples)
    left_out = await _all(api, f"{run}/unmatched", "unmatched")
    return couples, dict(Counter(one["reason"] for one in left_out))


async def _manage(api: Api, path: str, body: Mapping[str, object] | None = None) -> Any:
    return await api.post("matching", path, person=MANAGER, role="manager", body=body)


async def _run_is(api: Api, run: str, state: str) -> None:
    """Wait until a worker has brought the run so far."""

    async def reached() -> bool:
        found = await api.get("matching", run, person=MANAGER, role="manager")
        if found["state"] in ("failed", "cancelled"):
            raise DemoFailed(f"the matching run has {found['state']}: {found['failure']}")
        return bool(found["state"] == state)

    await quiet.until(reached, f"a matching run that is {state}")


async def _all(api: Api, path: str, name: str) -> list[dict[str, Any]]:
    """Every page of a list, in its order."""
    found: list[dict[str, Any]] = []
    cursor: object = ""
    while cursor is not None:
        at = f"&cursor={cursor}" if cursor else ""
        page = await api.get("matching", f"{path}?limit={PAGE}{at}", person=MANAGER, role="manager")
        found += page[name]
        cursor = page["next_cursor"]
    return found


async def perform(
    stage: Stage,
    couples: Sequence[Couple],
    actions: Iterable[Action],
    interludes: Sequence[Interlude],
    on_day: OnDay,
) -> None:
    """Do everything in its order, moving the clock from instant to instant."""
    waiting = sorted(interludes, key=lambda interlude: interlude.at)
    settled_at = stage.now
    today = settled_at.date()
    for at, group in groupby(actions, key=lambda action: action.at):
        stage.clock.set(at)
        if at.date() != today:
            today = at.date()
            await on_day(today)
        if at - settled_at >= SETTLE_EVERY:
            await _settle(stage)
            settled_at = at
        while waiting and waiting[0].at <= at:
            await waiting.pop(0).run()
        by_pair: dict[int, list[Action]] = {}
        for action in group:
            by_pair.setdefault(action.pair, []).append(action)
        await gently(_acts(stage, couples[pair], acts) for pair, acts in by_pair.items())


async def _settle(stage: Stage) -> None:
    """Return when what is due is decided and the post is out; time goes on, but not by much.

    It has to: a message whose sender was overtaken by the days waits for some seconds to pass.
    """
    due, calm = stage.now, 0
    latest = due + AT_MOST

    async def settled() -> bool:
        nonlocal calm
        # Twice in a row: what the sweeper has just decided may be on its way to the log.
        calm = calm + 1 if await quiet.settled(stage.api, due) else 0
        if not calm:
            stage.clock.set(min(stage.now + TICK, latest))
        return calm > 1

    await quiet.until(settled, f"done by {due.date()}")


async def finish(stage: Stage, at: datetime) -> None:
    """Move to the end of the story and wait until nothing is on its way."""
    stage.clock.set(at)
    await quiet.at_rest(stage.api, stage.log, at)


async def gently(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it, a fixed number at a time; the first failure ends the rest."""
    room = asyncio.Semaphore(IN_FLIGHT)

    async def one(task: Coroutine[Any, Any, None]) -> None:
        try:
            async with room:
                await task
        finally:
            task.close()  # one that never began would complain

    try:
        async with asyncio.TaskGroup() as group:
            for task in work:
                group.create_task(one(task))
    except* Exception as failures:
        raise failures.exceptions[0] from None


async def _acts(stage: Stage, couple: Couple, acts: Sequence[Action]) -> None:
    for action in acts:
        await _act(stage, couple, action)


async def _act(stage: Stage, couple: Couple, action: Action) -> None:
    person = couple.mentor_id if action.side == "mentor" else couple.mentee_id
    if action.verb is Verb.LEAVE:
        await stage.log.send([leaver(person, stage.tenant, stage.now)])
        return
    if action.verb is Verb.COMPLETE:
        path = f"/v1/pairs/{couple.pair_id}/end"
        await stage.api.post("matching", path, person=person, body={"reason": "completed"})
        return
    body: Mapping[str, object] = action.body
    if action.verb is Verb.SCHEDULE:
        starts_at = datetime.fromisoformat(str(body["starts_at"]))
        body = {**body, "starts_at": (starts_at - couple.earlier * HOUR).isoformat()}
    if action.verb is Verb.ANSWER:
        body = {**body, "item": await _asked(stage, action, person)}
    answer = await stage.api.post(
        "sessions", _path(stage, couple, action), person=person, body=body or None
    )
    if created := _CREATES.get(action.verb):
        stage.names[action.pair, action.ref] = answer[created]


async def _asked(stage: Stage, action: Action, person: PersonId) -> str:
    """What the person is asked now about a session."""
    name = stage.names[action.pair, action.ref]
    asked = await stage.api.get(
        "sessions", f"/v1/sessions/{name}/question", person=person, role="participant"
    )
    return str(asked["item"])


def _path(stage: Stage, couple: Couple, action: Action) -> str:
    verb = action.verb
    if verb in _IN_PAIR:
        return f"/v1/pairs/{couple.pair_id}/{_IN_PAIR[verb]}"
    name = stage.names[action.pair, action.ref]
    if verb in _ON_SESSION:
        return f"/v1/sessions/{name}/{_ON_SESSION[verb]}"
    return f"/v1/commitments/{name}/{_ON_PROMISE[verb]}"


def leaver(person: PersonId, tenant: TenantId, now: datetime) -> Record:
    """HR's event that somebody left."""
    fact = PersonLeft(person_id=person, left_on=now.date())
    time = now.isoformat().replace("+00:00", "Z")
    value = cloud_event(fact, ce_id=f"leaver/{person}", time=time, tenant=tenant)
    key = f"{tenant}/{person}".encode()
    return Record(PEOPLE.name, key, value, (("content-type", CONTENT_TYPE),))


def _couples(proposed: Iterable[dict[str, Any]]) -> list[Couple]:
    taken: Counter[tuple[str, int]] = Counter()
    couples = []
    for pair in proposed:
        both = pair["mentor"]["person_id"], pair["mentee"]["person_id"]
        earlier = next(n for n in count() if not any(taken[who, n] for who in both))
        taken.update((who, earlier) for who in both)
        mentor, mentee = (PersonId(who) for who in both)
        couples.append(Couple(PairId(pair["pair_id"]), mentor, mentee, earlier))
    return couples


async def _begin(api: Api, couple: Couple) -> None:
    path = f"/v1/pairs/{couple.pair_id}"
    for person in (couple.mentor_id, couple.mentee_id):
        await api.post("matching", f"{path}/accept", person=person)
    await api.post("matching", f"{path}/start", person=couple.mentee_id)


async def _known(api: Api, couple: Couple) -> None:
    """The pair's start has come to sessions: through the log, so not at once."""
    path, person = f"/v1/pairs/{couple.pair_id}", couple.mentee_id
    await quiet.until(lambda: api.knows("sessions", path, person=person), "known to sessions")
