"""Matching's settings: what every service has, read from MATCHING_*. Holds no secret's default."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """Everything matching is told from outside."""

    model_config = SettingsConfigDict(env_prefix="MATCHING_", frozen=True, extra="ignore")
