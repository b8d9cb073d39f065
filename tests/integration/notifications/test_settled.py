"""What has become pointless is not said, and nothing is said of a pair that has ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploy.local.mailbox import Mailbox
from shared.events.matching import PairAccepted, PairEnded
from shared.events.sessions import SessionCancelled, SessionRescheduled
from tests.integration.notifications.rig import Rig
from tests.unit.notifications.builders import (
    DAY,
    MENTEE,
    MENTOR,
    SESSION,
    SIDES,
    START,
    proposed,
    scheduled,
)

pytestmark = pytest.mark.stack

IN_THREE_DAYS = START + 3 * DAY


def cancelled(by: str = MENTOR) -> SessionCancelled:
    return SessionCancelled.model_validate(
        {
            **SIDES,
            "session_id": SESSION,
            "by": by,
            "starts_at": IN_THREE_DAYS,
            "with_notice": True,
        }
    )


async def open_workflows(rig: Rig) -> set[tuple[str, str]]:
    rows = await rig.rows(
        "SELECT DISTINCT workflow, person_id FROM message"
        " WHERE state IN ('queued', 'gathered', 'waiting_for_address') AND channel <> 'calendar'"
    )
    return {(row["workflow"], row["person_id"]) for row in rows}


async def test_a_reminder_comes_on_the_day_before_and_one_just_before(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.tell(scheduled(starts_at=IN_THREE_DAYS))
    await rig.send()
    invitations = len(mailbox.messages)
    rig.clock.at = IN_THREE_DAYS - DAY - timedelta(minutes=1)
    await rig.send()
    assert len(mailbox.messages) == invitations == 2

    rig.clock.at = IN_THREE_DAYS - DAY
    await rig.send()

    assert len(mailbox.messages) == 4
    assert all("text/calendar" in str(mail) for mail in mailbox.messages[:2])
    assert "You meet" in str(mailbox.messages[2]["Subject"])


@pytest.mark.parametrize("together", [False, True], ids=["later", "in one batch"])
async def test_of_a_session_that_is_called_off_nobody_is_reminded(
    rig: Rig, mailbox: Mailbox, together: bool
) -> None:
    await rig.everybody_joins()
    if together:
        await rig.tell(scheduled(starts_at=IN_THREE_DAYS), cancelled())
    else:
        await rig.tell(scheduled(starts_at=IN_THREE_DAYS))
        await rig.send()
        await rig.tell(cancelled())
    await rig.send()
    sent = [str(mail["Subject"]) for mail in mailbox.messages]
    rig.clock.at = IN_THREE_DAYS - timedelta(hours=20)
    await rig.send()
    await rig.inbox()

    assert len(mailbox.messages) == len(sent)
    assert sum("Called off" in subject for subject in sent) == 2
    assert await open_workflows(rig) == set()


async def test_a_session_that_is_moved_is_reminded_of_at_its_new_time(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.tell(scheduled(starts_at=IN_THREE_DAYS))
    moved = SessionRescheduled.model_validate(
        {
            **SIDES,
            "session_id": SESSION,
            "by": MENTEE,
            "previous_starts_at": IN_THREE_DAYS,
            "starts_at": IN_THREE_DAYS + 2 * DAY,
            "duration_minutes": 30,
            "with_notice": True,
        }
    )
    rig.pass_time(minutes=1)
    await rig.tell(moved)
    await rig.send()
    before = len(mailbox.messages)

    rig.clock.at = IN_THREE_DAYS - DAY
    await rig.send()
    assert len(mailbox.messages) == before
    rig.clock.at = IN_THREE_DAYS + DAY
    await rig.send()
    assert len(mailbox.messages) == before + 2


async def test_an_own_yes_ends_ones_own_reminder_alone(rig: Rig) -> None:
    await rig.everybody_joins()
    await rig.tell(proposed().model_copy(update={"answer_until": START + 7 * DAY}))
    await rig.send()

    await rig.tell(PairAccepted.model_validate({**SIDES, "by": MENTEE}))

    assert await open_workflows(rig) == {("pair_waiting", MENTOR)}


@pytest.mark.parametrize("together", [False, True], ids=["later", "in one batch"])
async def test_when_a_pair_ends_nothing_more_is_said_of_what_it_had_planned(
    rig: Rig, together: bool
) -> None:
    ended = PairEnded.model_validate({**SIDES, "ended_at": START, "reason": "completed"})
    await rig.everybody_joins()
    if together:
        await rig.tell(scheduled(starts_at=IN_THREE_DAYS), ended)
    else:
        await rig.tell(scheduled(starts_at=IN_THREE_DAYS))
        await rig.tell(ended)

    assert {name for name, _ in await open_workflows(rig)} == {"pair_ended"}
