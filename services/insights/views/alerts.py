"""Open alerts, for those who may help: which pair, since when, why, and what to suggest."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from services.insights.queries import alerts
from services.insights.queries.alerts import OpenAlert
from shared.errors import Rejected
from shared.events import insights as wire
from shared.ids import PairId, TenantId
from shared.postgres.pool import Pool
from shared.postgres.tenancy import reading_for

SIDES: tuple[wire.Side, ...] = ("mentor", "mentee")


class BadCursor(Rejected):
    """`after` is not the `next` of a page before."""

    slug = "bad-cursor"


class Alert(BaseModel):
    """An open alert about one direction of a pair. It suggests; it decides nothing."""

    pair_id: UUID
    mentor_id: str
    mentee_id: str
    about: wire.Side
    since: str
    band: wire.Band
    reasons: list[wire.Reason]
    next_step: str


class AlertPage(BaseModel):
    """Alerts in the order of pairs; `next` is the `after` of the next page, if there is one."""

    items: list[Alert]
    next: str | None


async def alert_page(
    pool: Pool, tenant: TenantId, after: str | None, programme_id: str | None, limit: int
) -> AlertPage:
    """Open alerts of a tenant, of one programme if asked. Raises BadCursor."""
    async with reading_for(pool, tenant) as conn:
        rows = await alerts.open_alerts(conn, tenant, _cursor(after), programme_id, limit + 1)
    items = [_alert(row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return AlertPage(items=items, next=f"{last.pair_id}.{last.side}" if last else None)


def _cursor(after: str | None) -> tuple[PairId, int] | None:
    if after is None:
        return None
    pair_id, _, side = after.partition(".")
    try:
        return PairId(UUID(pair_id)), int(side)
    except ValueError:
        raise BadCursor(field="after") from None


def _alert(row: OpenAlert) -> Alert:
    fact = wire.TrustAlerted.model_validate_json(row.body)
    return Alert(
        pair_id=fact.pair_id,
        mentor_id=fact.mentor_id,
        mentee_id=fact.mentee_id,
        about=fact.about,
        since=fact.epoch.isoformat(),
        band=fact.band,
        reasons=list(fact.reasons),
        next_step=fact.next_step,
    )
