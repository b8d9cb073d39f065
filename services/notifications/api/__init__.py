"""HTTP: parse, authorise, call one handler, render. Holds no SQL and no rule."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI

from services.notifications.access import ACCESS
from shared.clock import Clock
from shared.http import new_api
from shared.routing import include


def build_api(clock: Clock, routers: Sequence[APIRouter]) -> FastAPI:
    """The routes of the service."""
    api = new_api("notifications", "What was said to whom, when, and how they want to be told.")
    api.state.clock = clock
    include(api, routers, access=ACCESS)
    return api
