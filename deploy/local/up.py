"""`trustfold up`: the whole network on this machine, with a page to look at, until Ctrl-C.

The same four services and the same stack as the demo and the tests. With `still` a few people on
the real clock, to whom nothing happens by itself; else the demo's network, half a year old.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from deploy.local.demo import drive, quiet
from deploy.local.demo.api import Api, DemoFailed
from deploy.local.demo.director import MAIL_SETTINGS, PACE, TENANT
from deploy.local.demo.log import Log
from deploy.local.demo.noise import Couple, Record
from deploy.local.demo.population import CONTENT_TYPE, key_of, population
from deploy.local.demo.size import DemoSize
from deploy.local.foreground import Foreground
from deploy.local.living import Living, size_until, someones
from deploy.local.mailbox import HOST, Mailbox
from deploy.local.network import SERVICES, Network, NetworkOptions
from deploy.local.progress import say
from deploy.local.stack import Stack, StackOptions
from shared.clock import FileClock
from shared.events.topics import PEOPLE
from shared.ids import TenantId

SAMPLE = DemoSize(people=20, pairs=6, weeks=2)
SAMPLE_SEED = 7
TENANT_ID = TenantId(TENANT)


class _TellingMailbox(Mailbox):
    """Says of each mail that it came."""

    def answer_data(self, mail: EmailMessage) -> str:
        say(f"mail to {mail['To']}: {str(mail['Subject']).strip()}")
        return super().answer_data(mail)


def up(*, containers: bool, still: bool = False) -> int:
    """Run until Ctrl-C or SIGTERM (130), or until a part dies (1, with the end of its log)."""
    front = Foreground()
    return front.guard(lambda: _up(containers, still, front), DemoFailed)


def _up(containers: bool, still: bool, front: Foreground) -> int:
    say("starting Kafka and Postgres")
    # Half a year of mails would bury everything else that is said.
    kind = _TellingMailbox if still else Mailbox
    with Stack.start(StackOptions(containers=containers)) as stack, kind() as mailbox:
        stack.on_death(front.died)
        file = None if still else stack.run_dir / "clock"
        size = size_until(datetime.now(UTC))
        if file is not None:
            FileClock(file).set(size.starts_at)
        environ = MAIL_SETTINGS if still else {**MAIL_SETTINGS, **PACE}
        options = NetworkOptions(
            clock_file=file, smtp=(HOST, mailbox.port), environ=environ, page=True
        )
        with Network(stack, options, front.died).start(say) as network:
            environment = _write_environment(network)

            def tell(couple: Couple | None) -> None:
                _tell(network, environment, mailbox, couple)

            living = Living(network, FileClock(file), size, TENANT_ID) if file else None
            front.run(_run(network, living, tell))
    return 0


async def _run(
    network: Network, living: Living | None, tell: Callable[[Couple | None], None]
) -> None:
    """Have something to look at; nothing is told where the tenant has people already."""
    bootstrap = network.stack.kafka_bootstrap
    async with Api(network, TENANT_ID) as api, Log(bootstrap) as log:
        if await _count(api):
            tell(None)
        elif living is None:
            tell(await _load_sample(network, api, log))
        else:
            say(f"look at {network.gateway.url} while half a year goes by")
            couples = await living.begin(api, log)
            tell(couples[0])
            await living.go_on(api, log, couples)
        await asyncio.Event().wait()


async def _load_sample(network: Network, api: Api, log: Log) -> Couple:
    """A few people and pairs to look at."""
    people = population(SAMPLE, SAMPLE_SEED, TENANT_ID)
    network.issuer.signing_in.let_in(someones(people, TENANT_ID))
    headers = (("content-type", CONTENT_TYPE),)
    await log.send(Record(PEOPLE.name, key_of(one, TENANT_ID), one.line, headers) for one in people)

    async def known() -> bool:
        return await _count(api) == len(people)

    await quiet.until(known, "the people known to matching")
    couples, _ = await drive.form_pairs(api, SAMPLE.pairs)
    await _first_steps(api, couples[0])
    return couples[0]


async def _count(api: Api) -> int:
    return int((await api.get("matching", "/v1/people?limit=1"))["total"])


async def _first_steps(api: Api, couple: Couple) -> None:
    """An agreement, a date and a promise, so that there is something to see."""
    pair, tomorrow = f"/v1/pairs/{couple.pair_id}", datetime.now(UTC) + timedelta(days=1)
    terms = {"cadence_days": 14, "notice_hours": 24, "channels": ["video", "email"]}
    slot = {"starts_at": tomorrow.isoformat(), "duration_minutes": 45}
    promise = {"due_at": (tomorrow + timedelta(days=2)).isoformat(), "title": "three goals"}
    for person, path, body in (
        (couple.mentor_id, "agreement", terms),
        (couple.mentee_id, "agreement/sign", {"version": 1}),
        (couple.mentor_id, "sessions", slot),
        (couple.mentee_id, "commitments", promise),
    ):
        await api.post("sessions", f"{pair}/{path}", person=person, body=body)


def _write_environment(network: Network) -> Path:
    """Every service's settings for a shell, passwords included: readable by us alone."""
    path = network.stack.run_dir / "network.env"
    path.touch(mode=0o600)
    lines = [
        f"export {name}={shlex.quote(value)}"
        for service in SERVICES
        for name, value in network.environ(service).items()
        if name.startswith(f"{service.upper()}_")
    ]
    lines += [f"export TRUSTFOLD_ISSUER={network.issuer.url} TRUSTFOLD_TENANT={TENANT}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _tell(network: Network, environment: Path, mailbox: Mailbox, couple: Couple | None) -> None:
    print("\nThe network is up. Ctrl-C ends it and removes everything.\n")
    print(f"  {'The page':<14} {network.gateway.url} (be a manager, HR, or anybody: no account)\n")
    for service in SERVICES:
        print(f"  {service:<14} {network.url(service)}/docs")
    print(f"  {'Kafka':<14} {network.stack.kafka_bootstrap}")
    print(f"  {'SMTP':<14} {HOST}:{mailbox.port} (keeps what it gets, delivers to nobody)")
    print(f"  {'Postgres':<14} a role for each service; settings with their passwords:")
    print(f"  {'':<14} . {environment}")
    print("\nWho is asking is told by a token, which a small identity provider here gives you:\n")
    print(f"  . {environment}")
    every = _curl(f"{network.url('insights')}/v1/trust", "ops", "service")
    print(f"  {every}")
    if couple is not None:
        pair = f"/v1/pairs/{couple.pair_id}"
        own = _curl(f"{network.url('sessions')}{pair}", couple.mentee_id, "participant")
        print(f"  {own}")
        print(f"\nThat mentee's mentor is {couple.mentor_id}; everybody is in tenant {TENANT}.")
    print(f"\nDead letters:\n\n  . {environment} && trustfold dlq ls insights\n", flush=True)


def _curl(url: str, person: str, role: str) -> str:
    asked = f"trustfold token {person} --role {role}"
    return f'curl -H "Authorization: Bearer $({asked})" {url}'
