"""The HTTP contracts as files: one OpenAPI document a service. A tool: no service may import it."""

from __future__ import annotations

from shared.openapi.breaking import breaking_changes
from shared.openapi.files import OpenApiBroken, check, generate

__all__ = ["OpenApiBroken", "breaking_changes", "check", "generate"]
