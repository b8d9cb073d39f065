"""Which web addresses we may be told to send to, and which machines are never among them. Pure.

A name says nothing about the machine behind it: who connects asks `Reach.lets_in` about the very
address that is connected to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from shared.errors import Rejected

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LONGEST_URL = 2_000
PORTS = frozenset({443, 8443})
_DEFAULT_PORTS = {"https": 443, "http": 80}
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?P<rest>#.*)?"
)
_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_TARGET = re.compile(r"[!-~]*")
# Beside what is not global: registries that change, and forms that hide an IPv4 address (mapped,
# compatible, 6to4, Teredo, NAT64), where what is checked is not what is reached.
_NEVER = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"),
        *("100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"),
        *("fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
        # Metadata services of clouds that are not link-local.
        *("168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128"),
    )
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What an installation lets tenants send to beside the public web. Nothing, unless set."""

    http: bool = False
    any_port: bool = False
    networks: tuple[Network, ...] = ()

    def lets_in(self, address: Address) -> bool:
        """Whether we may connect to this address."""
        if any(address in network for network in self.networks):
            return True
        # Only addresses are ever compared to networks, and those of one version.
        return address.is_global and not any(address in network for network in _NEVER)


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A checked URL in parts, each as it goes over the wire. `text` is the URL as it is kept."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a default port: what may be shown and logged."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{self._port}"

    @property
    def text(self) -> str:
        """The URL."""
        return self.origin + self.target

    @property
    def _port(self) -> str:
        return "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"


def read_url(text: str, reach: Reach, *, field: str = "url") -> WebAddress:
    """The URL in parts. Raises Rejected, naming `field`, for one that we would not send to.

    Strict, because every reader of URLs is lenient in its own way: what is odd is refused.
    """
    if len(text) > LONGEST_URL:
        raise Rejected(f"is longer than {LONGEST_URL} characters", field=field)
    found = _URL.fullmatch(text)
    if found is None or not _TARGET.fullmatch(text):
        raise Rejected("is not a URL: https://host/path, in plain ASCII", field=field)
    scheme, target = found["scheme"].lower(), found["target"]
    if scheme not in _DEFAULT_PORTS or (scheme == "http" and not reach.http):
        raise Rejected("must begin with https://", field=field)
    if found["rest"] is not None:
        raise Rejected("has a fragment (#), which is never sent", field=field)
    if "\\" in text:
        raise Rejected("has a backslash", field=field)
    if "@" in found["authority"]:
        raise Rejected("has a user name: what is sent is signed instead", field=field)
    host, port = _authority(found["authority"], scheme, field)
    allowed = PORTS | ({80} if reach.http else frozenset())
    if port not in allowed and not reach.any_port:
        raise Rejected("has an unusual port: 443 or 8443", field=field)
    _require_public(host, reach, field)
    return WebAddress(scheme, host, port, target if target.startswith("/") else "/" + target)


def _authority(authority: str, scheme: str, field: str) -> tuple[str, int]:
    if authority.startswith("["):
        inside, closed, after = authority[1:].partition("]")
        if not closed or (after and not after.startswith(":")):
            raise Rejected("has a broken IPv6 address", field=field)
        host, port, is_v6 = inside, after.removeprefix(":"), True
    else:
        host, _, port = authority.partition(":")
        is_v6 = False
    if port and (not _PORT.fullmatch(port) or not 0 < int(port) < 65_536):
        raise Rejected("has a port that is none", field=field)
    number = int(port) if port else _DEFAULT_PORTS[scheme]
    return _v6(host, field) if is_v6 else _name(host.lower(), field), number


def _v6(host: str, field: str) -> str:
    # A zone (%) names one of our own interfaces.
    try:
        return str(IPv6Address(host if "%" not in host else ""))
    except ValueError:
        raise Rejected("has a broken IPv6 address, or one with a zone", field=field) from None


def _name(host: str, field: str) -> str:
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise Rejected(
            "has a host that is none; write other alphabets as xn--, and no dot at the end",
            field=field,
        )
    if _NUMBER.fullmatch(labels[-1]):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to many a resolver.
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise Rejected("has an IPv4 address that is not four numbers", field=field) from None
    return host


def _require_public(host: str, reach: Reach, field: str) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        return
    if not reach.lets_in(address):
        raise Rejected("is an address that is not on the public Internet", field=field)
