"""Our storage keeps the contract that scim2-server has for storages, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from scim2_models import ScimProvider
from scim2_server.storage import ScimStorage
from scim2_server.testing import AsyncScimStorageContract, BlockingStorage

from services.matching.scim.rules import ScimRules
from services.matching.scim.schemas import PROVIDER
from services.matching.scim.storage import PostgresStorage
from shared.asking import Ask
from shared.ids import PersonId
from tests.integration.matching.conftest import ACME, START
from tests.support.databases import Databases


class TestPostgresStorage(AsyncScimStorageContract):
    supports_root_search = False

    @pytest.fixture
    def provider(self) -> ScimProvider:
        return PROVIDER

    @pytest.fixture
    def storage(self, databases: Databases) -> Iterator[ScimStorage]:
        with asyncio.Runner() as runner:
            opening = databases.pool("matching")
            pool = runner.run(opening.__aenter__())
            ask = Ask(ACME, PersonId("directory"), START, "hr")
            yield BlockingStorage(PostgresStorage(pool, ask, ScimRules()), runner)
            runner.run(opening.__aexit__(None, None, None))
