"""Sessions in a simulated story, and what comes of them: answers, crossed boundaries. Pure."""

from __future__ import annotations

from typing import Any, get_args

from deploy.local.simulate.book import instant
from deploy.local.simulate.cast import Attack
from deploy.local.simulate.nature import SIDES, B, E, H, L, P, R
from deploy.local.simulate.promises import promise
from deploy.local.simulate.story import Rating, Scene
from shared.events import sessions

MINUTES = 45
SESSION_DAYS = MINUTES / 1440
ASKED = {"listened": L, "honest": H, "prepared": E, "at_ease": P}
BOTH_CONFIRM = 0.8
ANOTHER_PROMISE = 0.2
STAR_NOISE = 0.7
# A boundary crossed again within these days of a reminder may be called a breach.
REMEMBERED_DAYS = 120.0
BREACH = 0.5
TERMS = ("hours", "channel", "topic")

assert set(ASKED) == set(get_args(sessions.FeedbackItem))


class Meetings:
    """The sessions of one pair, as they come."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._reminded = [-REMEMBERED_DAYS] * SIDES

    def meet(self, day: float) -> None:
        """A session was set for this instant: it is held, called off or missed."""
        scene, id = self._scene, self._scene.book.new()
        scheduler = scene.chance.randrange(SIDES)
        scene.book.tell(
            max(0.0, day - 5.0),
            sessions.SessionScheduled,
            session_id=id,
            by=scene.pair.people[scheduler],
            starts_at=instant(day),
            duration_minutes=MINUTES,
        )
        fields: dict[str, Any] = {"session_id": id, "starts_at": instant(day)}
        if int(day) in scene.pair.outages:
            self._miss(day, fields, (0, 1), "outage")
        elif scene.back(day) != day:
            away = next(each.side for each in scene.pair.leaves if each.first <= day < each.back)
            self._miss(day, fields, (away,), "leave")
        elif scene.colluding:
            self._hold(day, fields)
        elif scene.happens(scene.nature.cancels):
            self._cancel(day, fields)
        elif absent := tuple(side for side in range(SIDES) if self._absent(side, day)):
            self._miss(day, fields, absent, None)
        else:
            self._hold(day, fields)

    def _absent(self, side: int, day: float) -> bool:
        return self._scene.happens(
            self._scene.nature.no_show * (1.0 - self._scene.level(side, R, day))
        )

    def _miss(
        self, day: float, fields: dict[str, Any], sides: tuple[int, ...], excused: str | None
    ) -> None:
        people = tuple(self._scene.pair.people[side] for side in sides)
        self._scene.book.tell(
            day + SESSION_DAYS, sessions.SessionMissed, **fields, missed_by=people, excused=excused
        )

    def _cancel(self, day: float, fields: dict[str, Any]) -> None:
        scene = self._scene
        side = scene.chance.randrange(SIDES)
        notice = scene.well(side, H, day)
        scene.book.tell(
            max(0.0, day - (2.0 if notice else 0.1)),
            sessions.SessionCancelled,
            **fields,
            by=scene.pair.people[side],
            with_notice=notice,
        )

    def _hold(self, day: float, fields: dict[str, Any]) -> None:
        scene, people = self._scene, self._scene.pair.people
        both = scene.colluding or scene.happens(BOTH_CONFIRM)
        said = people if both else (people[scene.chance.randrange(SIDES)],)
        after = day + SESSION_DAYS
        scene.book.tell(
            after, sessions.SessionHeld, **fields, duration_minutes=MINUTES, confirmed_by=said
        )
        for side in range(SIDES):
            self._boundary(side, after)
            if scene.happens(scene.nature.answers):
                self._answer(side, after, fields)
            while_promising = scene.nature.promises
            while scene.happens(while_promising):
                promise(scene, side, after + 0.01)
                while_promising = ANOTHER_PROMISE

    def _answer(self, side: int, after: float, fields: dict[str, Any]) -> None:
        """The other side answers one question about `side`, and gives it stars beside."""
        scene, giver = self._scene, 1 - side
        at = after + scene.chance.uniform(0.02, 0.4)
        item = scene.chance.choice(list(ASKED))
        lenient = scene.pair.leniency[giver]
        yes = scene.well(side, ASKED[item], at) or scene.happens(lenient)
        felt = float(scene.truth[side, min(int(at), scene.truth.shape[-1] - 1)])
        stars = 1.0 + 4.0 * (felt + lenient * (1.0 - felt)) + scene.chance.gauss(0.0, STAR_NOISE)
        if scene.colluding:
            yes, stars = True, 5.0
        elif scene.pair.attack is Attack.BAD_MOUTHING and side == 0:
            yes, stars = False, 1.0
        scene.stars.append(Rating(at, side, min(5, max(1, round(stars)))))
        scene.book.tell(
            at,
            sessions.FeedbackGiven,
            session_id=fields["session_id"],
            by=scene.pair.people[giver],
            about=scene.pair.people[side],
            item=item,
            answer=yes,
        )

    def _boundary(self, side: int, after: float) -> None:
        scene = self._scene
        crossed = scene.nature.crosses_boundary * (1.0 - scene.level(side, B, after))
        if scene.colluding or not scene.happens(crossed):
            return
        at = after + scene.chance.uniform(0.1, 3.0)
        fields = {
            "boundary_id": scene.book.new(),
            "about": scene.pair.people[side],
            "term": scene.chance.choice(TERMS),
        }
        if at - self._reminded[side] < REMEMBERED_DAYS and scene.happens(BREACH):
            scene.book.tell(at, sessions.BoundaryBreached, **fields, confirmed_by="both")
        else:
            self._reminded[side] = at
            scene.book.tell(at, sessions.BoundaryReminded, **fields)
