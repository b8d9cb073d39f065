"""What came of the demo, as data: read back from the public APIs and the log. Prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.local.demo.drive import Stage
from deploy.local.demo.noise import Poison, expected
from deploy.local.demo.refold import Refold, refold
from deploy.local.demo.size import DemoSize
from shared.errors import PoisonMessage
from shared.events.envelope import Event, decode
from shared.events.insights import DirectionTrust, TrustChanged
from shared.events.topics import ALL, DEAD_LETTER_SUFFIX, INSIGHTS, every_topic

PAGE = 200
TOLERANCE = 1e-9

Place = tuple[str, int, int]  # topic, partition, offset


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: who could not handle which record, and why."""

    group: str
    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class Journal:
    """The log as the demo read it. `events` are those that some group could handle."""

    records: int
    events: list[tuple[Place, Event]]
    letters: list[Letter]

    def of_insights(self) -> list[Event]:
        """What insights has counted: its topics without its own dead letters."""
        read = {topic.name for topic in INSIGHTS.topics}
        parked = {letter.place for letter in self.letters if letter.group == "insights"}
        return [event for at, event in self.events if at[0] in read and at not in parked]


@dataclass
class Played:
    """What the demo did itself, to be compared with what it finds."""

    size: DemoSize
    seed: int
    poison: Sequence[Poison] = ()
    duplicates: int = 0
    late: int = 0
    unmatched: dict[str, int] = field(default_factory=dict)
    mails: int = 0


async def read_journal(stage: Stage) -> Journal:
    """All facts and all dead letters of the demo's tenant."""
    dead = [topic.name for topic in every_topic() if topic.name.endswith(DEAD_LETTER_SUFFIX)]
    letters = [_letter(stage, record) for record in await stage.log.read(dead)]
    records = await stage.log.read(topic.name for topic in ALL)
    events = []
    for record in records:
        place = (stage.log.plain(record.topic), record.partition, record.offset)
        try:
            event = decode(record.key, record.value, record.headers)
        except PoisonMessage:
            continue
        if event.tenant == stage.tenant:
            events.append((place, event))
    return Journal(len(records), events, letters)


async def collect(stage: Stage, played: Played, stored_difference: float) -> dict[str, Any]:
    """Everything that is shown and written, ready for JSON; without how long it took."""
    journal = await read_journal(stage)
    trust = [TrustChanged.model_validate(item["trust"]) for item in await _trust(stage)]
    again = refold(journal.of_insights(), trust, played.seed)
    people = await stage.api.get("matching", "/v1/people?limit=1")
    started = [pair for pair in await _pairs(stage) if pair["started_at"]]
    messages = (await stage.api.get("notifications", "/v1/messages?limit=1"))["counts"]
    difference = max(again.max_difference, stored_difference)
    size = played.size
    parked = {letter.place for letter in journal.letters}
    facts = {e.event_id: e.fact.type for place, e in journal.events if place not in parked}
    data: dict[str, Any] = {
        "seed": played.seed,
        "size": {"people": size.people, "pairs": size.pairs, "weeks": size.weeks},
        "people": people["total"],
        "pairs": len(started),
        "pairs_ended": sum(1 for pair in started if pair["ended_at"]),
        "unmatched": played.unmatched,
        "facts_by_type": dict(sorted(Counter(facts.values()).items())),
        "records": journal.records,
        "duplicates": played.duplicates,
        "late": played.late,
        "dead_letters": _dead_letters(journal),
        "messages": messages,
        "mails_received": played.mails,
        "http_calls": stage.api.calls,
        "trust": [await _pair(stage, each, started) for each in trust],
        "refold_max_difference": difference,
        "refold_numbers": again.numbers,
    }
    return {**data, "checks": _checks(data, played, journal, again)}


def _checks(
    data: dict[str, Any], played: Played, journal: Journal, again: Refold
) -> list[dict[str, Any]]:
    """What has to hold for the demo to have come out right, each in words."""
    size, wanted = played.size, expected(played.poison)
    found = Counter((letter.group, letter.reason) for letter in journal.letters)
    difference = data["refold_max_difference"]
    checks = (
        (f"matching knows {size.people} people", data["people"] == size.people, data["people"]),
        (f"{size.pairs} pairs started", data["pairs"] == size.pairs, data["pairs"]),
        ("every pair has a score", again.pairs == size.pairs, again.pairs),
        (f"{wanted.total()} dead letters, as sown", found == wanted, found.total()),
        ("the mail server has got mail", played.mails > 0, played.mails),
        ("the log in another order gives the same", difference <= TOLERANCE, difference),
    )
    return [{"check": words, "ok": ok, "found": seen} for words, ok, seen in checks]


def _letter(stage: Stage, record: Any) -> Letter:
    said = {name: value.decode() for name, value in record.headers if name.startswith("dlq_")}
    place = (
        stage.log.plain(said["dlq_topic"]),
        int(said["dlq_partition"]),
        int(said["dlq_offset"]),
    )
    return Letter(said["dlq_group"], said["dlq_reason"], place)


def _dead_letters(journal: Journal) -> list[dict[str, Any]]:
    found = Counter((letter.group, letter.reason, letter.place[0]) for letter in journal.letters)
    return [
        {"group": group, "reason": reason, "topic": topic, "count": count}
        for (group, reason, topic), count in sorted(found.items())
    ]


async def _trust(stage: Stage) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    path: str | None = f"/v1/trust?limit={PAGE}"
    while path:
        page = await stage.api.get("insights", path)
        items += page["items"]
        path = page["next"] and f"/v1/trust?limit={PAGE}&after={page['next']}"
    return items


async def _pairs(stage: Stage) -> list[dict[str, Any]]:
    pairs: list[dict[str, Any]] = []
    path: str | None = f"/v1/pairs?limit={PAGE}"
    while path:
        page = await stage.api.get("matching", path)
        pairs += page["pairs"]
        following = page["next_cursor"]
        path = following and f"/v1/pairs?limit={PAGE}&cursor={following}"
    return pairs


async def _pair(
    stage: Stage, trust: TrustChanged, started: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    pair = next((each for each in started if each["pair_id"] == str(trust.pair_id)), None)
    path = f"/v1/pairs/{trust.pair_id}/trust/managed"
    manager = await stage.api.get("insights", path, role="manager")
    return {
        "pair_id": str(trust.pair_id),
        "mentor": pair and pair["mentor"],
        "mentee": pair and pair["mentee"],
        "ended": bool(pair and pair["ended_at"]),
        "evidence": trust.revision,
        "as_of": trust.as_of.isoformat(),
        "half_life_days": trust.half_life_days,
        "health": trust.health,
        "gap": trust.gap,
        "about_mentor": _direction(trust.about_mentor),
        "about_mentee": _direction(trust.about_mentee),
        "shared_with_the_pair": trust.partner_safe.model_dump(mode="json"),
        "reasons_for_the_manager": {
            side: list(dict.fromkeys(reason["code"] for reason in manager[side]["reasons"]))
            for side in ("about_mentor", "about_mentee")
        },
    }


def _direction(trust: DirectionTrust) -> dict[str, Any]:
    return {
        "score": trust.score,
        "low": trust.low,
        "high": trust.high,
        "band": trust.band,
        "facets": {
            name: {"E": each.score, "r": each.r, "s": each.s, "low": each.low, "high": each.high}
            for name, each in trust.facets.items()
        },
    }
