"""STARTTLS and a login, against a server that has a certificate of a private authority."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from deploy.local.mailbox import HOST
from services.notifications.channels import Letter
from services.notifications.channels.email import EmailChannel, Server
from services.notifications.domain.attempt import Outcome
from services.notifications.rendering import Words
from shared.ids import NotificationId
from tests.integration.notifications.rig import SENDER
from tests.unit.notifications.builders import PAIR, START

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate")

LETTER = Letter(
    NotificationId(PAIR), PAIR, "bo@acme.example", "Bo", Words("Hello", "Hi\n", "<p>Hi</p>")
)


@dataclass
class Certificate:
    """A certificate for HOST, signed by itself, and its key."""

    certificate: Path
    key: Path


class Strict(Controller):
    """Takes mail only over TLS and from `mailer`, and keeps who sent what."""

    def __init__(self, own: Certificate) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.certificate, own.key)
        self.accepted = 0
        super().__init__(
            self,
            hostname=HOST,
            port=_free_port(),
            tls_context=context,
            require_starttls=True,
            authenticator=self._authenticate,
            auth_required=True,
        )

    def _authenticate(self, *given: object) -> AuthResult:
        data = given[-1]
        assert isinstance(data, LoginPassword)
        right = (data.login, data.password) == (b"mailer", b"hush")
        return AuthResult(success=right, handled=False)

    async def handle_DATA(self, *_: object) -> str:
        self.accepted += 1
        return "250 kept"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=mail", "-addext", f"subjectAltName=IP:{HOST}"]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture
def server(certificate: Certificate) -> Iterator[Strict]:
    running = Strict(certificate)
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        pytest.param("hush", Outcome("accepted"), id="with the right password"),
        pytest.param("guess", Outcome("unreachable", "server_unreachable"), id="with a wrong one"),
    ],
)
async def test_a_mail_goes_over_tls(
    server: Strict,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    password: str,
    expected: Outcome,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))

    assert await deliver(server, password) == expected
    assert server.accepted == (expected.fate == "accepted")


async def test_a_server_nobody_vouches_for_gets_no_password(server: Strict) -> None:
    assert (await deliver(server, "hush")).fate == "unreachable"
    assert server.accepted == 0


async def deliver(server: Strict, password: str) -> Outcome:
    where = Server(
        HOST, server.port, starttls=True, username="mailer", password=password, timeout_s=5
    )
    async with EmailChannel(where, SENDER, "Trustfold").open() as post:
        return await post.deliver(LETTER, START)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
