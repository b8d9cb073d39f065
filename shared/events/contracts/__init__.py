"""The contracts as files: generate, check and verify them. A tool: no service may import it."""

from __future__ import annotations

from shared.events.contracts.files import ContractBroken, check, generate
from shared.events.contracts.verify import verify

__all__ = ["ContractBroken", "check", "generate", "verify"]
