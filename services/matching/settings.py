"""Matching's settings: what every service has, read from MATCHING_*. Holds no secret's default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.matching.scim.rules import ScimRules
from shared.settings import ServiceSettings


class MatchingSettings(ServiceSettings):
    """Everything matching is told from outside."""

    model_config = SettingsConfigDict(env_prefix="MATCHING_", frozen=True, extra="ignore")

    sweep_every_s: Annotated[float, Field(gt=0)] = 5.0
    index_every_s: Annotated[float, Field(gt=0)] = 1.0
    runs_every_s: Annotated[float, Field(gt=0)] = 1.0
    events_per_s: Annotated[float, Field(gt=0, description="of one tenant, by HTTP")] = 2_000.0
    events_burst: Annotated[float, Field(ge=1, description="of one tenant, at once")] = 20_000.0
    receipt_key: SecretStr | None = Field(
        default=None, description="signs receipts of erasures: a private Ed25519 JWK"
    )
    sweep_batch: Annotated[int, Field(ge=1, le=5_000)] = 200
    scim_person_id: Literal["id", "external_id"] = "id"
    scim_groups: dict[str, Literal["mentor", "mentee"]] = Field(
        default={}, description="what a group of this name makes of its members"
    )

    def scim_rules(self) -> ScimRules:
        """What provisioning makes of ids and groups."""
        groups = {name.strip().lower(): role for name, role in self.scim_groups.items()}
        return ScimRules(self.scim_person_id, groups)

    def receipts(self) -> str | None:
        """The key that signs receipts."""
        return self.receipt_key.get_secret_value() if self.receipt_key else None
