"""The contracts as files: generate, check and verify them. A tool: no service may import it."""

from __future__ import annotations

from shared.events.contracts.files import ContractBroken, check, generate
from shared.events.contracts.kit import write_kit
from shared.events.contracts.registry_export import export
from shared.events.contracts.verify import Verdict, verdicts, verify

__all__ = [
    "ContractBroken",
    "Verdict",
    "check",
    "export",
    "generate",
    "verdicts",
    "verify",
    "write_kit",
]
