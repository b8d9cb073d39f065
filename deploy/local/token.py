"""`trustfold token`: asks the identity provider of `make up` for a token."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import typer

from shared.command import EXIT_PROBLEM, errors

TIMEOUT_S = 5.0


def fetch(issuer: str, person: str, roles: Sequence[str], tenant: str) -> str:
    """The token; ends the command in one sentence where there is none."""
    wanted = {"person": person, "roles": list(roles), "tenant": tenant}
    try:
        answer = httpx.post(f"{issuer}/token", json=wanted, timeout=TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        errors.print(f"no identity provider at {issuer} ({error}): is `make up` running?")
        raise typer.Exit(EXIT_PROBLEM) from None
    if not answer.is_success:
        errors.print(f"refused: {answer.text}")
        raise typer.Exit(EXIT_PROBLEM)
    return str(answer.json()["access_token"])
