"""A fresh database of notifications for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.mailbox import Mailbox
from shared.postgres.pool import Pool
from tests.conftest import MakePool
from tests.integration.notifications.rig import Rig


@pytest.fixture
async def pool(service_pool: MakePool) -> Pool:
    return await service_pool("notifications")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as running:
        yield running


@pytest.fixture
def rig(pool: Pool, mailbox: Mailbox) -> Rig:
    return Rig.on(pool, mailbox.port)
