"""The address book, and messages that come before, after and instead of an address."""

from __future__ import annotations

import pytest

from deploy.local.mailbox import Mailbox
from shared.ids import TenantId
from tests.integration.notifications.rig import Rig
from tests.unit.notifications.builders import (
    DAY,
    MENTEE,
    MENTOR,
    START,
    changed,
    happened,
    joined,
    left,
    started,
    warned,
)

pytestmark = pytest.mark.stack


async def address(rig: Rig) -> tuple[object, ...]:
    (row,) = await rig.rows(
        "SELECT email, display_name, has_left FROM person WHERE person_id = $1", MENTEE
    )
    return tuple(row)


async def test_a_message_waits_for_its_address(rig: Rig, mailbox: Mailbox) -> None:
    await rig.tell(warned(by=MENTOR))
    assert await rig.states() == [(MENTEE, "waiting_for_address", 0, None)]
    assert await rig.tidy() == 0
    assert await rig.send() == 0

    await rig.tell(joined(MENTEE, "Bo"))
    assert await rig.tidy() == 1
    assert await rig.send() == 1

    (mail,) = mailbox.messages
    assert mail["Subject"].startswith("Your mentor needs more time for a promise")


async def test_a_message_whose_address_comes_too_late_is_dropped(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.tell(warned(by=MENTOR))
    rig.pass_time(days=7)
    await rig.tell(joined(MENTEE, "Bo"))

    assert await rig.tidy() == 1
    assert await rig.send() == 0

    assert mailbox.messages == ()
    assert await rig.states() == [(MENTEE, "expired", 0, "too_late")]


async def test_an_address_of_another_tenant_is_not_an_address(rig: Rig, mailbox: Mailbox) -> None:
    await rig.tell(warned(by=MENTOR))
    await rig.apply(happened(joined(MENTEE, "Bo"), tenant=TenantId("globex")))

    await rig.tidy()
    await rig.send()

    assert mailbox.messages == ()


async def test_old_facts_played_again_write_to_nobody(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    rig.pass_time(days=60)
    await rig.apply(happened(started(), at=START))

    await rig.send()

    assert mailbox.messages == ()
    assert {state for _, state, _, _ in await rig.states()} == {"expired"}
    assert await rig.announced("inbox") == []


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest first", "newest last"])
async def test_the_later_fact_wins_in_any_order(rig: Rig, newest_first: bool) -> None:
    events = [
        happened(joined(MENTEE, "Bo"), at=START),
        happened(changed(MENTEE, "Bo Berg", "berg@acme.example"), at=START + DAY),
    ]
    await rig.apply(*(reversed(events) if newest_first else events))

    assert await address(rig) == ("berg@acme.example", "Bo Berg", False)


async def test_who_left_has_no_address_and_an_older_fact_does_not_bring_it_back(rig: Rig) -> None:
    await rig.apply(happened(joined(MENTEE, "Bo"), at=START))
    await rig.apply(happened(left(MENTEE), at=START + 2 * DAY))
    await rig.apply(happened(changed(MENTEE, "Bo", "bo@acme.example"), at=START + DAY))

    assert await address(rig) == (None, None, True)


async def test_who_left_gets_no_more_messages(rig: Rig, mailbox: Mailbox) -> None:
    await rig.everybody_joins()
    await rig.tell(warned(by=MENTOR))
    await rig.tell(left(MENTEE))
    await rig.tell(started())

    await rig.tidy()
    await rig.send()

    assert [mail["To"].addresses[0].addr_spec for mail in mailbox.messages] == ["zoe@acme.example"]
    mentee = [row for row in await rig.states() if row[0] == MENTEE]
    assert mentee == [(MENTEE, "suppressed", 0, "person_left")] * 2
    # The name is gone from what the others get, too.
    assert mailbox.messages[0]["Subject"] == "You and your mentee are a mentoring pair now"


async def test_who_leaves_while_a_message_waits_for_them_gets_none(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.tell(warned(by=MENTOR))
    await rig.tell(left(MENTEE))

    await rig.tidy()
    await rig.send()

    assert await rig.states() == [(MENTEE, "suppressed", 0, "person_left")]


async def test_who_leaves_unseen_by_a_message_is_found_out_when_it_is_taken(
    rig: Rig, mailbox: Mailbox
) -> None:
    await rig.everybody_joins()
    await rig.tell(warned(by=MENTOR))
    # As if the fact about the session had been written beside the one about leaving.
    await rig.change(
        "UPDATE person SET has_left = true, email = NULL, display_name = NULL WHERE person_id = $1",
        MENTEE,
    )

    await rig.send()

    assert mailbox.messages == ()
    assert await rig.states() == [(MENTEE, "suppressed", 0, "person_left")]


async def test_who_comes_back_is_written_to_again(rig: Rig, mailbox: Mailbox) -> None:
    await rig.apply(happened(left(MENTEE), at=START))
    await rig.apply(happened(joined(MENTEE, "Bo"), at=START + DAY))
    await rig.tell(warned(by=MENTOR))

    assert await rig.send() == 1


async def test_nothing_that_is_published_or_kept_holds_a_name_an_address_or_a_word(
    rig: Rig,
) -> None:
    await rig.everybody_joins()
    await rig.tell(started(), warned(by=MENTOR))
    await rig.send()

    kept = await rig.rows("SELECT to_jsonb(m)::text AS row FROM message m")
    out = await rig.rows("SELECT convert_from(payload, 'UTF8') AS row FROM outbox")
    for row in [*kept, *out]:
        for secret in ("@", "Zoë", "Bo", "Hello"):
            assert secret not in row["row"]
