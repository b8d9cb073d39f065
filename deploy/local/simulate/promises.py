"""Promises in a simulated story: kept, put off, warned of, missed, lied about, put right. Pure."""

from __future__ import annotations

from uuid import UUID

from deploy.local.simulate.book import instant
from deploy.local.simulate.nature import H, R
from deploy.local.simulate.story import Promise, Scene
from shared.events import sessions

PUT_OFF_DAYS = 5.0
TOLD_AFTER_DAYS = 1.0
SILENT_AFTER_DAYS = 2.0
SHOWN_FALSE_AFTER_DAYS = 7.0
REPAIR_PROMISED_AFTER_DAYS = 1.0
REPAIR_DUE_DAYS = 7.0
MENDS = 0.9
REPAIRS = 0.5  # x H
TRIVIAL_TASKS, TRIVIAL_FROM_DAY = 30, 40


def promise(scene: Scene, side: int, made: float) -> None:
    """A side promises something; what becomes of it is told, too, on its days."""
    due = scene.back(made + scene.chance.uniform(3.0, max(4.0, scene.pair.cadence_days - 2.0)))
    by, id = scene.pair.people[side], scene.book.new()
    scene.book.tell(made, sessions.CommitmentMade, commitment_id=id, by=by, due_at=instant(due))
    kept = scene.well(side, R, due)
    if not kept and not scene.colluding and scene.well(side, H, due):
        kept, due = _told_before(scene, side, id, made, due)
    elif not kept and not scene.colluding:
        _kept_quiet(scene, side, id, due)
    if kept or scene.colluding:
        _keep(scene, side, id, max(made, due - scene.chance.uniform(0.05, 1.5)), due)
    scene.promises.append(Promise(made, due, side, kept))


def trivial(scene: Scene, side: int) -> None:
    """Ballot stuffing: a task a day, made in the morning and done by noon."""
    for day in range(TRIVIAL_FROM_DAY, TRIVIAL_FROM_DAY + TRIVIAL_TASKS):
        by, id = scene.pair.people[side], scene.book.new()
        due = day + 0.9
        scene.book.tell(
            day + 0.35, sessions.CommitmentMade, commitment_id=id, by=by, due_at=instant(due)
        )
        _keep(scene, side, id, day + 0.5, due)


def _keep(scene: Scene, side: int, id: UUID, at: float, due: float) -> None:
    scene.book.tell(
        at,
        sessions.CommitmentKept,
        commitment_id=id,
        by=scene.pair.people[side],
        due_at=instant(due),
        kept_at=instant(at),
    )


def _told_before(scene: Scene, side: int, id: UUID, made: float, due: float) -> tuple[bool, float]:
    """Who will not make it says so: another date, or a warning. Whether it is kept, and until."""
    by = scene.pair.people[side]
    if scene.happens(0.5):
        notice = scene.well(side, H, due)
        later = scene.back(due + PUT_OFF_DAYS)
        scene.book.tell(
            max(made + 0.01, due - (1.5 if notice else 0.3)),
            sessions.CommitmentRenegotiated,
            commitment_id=id,
            by=by,
            due_at=instant(later),
            previous_due_at=instant(due),
            with_notice=notice,
        )
        if scene.well(side, R, later):
            return True, later
        _miss(scene, side, id, later)
        return False, later
    warned = max(made + 0.01, due - 1.0)
    fields = {"commitment_id": id, "by": by, "due_at": instant(due), "warned_at": instant(warned)}
    scene.book.tell(warned, sessions.CommitmentWarned, **fields)
    scene.book.tell(due, sessions.CommitmentMissedWarned, **fields)
    return False, due


def _kept_quiet(scene: Scene, side: int, id: UUID, due: float) -> None:
    if not scene.happens(scene.nature.lies * (1.0 - scene.level(side, H, due))):
        _miss(scene, side, id, due)
        return
    _keep(scene, side, id, due - 0.1, due)
    scene.book.tell(
        due + SHOWN_FALSE_AFTER_DAYS,
        sessions.CommitmentShownFalse,
        commitment_id=id,
        by=scene.pair.people[side],
        due_at=instant(due),
        confirmed_by="both" if scene.happens(0.5) else "manager",
    )


def _miss(scene: Scene, side: int, id: UUID, due: float) -> None:
    fields = {"commitment_id": id, "by": scene.pair.people[side], "due_at": instant(due)}
    if scene.well(side, H, due):
        at = due + TOLD_AFTER_DAYS
        scene.book.tell(at, sessions.CommitmentMissedTold, **fields, told_at=instant(at))
    else:
        at = due + SILENT_AFTER_DAYS
        scene.book.tell(at, sessions.CommitmentMissed, **fields)
    mending = bool(scene.mending[side, min(int(due), scene.mending.shape[-1] - 1)])
    if scene.happens(MENDS if mending else REPAIRS * scene.level(side, H, due)):
        _repair(scene, side, id, due, at, mending=mending)


def _repair(scene: Scene, side: int, id: UUID, due: float, missed: float, *, mending: bool) -> None:
    fields = {"repair_id": scene.book.new(), "by": scene.pair.people[side], "repairs": id}
    promised = missed + REPAIR_PROMISED_AFTER_DAYS
    by = scene.back(promised + REPAIR_DUE_DAYS)
    scene.book.tell(promised, sessions.RepairPromised, **fields, due_at=instant(by))
    if scene.happens(MENDS) if mending else scene.well(side, R, by):
        at = scene.back(promised + scene.chance.uniform(1.0, REPAIR_DUE_DAYS))
        scene.book.tell(
            at,
            sessions.RepairDelivered,
            **fields,
            missed_due_at=instant(due),
            delivered_at=instant(at),
        )
    else:
        scene.book.tell(by, sessions.RepairBroken, **fields)
