"""Matching's settings: what every service has, read from MATCHING_*. Holds no secret's default."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """Everything matching is told from outside."""

    model_config = SettingsConfigDict(env_prefix="MATCHING_", frozen=True, extra="ignore")

    sweep_every_s: Annotated[float, Field(gt=0)] = 5.0
    index_every_s: Annotated[float, Field(gt=0)] = 1.0
    runs_every_s: Annotated[float, Field(gt=0)] = 1.0
    sweep_batch: Annotated[int, Field(ge=1, le=5_000)] = 200
