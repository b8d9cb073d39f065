"""The kinds of messages there are, and how each comes unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from services.notifications.domain.message import Channel
from services.notifications.domain.workflow import Category, Mode, Workflow

_Ways = Mapping[Channel, Mode]
# The inbox has everything; mail is for what somebody would miss, and comes gathered where it can.
_INBOX: _Ways = {"inbox": "now", "email": "off", "chat": "off"}
_DIGEST: _Ways = {"inbox": "now", "email": "digest", "chat": "off"}
_MAIL: _Ways = {"inbox": "now", "email": "now", "chat": "off"}
_CALENDAR: _Ways = {"inbox": "now", "calendar": "now", "email": "off", "chat": "off"}

_ALL = (
    Workflow("pair_proposed", "matching", 80, _MAIL),
    Workflow("pair_waiting", "matching", 75, _MAIL),
    Workflow("pair_started", "matching", 70, _MAIL),
    Workflow("pair_ended", "matching", 45, _DIGEST),
    Workflow("agreement_proposed", "agreement", 65, _MAIL),
    Workflow("agreement_signed", "agreement", 40, _DIGEST),
    Workflow("agreement_review", "agreement", 35, _DIGEST),
    Workflow("session_scheduled", "sessions", 90, _CALENDAR, is_transactional=True),
    Workflow("session_rescheduled", "sessions", 92, _CALENDAR, is_transactional=True),
    Workflow("session_cancelled", "sessions", 95, _CALENDAR, is_transactional=True),
    Workflow("session_tomorrow", "sessions", 60, _MAIL),
    Workflow("session_soon", "sessions", 55, _INBOX),
    Workflow("session_held", "care", 30, _INBOX),
    Workflow("commitment_made", "promises", 50, _DIGEST),
    Workflow("commitment_tomorrow", "promises", 68, _MAIL),
    Workflow("commitment_warned", "promises", 66, _MAIL),
    Workflow("commitment_missed", "promises", 58, _INBOX),
    Workflow("repair_delivered", "care", 25, _INBOX),
    Workflow("goal_reached", "care", 20, _DIGEST),
    Workflow("reply_waiting", "care", 48, _DIGEST),
)
WORKFLOWS: Mapping[str, Workflow] = {workflow.name: workflow for workflow in _ALL}
DIGEST = Workflow("digest", "digest", 90, {"email": "now"})
CATEGORIES: frozenset[str] = frozenset(get_args(Category))
