"""What there is to know about two people who might meet, read for the rules. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.matching.domain import ask as rules
from services.matching.domain.ask import Side
from services.matching.domain.fit import Candidate
from services.matching.domain.participant import Participant
from services.matching.domain.programme import Programme
from services.matching.engine.embedding import embed
from services.matching.engine.side import whole
from services.matching.queries import participants
from shared.ids import PersonId
from shared.postgres.pool import Connection

People = Mapping[PersonId, Participant]


def avoid_each_other(people: People, one: PersonId, other: PersonId) -> bool:
    """Whether either of them would rather not meet the other."""
    pairs = ((one, other), (other, one))
    return any(who in people and whom in people[who].avoid for who, whom in pairs)


async def candidate(
    conn: Connection, programme: Programme, one: Participant | None, side: Side, now: datetime
) -> Candidate | None:
    """The person as the rules weigh them; None for who takes no part on that side today."""
    settings = programme.settings
    if one is None or not one.there:
        return None
    if not rules.takes_part(one.person, side, settings.org_units):
        return None
    line: tuple[PersonId, ...] = ()
    if settings.rules.report_line:
        line = await participants.line(conn, programme.tenant, one.person.person_id)
    return as_weighed(one, side, now, line)


def as_weighed(
    one: Participant, side: Side, now: datetime, line: tuple[PersonId, ...] = ()
) -> Candidate:
    """The person as they are weighed on one side, whether or not they take part today."""
    said = (one.person.offers, one.about) if side == "mentor" else (one.person.goals, one.wishes)
    vector = tuple(whole(embed(*said)[None])[0].astype(int).tolist())
    return rules.as_candidate(one.person, side, line, vector, now)
