"""The kinds of messages there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from services.notifications.domain.workflow import Category, Workflow

_ALL = (
    Workflow("pair_proposed", "matching", 80, {"inbox": "now", "email": "off", "chat": "off"}),
    Workflow("pair_started", "matching", 70, {"inbox": "now", "email": "now", "chat": "off"}),
    Workflow("agreement_signed", "agreement", 40, {"inbox": "now", "email": "off", "chat": "off"}),
    Workflow(
        "session_scheduled",
        "sessions",
        70,
        {"inbox": "now", "calendar": "now", "email": "off", "chat": "off"},
        is_transactional=True,
    ),
    Workflow("session_held", "care", 30, {"inbox": "now", "email": "off", "chat": "off"}),
    Workflow("commitment_warned", "promises", 60, {"inbox": "now", "email": "now", "chat": "off"}),
    Workflow("commitment_missed", "promises", 50, {"inbox": "now", "email": "off", "chat": "off"}),
)
WORKFLOWS: Mapping[str, Workflow] = {workflow.name: workflow for workflow in _ALL}
DIGEST = Workflow("digest", "digest", 90, {"email": "now"})
CATEGORIES: frozenset[str] = frozenset(get_args(Category))
