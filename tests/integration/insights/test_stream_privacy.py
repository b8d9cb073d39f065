"""What people can read from live streams: nothing of private answers, in bytes, ids or order."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from services.insights.managed import tell_managers
from shared.clock import FixedClock
from tests.integration.insights.streaming import OWN, TODAY, NewWorld, World, first_of
from tests.integration.insights.test_counting import story
from tests.support.callers import as_
from tests.unit.insights.facts import ANN, BEN, PAIR, answered, event, held, kept

pytestmark = pytest.mark.stack


async def test_a_manager_has_a_stream_of_their_own(world: World) -> None:
    """Seen to fail when both streams count together."""
    await world.happens(*story())
    api = await world.api()
    async with (
        api.listening(role="manager", as_="boss") as manager,
        api.listening(role="service") as service,
    ):
        (live,) = await manager.hears(1, "live")
        await service.hears(1, "live")
        (seen,) = manager.of("snapshot")
        assert "score" not in str(seen.data)
        await world.happens(event(answered(False), 181))
        await world.happens(event(answered(True), 182))
        await service.hears(2, "trust")
        await world.happens(event(held(), 183))
        (changed,) = await manager.hears(1, "trust")
    assert live.id is not None
    assert live.id.startswith("manager.")
    assert changed.position == live.position + 1


async def test_answers_reach_managers_on_the_midnight_after_a_batch_is_old_enough(
    world: World,
) -> None:
    """Seen to fail when a pair is looked at as of now instead of as of the last midnight."""
    late = TODAY.replace(hour=9)
    day = (late - event(kept(), 0).occurred_at).days
    await world.happens(*story())
    before = await world.positions("manager")
    for n in range(4):
        await world.happens(event(answered(False), day - 14 + n / 100), day=late)
    assert await world.positions("manager") == before
    midnight = late.replace(hour=0, minute=0)
    await tell_managers(world.pool, FixedClock(midnight))
    assert await world.positions("manager") == before
    # Nothing happens but time; what closed at nine is told at midnight.
    await tell_managers(world.pool, FixedClock(late.replace(hour=23)))
    assert await world.positions("manager") == before
    tomorrow = midnight.replace(day=midnight.day + 1)
    await tell_managers(world.pool, FixedClock(tomorrow))
    assert len(await world.positions("manager")) == len(before) + 1


async def test_streams_are_for_those_who_may_see_them(world: World) -> None:
    await world.happens(first_of(PAIR))
    api = await world.api()
    assert (await api.get("/v1/stream", role="participant")).status_code == 403
    assert (await api.get("/v1/stream", role="hr")).status_code == 403
    assert (await api.get(OWN, role="manager")).status_code == 403
    stranger = await api.get(OWN, role="participant", **as_("eve"))
    nobody = await api.get(f"/v1/pairs/{uuid4()}/stream", role="participant")
    assert (stranger.status_code, nobody.status_code) == (404, 404)
    elsewhere = await api.get(OWN, role="participant", **as_(ANN, tenant="globex"))
    assert elsewhere.status_code == 404


async def test_members_see_the_same_events_whatever_was_answered(
    new_world: NewWorld,
) -> None:
    """Three histories that differ in one private answer: yes, no, none. The streams are equal.

    Seen to fail when an id holds the position of the services' stream.
    """
    told_of = []
    for answer in (None, True, False):
        world = await new_world()
        api = await world.api()
        base = [event(kept(), 1, event_id=UUID(int=1)), event(held(), 2, event_id=UUID(int=2))]
        await world.happens(*base)
        async with (
            api.listening(OWN, role="participant", as_=ANN) as ann,
            api.listening(OWN, role="participant", as_=BEN) as ben,
        ):
            await ann.hears(1, "snapshot")
            await ben.hears(1, "snapshot")
            if answer is not None:
                await world.happens(event(answered(answer), 3))
            for n in (4, 5):
                await world.happens(event(held(), n, event_id=UUID(int=n)))
                await ann.hears(n - 3, "trust")
                await ben.hears(n - 3, "trust")
        told = [it.raw for it in ann.of("snapshot", "trust")]
        assert told == [it.raw for it in ben.of("snapshot", "trust")]
        told_of.append(told)
        async with api.listening(OWN, role="participant", last=ann.of("trust")[-1].id) as again:
            await again.hears(1, "fresh")
            assert not again.of("snapshot", "trust")
    assert told_of[0] == told_of[1] == told_of[2]
    assert len(told_of[0]) == 3


async def test_managers_see_the_same_events_whatever_was_answered(
    new_world: NewWorld,
) -> None:
    """Seen to fail when a manager is told of every pair that was surfaced."""
    told_of = []
    for answer in (None, True, False):
        world = await new_world()
        await world.pool.execute("UPDATE stream_epoch SET epoch = '12345678'")
        api = await world.api()
        await world.happens(event(kept(), 1, event_id=UUID(int=1)))
        async with api.listening(role="manager", as_="boss") as boss:
            await boss.hears(1, "live")
            if answer is not None:
                await world.happens(event(answered(answer), 3))
            await world.happens(event(held(), 4, event_id=UUID(int=4)))
            await boss.hears(1, "trust")
        told_of.append([it.raw for it in boss.of("snapshot", "live", "trust")])
    assert told_of[0] == told_of[1] == told_of[2]
    assert len(told_of[0]) == 3


async def test_a_pair_with_nothing_but_a_private_answer_is_told_to_nobody(world: World) -> None:
    await world.happens(event(answered(False), 3))
    api = await world.api()
    async with api.listening() as service, api.listening(role="manager") as manager:
        await service.hears(1, "live")
        (live,) = await manager.hears(1, "live")
        assert len(service.of("snapshot")) == 1
        assert (manager.of("snapshot"), live.position) == ([], 0)
    assert (await api.get(OWN, role="participant")).status_code == 404
