"""Rows are seen by who acts for their tenant, in every table of every service, and nobody who runs
a service can change that.
"""

from __future__ import annotations

import asyncpg
import pytest

from shared.command import SERVICES
from shared.events.envelope import new_event
from shared.events.people import PersonJoined
from shared.ids import PersonId, TenantId, new_id
from shared.postgres.migrate import migrate
from shared.postgres.pool import Pool
from shared.postgres.tenancy import act_for_all, acting_for
from tests.conftest import MakePool
from tests.integration.identity.every_service import built
from tests.support.databases import Databases, migrations_of, service_dsn
from tests.unit.notifications.builders import START

pytestmark = pytest.mark.stack

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
# The delivery's own: read by the relay and by operators, of all tenants and in order.
OF_THE_DELIVERY = {"outbox"}
# Its commands move tables between schemas and make them anew (docs/decisions/0037).
OWNS_ITSELF = {"insights"}
_TABLES = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS guarded,
           EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) AS has_policy
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
"""
_ROLE = (
    "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
)
_MADE = """
    DO $$ BEGIN CREATE ROLE trustfold_sessions LOGIN;
    EXCEPTION WHEN duplicate_object THEN END $$
"""
_OWNED = """
    SELECT relname FROM pg_class WHERE relowner = current_user::regrole
      AND relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
"""


async def filled(service: str, pool: Pool) -> list[str]:
    """The service, told of a person by each of two tenants; its tables that have a tenant."""
    made = built(service, pool)
    for tenant in (ACME, GLOBEX):
        fact = PersonJoined(person_id=PersonId("E-1"), email="a@b.example", display_name=tenant)
        event = new_event(fact, event_id=new_id(), tenant=tenant, service="hr", now=START)
        async with pool.acquire() as conn, conn.transaction():
            await made.apply(conn, [event], START)
    return [row["relname"] for row in await pool.fetch(_TABLES)]


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_with_a_tenant_is_guarded(service_pool: MakePool, service: str) -> None:
    pool = await service_pool(service)

    tables = await pool.fetch(_TABLES)

    assert len(tables) > 5
    open_ = {row["relname"] for row in tables if not (row["guarded"] and row["has_policy"])}
    assert open_ == OF_THE_DELIVERY


@pytest.mark.parametrize("service", SERVICES)
async def test_without_a_tenant_nothing_is_seen_and_with_one_nobody_elses(
    service_pool: MakePool, service: str
) -> None:
    pool = await service_pool(service)
    tables = await filled(service, pool)
    seen = 0
    for table in set(tables) - OF_THE_DELIVERY:
        of = f"SELECT tenant FROM {table} WHERE tenant <> ''"
        assert await pool.fetch(of) == [], table
        async with acting_for(pool, ACME) as conn:
            assert {row[0] for row in await conn.fetch(of)} <= {ACME}, table
        async with pool.acquire() as conn, conn.transaction():
            await act_for_all(conn)
            seen += len({row[0] for row in await conn.fetch(of)})
    assert seen >= 2


@pytest.mark.parametrize("service", SERVICES)
async def test_nobody_elses_rows_are_changed_or_made(service_pool: MakePool, service: str) -> None:
    pool = await service_pool(service)
    await filled(service, pool)

    async with acting_for(pool, ACME) as conn:
        changed = await conn.execute("UPDATE person SET tenant = tenant WHERE tenant = 'globex'")
        gone = await conn.execute("DELETE FROM person WHERE tenant = 'globex'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with acting_for(pool, ACME) as conn:
            await conn.execute("UPDATE person SET tenant = 'globex'")

    assert (changed, gone) == ("UPDATE 0", "DELETE 0")
    async with acting_for(pool, GLOBEX) as conn:
        assert await conn.fetchval("SELECT count(*) FROM person") == 1


@pytest.mark.parametrize("service", SERVICES)
async def test_who_runs_a_service_cannot_look_past_the_guard(
    service_pool: MakePool, service: str
) -> None:
    pool = await service_pool(service)

    assert not await pool.fetchval(_ROLE)
    if service in OWNS_ITSELF:
        return
    assert await pool.fetch(_OWNED) == []
    for statement in (
        "ALTER TABLE person NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE person DISABLE ROW LEVEL SECURITY",
        "DROP POLICY of_tenant ON person",
        "TRUNCATE person",
        "CREATE TABLE copies (LIKE person)",
        f"SET ROLE {service}_owner",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)


async def test_what_an_earlier_release_owned_is_handed_over(databases: Databases) -> None:
    """Seen to fail without REASSIGN: the login role goes on owning the tables."""
    admin_dsn = await databases.create()
    own = service_dsn(admin_dsn, "sessions")
    admin = await asyncpg.connect(admin_dsn)
    await admin.execute(_MADE)
    await admin.execute("CREATE SCHEMA sessions AUTHORIZATION trustfold_sessions")
    await admin.execute("SET ROLE trustfold_sessions; CREATE TABLE sessions.older (tenant text)")
    await admin.execute("RESET ROLE")

    for _ in range(2):
        await migrate(admin_dsn, own, service="sessions", migrations=migrations_of("sessions"))

    owners = await admin.fetch(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'sessions'"
    )
    assert [row[0] for row in owners] == ["sessions_owner"]
    conn = await asyncpg.connect(own)
    assert await conn.fetchval("SELECT count(*) FROM sessions.older") == 0
    await conn.close()
    await admin.close()
    await databases.drop(admin_dsn)
