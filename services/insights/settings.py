"""The settings of insights. Nothing else in the service reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.identity.issuers import Url
from shared.settings import ServiceSettings


class InsightsSettings(ServiceSettings):
    """Read from INSIGHTS_*. `surface_gather_s` is how long changes of a pair are gathered,
    `surface_every_s` how often it is looked for changes that woke nobody, `people_every_s` how
    often what people may see is looked at. `measure_every_s` is how often it is asked whether an
    epoch is over, `look_every_s` whether a new day has begun. `stream_ring_rows` and
    `stream_ring_s` bound what a stream can be resumed from, `stream_keep` by how many changes a
    reader may be behind. `page_dir` is where the built page lies, and `page_url` where people reach
    it, as their identity provider knows it; without them there is no page, or nobody can sign in.
    """

    model_config = SettingsConfigDict(env_prefix="INSIGHTS_", frozen=True, extra="ignore")

    surface_every_s: Annotated[float, Field(gt=0)] = 0.5
    measure_every_s: Annotated[float, Field(gt=0)] = 5.0
    look_every_s: Annotated[float, Field(gt=0)] = 30.0
    surface_gather_s: Annotated[float, Field(ge=0, le=10)] = 0.025
    people_every_s: Annotated[float, Field(gt=0)] = 1.0
    stream_heartbeat_s: Annotated[float, Field(gt=0)] = 15.0
    stream_most_s: Annotated[float, Field(gt=0)] = 3600.0
    stream_most_readers: Annotated[int, Field(ge=1)] = 2_000
    stream_send_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    stream_keep: Annotated[int, Field(ge=1)] = 4_000
    stream_ring_rows: Annotated[int, Field(ge=1)] = 20_000
    stream_ring_s: Annotated[float, Field(gt=0)] = 3600.0
    page_dir: Path | None = None
    page_url: Url | None = None
