"""Requests to a real server, by names that answer as the test likes."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from services.notifications.channels.guarded_http import (
    MAX_ANSWER_BYTES,
    Answer,
    GuardedHttp,
    HttpFailed,
    HttpLimits,
    Resolve,
    read_retry_after,
)
from services.notifications.domain.web_address import Reach, read_url
from tests.support.receiver import CUT, DRIPPING, HOST, HUGE_BODY, SLOW, Receiver, busy, moved

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
INSIDE = Reach(http=True, any_port=True, networks=(ip_network("127.0.0.0/8"),))
OUTSIDE = Reach(http=True, any_port=True)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


class Names:
    """A resolver: each time it is asked, the next answer; the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def post(
    url: str, *, reach: Reach = INSIDE, resolve: Resolve | None = None, timeout_s: float = 5.0,
    trust: ssl.SSLContext | None = None,
) -> Answer:  # fmt: skip
    named = {"resolve": resolve} if resolve else {}
    http = GuardedHttp(reach, HttpLimits(timeout_s, 2), trust=trust, **named)
    try:
        return await http.post(read_url(url, INSIDE), {"x-a": "b"}, b"{}", NOW)
    finally:
        await http.aclose()


def named(receiver: Receiver, host: str = "hooks.example") -> str:
    return receiver.url.replace(HOST, host)


async def failure(url: str, **how: object) -> str:
    with pytest.raises(HttpFailed) as failed:
        await post(url, **how)  # type: ignore[arg-type]
    return failed.value.code


async def test_what_is_sent_arrives_as_it_is(receiver: Receiver) -> None:
    answer = await post(named(receiver), resolve=Names([HOST]))

    (got,) = receiver.got
    assert answer == Answer(200)
    assert (got.method, got.path, got.body) == ("POST", "/hook", b"{}")
    assert got.headers["host"] == f"hooks.example:{receiver.port}"
    assert got.headers["x-a"] == "b"


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param([HOST], id="loopback"),
        pytest.param(["93.184.216.34", HOST], id="one of several"),
        pytest.param(["10.0.0.1"], id="private"),
        pytest.param(["169.254.169.254"], id="metadata"),
        pytest.param(["fe80::1%lo"], id="with a zone"),
        pytest.param(["::ffff:127.0.0.1"], id="mapped"),
        pytest.param(["nonsense"], id="no address"),
    ],
)
async def test_a_name_of_an_inner_machine_is_never_connected_to(
    receiver: Receiver, addresses: list[str]
) -> None:
    code = await failure(named(receiver), reach=OUTSIDE, resolve=Names(addresses))

    assert code == "address_refused"
    assert receiver.got == []


async def test_an_inner_address_itself_is_refused_without_asking_anybody(
    receiver: Receiver,
) -> None:
    names = Names([HOST])

    assert await failure(receiver.url, reach=OUTSIDE, resolve=names) == "address_refused"
    assert names.asked == []


async def test_a_name_that_changes_after_the_check_is_not_asked_again(receiver: Receiver) -> None:
    # What may be connected to is 127.0.0.1 alone; the second answer would be another machine.
    reach = Reach(http=True, any_port=True, networks=(ip_network("127.0.0.1/32"),))
    names = Names([HOST], ["127.0.0.2"])

    await post(named(receiver), reach=reach, resolve=names)

    assert names.asked == ["hooks.example"]
    assert len(receiver.got) == 1


async def test_every_new_connection_is_checked_anew(receiver: Receiver) -> None:
    reach = Reach(http=True, any_port=True, networks=(ip_network("127.0.0.1/32"),))
    names = Names([HOST], ["127.0.0.2"])
    http = GuardedHttp(reach, resolve=names)
    receiver.answers(CUT)
    address = read_url(named(receiver), INSIDE)

    codes = []
    for _ in range(2):
        with pytest.raises(HttpFailed) as failed:
            await http.post(address, {}, b"{}", NOW)
        codes.append(failed.value.code)
    await http.aclose()

    assert codes == ["cut_off", "address_refused"]


async def test_the_next_address_is_tried_when_one_is_away(receiver: Receiver) -> None:
    assert (await post(named(receiver), resolve=Names(["127.0.0.9", HOST]))).status == 200


async def test_no_proxy_of_the_environment_is_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert (await post(receiver.url)).status == 200


async def test_a_redirect_is_an_answer_and_its_cookie_is_forgotten(receiver: Receiver) -> None:
    receiver.answers(moved(f"{receiver.url}/elsewhere"))
    http = GuardedHttp(INSIDE)

    first = await http.post(read_url(receiver.url, INSIDE), {}, b"{}", NOW)
    second = await http.post(read_url(receiver.url, INSIDE), {}, b"{}", NOW)
    await http.aclose()

    assert (first.status, second.status) == (302, 200)
    assert [got.path for got in receiver.got] == ["/hook", "/hook"]
    assert "cookie" not in receiver.got[1].headers


async def test_a_connection_is_used_again(receiver: Receiver) -> None:
    http = GuardedHttp(INSIDE)
    for _ in range(3):
        await http.post(read_url(receiver.url, INSIDE), {}, b"{}", NOW)
    await http.aclose()

    assert len({got.peer for got in receiver.got}) == 1


async def test_a_huge_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.answers(HUGE_BODY)

    assert (await post(receiver.url)).status == 200
    # What the sockets between us hold comes on top.
    assert receiver.sent_bytes < HUGE_BODY.size
    assert HUGE_BODY.size > 100 * MAX_ANSWER_BYTES


async def test_an_answer_that_does_not_come_is_waited_for_no_longer(receiver: Receiver) -> None:
    receiver.answers(SLOW)

    async with asyncio.timeout(2):
        assert await failure(receiver.url, timeout_s=0.2) == "timed_out"


async def test_an_answer_that_never_ends_has_its_status(receiver: Receiver) -> None:
    receiver.answers(DRIPPING)

    async with asyncio.timeout(2):
        assert (await post(receiver.url, timeout_s=0.2)).status == 200


async def test_how_it_failed_is_said_by_a_code(receiver: Receiver) -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError(f"no {host}")

    receiver.answers(CUT)
    assert await failure(receiver.url) == "cut_off"
    assert await failure(named(receiver), resolve=nobody) == "no_such_host"
    assert await failure(named(receiver), resolve=Names([])) == "no_such_host"
    assert await failure("http://127.0.0.1:1/") == "cannot_connect"


async def test_retry_after_comes_in_seconds_or_as_a_date(receiver: Receiver) -> None:
    receiver.answers(busy("120"))

    assert await post(receiver.url) == Answer(429, timedelta(minutes=2))
    assert read_retry_after(b"Mon, 02 Mar 2026 09:00:30 GMT", NOW) == timedelta(seconds=30)
    for nothing in (b"0", b"-5", b"soon", b"Mon, 02 Mar 2026 08:00:00 GMT", b"", None):
        assert read_retry_after(nothing, NOW) is None


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate")
async def test_a_certificate_is_checked_for_the_name_and_not_the_address(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=h", "-addext", "subjectAltName=DNS:hooks.example"),
            *("-out", certificate, "-keyout", key),
        ],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    trust = ssl.create_default_context(cafile=str(certificate))

    async with Receiver(tls=server) as receiver:
        right = await post(named(receiver), resolve=Names([HOST]), trust=trust)
        other = await failure(named(receiver, "other.example"), resolve=Names([HOST]), trust=trust)
        stranger = await failure(named(receiver), resolve=Names([HOST]))

    assert right.status == 200
    assert (other, stranger) == ("tls_failed", "tls_failed")
    assert len(receiver.got) == 1
