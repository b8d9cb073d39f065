"""The settings of sessions. Nothing else in the service reads the environment."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from annotated_types import Gt
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.sessions.domain.rules import Rules
from shared.settings import ServiceSettings

Span = Annotated[timedelta, Gt(timedelta(0))]


class SessionsSettings(ServiceSettings):
    """Read from SESSIONS_*; spans are ISO 8601 ("PT48H"). A changed span holds for what is new."""

    model_config = SettingsConfigDict(env_prefix="SESSIONS_", frozen=True, extra="ignore")

    sweep_every_s: Annotated[float, Field(gt=0)] = 5.0
    sweep_batch_pairs: Annotated[int, Field(ge=1, le=5_000)] = 200
    grace: Span = Rules().grace
    confirm_within: Span = Rules().confirm_within

    def rules(self) -> Rules:
        """The domain's rules with the spans that are set."""
        return Rules(grace=self.grace, confirm_within=self.confirm_within)
