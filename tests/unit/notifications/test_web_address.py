"""Which URLs are refused, and which machines are never reached."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.web_address import Reach, read_url
from shared.errors import Rejected

PUBLIC = Reach()
OPEN = Reach(http=True, any_port=True, networks=(ip_network("127.0.0.0/8"),))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://hooks.example", "https://hooks.example/"),
        ("HTTPS://Hooks.Example/a?b=c", "https://hooks.example/a?b=c"),
        ("https://hooks.example:443/", "https://hooks.example/"),
        ("https://hooks.example:8443/a", "https://hooks.example:8443/a"),
        ("https://xn--bcher-kva.example/%20", "https://xn--bcher-kva.example/%20"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]/", None),
        ("https://hooks.example?a", "https://hooks.example/?a"),
    ],
)
def test_a_plain_address_is_kept_as_it_is_sent(text: str, kept: str | None) -> None:
    assert read_url(text, PUBLIC).text == (kept or text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("http://hooks.example/", id="no TLS"),
        pytest.param("http://hooks.example:443/", id="no TLS on the port of TLS"),
        pytest.param("ftp://hooks.example/", id="not the web"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("hooks.example", id="no scheme"),
        pytest.param("//hooks.example/", id="relative"),
        pytest.param("https:///a", id="no host"),
        pytest.param("https://hooks.example:22/", id="an odd port"),
        pytest.param("https://hooks.example:80/", id="the port of another scheme"),
        pytest.param("https://hooks.example:0/", id="port 0"),
        pytest.param("https://hooks.example:99999/", id="no port"),
        pytest.param("https://hooks.example:+443/", id="a signed port"),
        pytest.param("https://hooks.example:٤٤٣/", id="a port in other digits"),
        pytest.param("https://user@hooks.example/", id="a user"),
        pytest.param("https://user:secret@hooks.example/", id="a password"),
        pytest.param("https://hooks.example@127.0.0.1/", id="a user that looks like the host"),
        pytest.param("https://hooks.example#@127.0.0.1/", id="a fragment"),
        pytest.param("https://hooks.example/#", id="an empty fragment"),
        pytest.param("https://hooks.example\\@127.0.0.1/", id="a backslash"),
        pytest.param("https://hooks.example/\r\nHost: a", id="a line break"),
        pytest.param("https://hooks.example/a b", id="a space"),
        pytest.param(" https://hooks.example/", id="a space before"),
        pytest.param("https://hooks.example/\x00", id="a NUL"),
        pytest.param("https://hooks.example./", id="a dot at the end"),
        pytest.param("https://localhost./", id="the machine itself, with a dot"),
        pytest.param("https://hooks..example/", id="an empty label"),
        pytest.param("https://-a.example/", id="a label with a hyphen first"),
        pytest.param("https://a_b.example/", id="an underscore"),
        pytest.param("https://bücher.example/", id="another alphabet"),
        pytest.param("https://ⓛocalhost/", id="letters in circles"),
        pytest.param("https://127。0。0。1/", id="other dots"),
        pytest.param("https://%6c%6fcalhost/", id="percent in the host"),
        pytest.param("https://[fe80::1%25eth0]/", id="an IPv6 zone"),
        pytest.param("https://[fe80::1%eth0]/", id="a bare IPv6 zone"),
        pytest.param("https://[::1/", id="half an IPv6 address"),
        pytest.param("https://[::1]x/", id="something after an IPv6 address"),
        pytest.param("https://[127.0.0.1]/", id="IPv4 in brackets"),
        pytest.param("https://" + "a" * 64 + ".example/", id="a long label"),
        pytest.param("https://hooks.example/" + "a" * 2_000, id="too long"),
    ],
)
def test_an_odd_address_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_url(text, PUBLIC)

    assert refused.value.field == "url"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://hooks.example/", "must begin with https://"),
        ("https://user:secret@hooks.example/", "has a user name"),
        ("https://hooks.example/#a", "has a fragment"),
        ("https://hooks.example:8080/", "has an unusual port"),
        ("https://bücher.example/", "in plain ASCII"),
        ("https://127.1/", "not four numbers"),
        ("https://10.0.0.1/", "not on the public Internet"),
        ("https://[fe80::1%eth0]/", "with a zone"),
    ],
)
def test_what_is_wrong_is_said_without_the_address(text: str, said: str) -> None:
    with pytest.raises(Rejected, match=said) as refused:
        read_url(text, PUBLIC)

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "017700000001", "0x7f000001", "0x7f.0.0.1"),
        *(
            "0177.0.0.1",
            "127.0.0.01",
            "0",
            "0.0.0.0",
            "00",
            "0x0",
            "1.2.3",
            "256.1.1.1",
            "1.2.3.0x4",
        ),
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1"),
        *("224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1"),
        *("[::]", "[::1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        *("[::ffff:8.8.8.8]", "[64:ff9b::7f00:1]", "[64:ff9b::8.8.8.8]", "[64:ff9b:1::1]"),
        *("[2002:7f00:1::]", "[2002:808:808::]", "[2001:0:7f00:1::]", "[2001:db8::1]"),
        *("[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[100::1]"),
    ],
)
def test_no_spelling_of_an_inner_address_is_taken(host: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_url(f"https://{host}/", PUBLIC)

    assert refused.value.field == "url"


@given(st.ip_addresses())
def test_what_is_let_in_is_global_and_hides_no_other_address(address: object) -> None:
    given = ip_address(str(address))

    if PUBLIC.lets_in(given):
        assert given.is_global
        assert not given.is_multicast
        for form in ("ipv4_mapped", "sixtofour", "teredo"):
            assert getattr(given, form, None) is None


def test_an_installation_can_let_more_in_and_no_more_than_that() -> None:
    assert read_url("http://127.0.0.1:8080/a", OPEN).origin == "http://127.0.0.1:8080"
    assert OPEN.lets_in(ip_address("127.9.9.9"))
    assert not OPEN.lets_in(ip_address("10.0.0.1"))
    assert not OPEN.lets_in(ip_address("::ffff:127.0.0.1"))
