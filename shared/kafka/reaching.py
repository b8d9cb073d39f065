"""Where a cluster is, and how one gets in: TLS, and a user with a SCRAM password. Opens nothing.

A cluster that lets anybody in is an address alone; that is what the embedded one is.
"""

from __future__ import annotations

import ssl
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.errors import TrustfoldError

Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


class BrokerUnreachable(TrustfoldError):
    """The settings of the broker do not fit together."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A cluster over TLS, whose certificate `ca_file` vouches for, else one that the machine knows.

    With a `user` one signs in; without one, TLS alone. Raises BrokerUnreachable for a user without
    a password, and for a CA that cannot be read.
    """

    bootstrap: str
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: Mechanism = "SCRAM-SHA-512"

    def __post_init__(self) -> None:
        if (self.user is None) != (self.password is None):
            raise BrokerUnreachable("a user of the broker needs a password, and it a user")

    def tls(self) -> ssl.SSLContext:
        """Certificates are verified, and so is the host's name in them."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise BrokerUnreachable(f"{self.ca_file}: {error}") from error


# An address alone is of a cluster that lets anybody in.
Reached: TypeAlias = Broker | str


def arguments(to: Reached) -> dict[str, Any]:
    """What a client of aiokafka has to be told."""
    if isinstance(to, str):
        return {"bootstrap_servers": to}
    told = {"bootstrap_servers": to.bootstrap, "ssl_context": to.tls()}
    if to.user is None:
        return {**told, "security_protocol": "SSL"}
    return {
        **told,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": to.mechanism,
        "sasl_plain_username": to.user,
        "sasl_plain_password": to.password,
    }


def as_faststream(to: Reached) -> dict[str, Any]:
    """The same for FastStream."""
    if isinstance(to, str):
        return {"bootstrap_servers": to}
    kinds = {"SCRAM-SHA-512": SASLScram512, "SCRAM-SHA-256": SASLScram256, "PLAIN": SASLPlaintext}
    if to.user is None or to.password is None:
        how = BaseSecurity(ssl_context=to.tls())
    else:
        how = kinds[to.mechanism](to.user, to.password, ssl_context=to.tls())
    return {"bootstrap_servers": to.bootstrap, "security": how}


def written(to: Reached) -> object:
    """As JSON, for a process of our own: with the password, so through a pipe alone."""
    if isinstance(to, str):
        return to
    ca_file = None if to.ca_file is None else str(to.ca_file)
    return {**asdict(to), "ca_file": ca_file}


def read_back(said: Any) -> Reached:
    """What `written` wrote."""
    if isinstance(said, str):
        return said
    ca_file = None if said["ca_file"] is None else Path(said["ca_file"])
    return Broker(**{**said, "ca_file": ca_file})
