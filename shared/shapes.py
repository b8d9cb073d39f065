"""What goes in and out over HTTP. Bodies are closed; answers hold no score, no private answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("not a time anybody can meet at") from error


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
# One line of the pair's own: no control characters, which the database would not take either.
LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=LINE)
]


class Body(BaseModel):
    """A request's body: a field nobody knows is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
