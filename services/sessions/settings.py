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
    outage_after: Span = timedelta(hours=1)

    def rules(self) -> Rules:
        """The domain's rules with the spans that are set."""
        return Rules(grace=self.grace, confirm_within=self.confirm_within)

    def outages(self) -> timedelta | None:
        """How long no sweeper must have run to call it an outage; None when it cannot be told.

        A virtual clock jumps, and a jump looks like an outage: there it has to be set to be looked
        for.
        """
        if self.clock_file is not None and "outage_after" not in self.model_fields_set:
            return None
        return self.outage_after
