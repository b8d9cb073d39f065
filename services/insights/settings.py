"""The settings of insights. Nothing else in the service reads the environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class InsightsSettings(ServiceSettings):
    """Read from INSIGHTS_*. `surface_every_s` is how long changes of a pair are gathered."""

    model_config = SettingsConfigDict(env_prefix="INSIGHTS_", frozen=True, extra="ignore")

    surface_every_s: Annotated[float, Field(gt=0)] = 0.5
