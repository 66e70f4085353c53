"""Which addresses a connection may be made to: public ones, and those that the operator allowed."""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cab_registry.services.delivery.addresses import (
    NOWHERE,
    AddressForbidden,
    AddressRefused,
    AddressUnknown,
    check_mail_address,
    is_public,
    resolve,
    vet,
    vet_alike,
)
from tests.services.delivery.receiving import HERE, resolving

PUBLIC = "93.184.216.34"
NOT_PUBLIC = (
    "0.0.0.9", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.9.9",
    "192.0.0.8", "192.0.2.1", "192.168.1.1", "192.88.99.1", "198.18.0.1", "198.51.100.7", "203.0.113.5", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:7f00:1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2001:10::1", "2002:7f00:1::", "2002:5db8:d822::1", "2001:0:5db8:d822::1", "3fff::1", "5f00::1", "fc00::1",
    "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "2606:4700:4700::1111%eth0",
)  # fmt: skip


@pytest.mark.parametrize("ip", NOT_PUBLIC)
async def test_what_is_not_public_is_refused(ip: str) -> None:
    assert not is_public(ip_address(ip))
    with pytest.raises(AddressForbidden) as refused:
        await vet("https://hooks.example/in", resolving([ip]))
    assert refused.value.faults[0].pointer == "/address"
    with pytest.raises(AddressRefused):
        await vet("https://hooks.example/in", resolving([PUBLIC, ip]))


@pytest.mark.parametrize(
    "ip", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "2a00:1450::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
async def test_what_is_public_passes(ip: str) -> None:
    vetted = await vet("https://hooks.example/in?a=1", resolving([ip]))
    assert (vetted.url, vetted.host, vetted.port) == ("https://hooks.example/in?a=1", "hooks.example", 443)
    assert vetted.ip == str(ip_address(ip))


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_a_wrapped_address_is_judged_as_what_it_wraps(number: int) -> None:
    plain = is_public(IPv4Address(number))
    assert is_public(IPv6Address(0xFFFF << 32 | number)) is plain
    assert is_public(IPv6Address(0x64FF9B << 96 | number)) is plain
    if plain:
        assert IPv4Address(number).is_global
    assert not is_public(IPv6Address(0x2002 << 112 | number << 80))
    assert not is_public(IPv6Address(number))


@pytest.mark.parametrize(
    "address",
    [
        "", "hooks.example/in", "//hooks.example/in", "ftp://hooks.example/", "file:///etc/passwd", "https://",
        "https:///in", "https://user@hooks.example/", "https://user:word@hooks.example/", "https://hooks.example/#part",
        "https://hooks.example/#", "https://hooks.example:0/", "https://hooks.example:65536/",
        "https://hooks.example:x/", "https://hooks.example:22/", "https://hooks.example:25/", "https://[::1/",
        "https://hooks.example/ in", "https://hooks.example/\r\nX: 1", "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/\x00", "https://hooks..example/", "https://-a.example/", "https://a_b.example/",
        "https://hooks.example/ü", "https://hooks.example/" + "a" * 2048, "http://hooks.example/in",
        "https://[v1.a]/", "https://[10.0.0.1]/", "\thttps://hooks.example/", "https://" + "a" * 64 + ".example/",
    ],
)  # fmt: skip
async def test_what_is_no_such_address_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        await vet(address, resolving([PUBLIC]))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "2130706433", "0x7f000001", "127.1", "localhost"]
)
async def test_this_machine_is_refused_however_it_is_spelt(host: str) -> None:
    with pytest.raises(AddressRefused):
        await vet(f"https://{host}/", resolve)
    with pytest.raises(AddressRefused):
        await vet(f"http://{host}:8000/", resolve)


async def test_a_network_that_the_operator_allowed_is_reached_even_without_tls() -> None:
    vetted = await vet("http://inside.example:80/in", resolving(["127.0.0.1"]), HERE)
    assert (vetted.url, vetted.port) == ("http://inside.example/in", 80)
    assert (await vet("https://127.0.0.1:22/in", resolve, HERE)).port == 22
    with pytest.raises(AddressRefused):
        await vet("http://inside.example/in", resolving(["127.0.0.1", PUBLIC]), HERE)
    with pytest.raises(AddressRefused):
        await vet("https://inside.example/in", resolving(["127.0.0.1", "10.0.0.1"]), HERE)
    with pytest.raises(AddressRefused):
        await vet("https://inside.example/in", resolving(["::ffff:127.0.0.1"]), HERE)
    vetted = await vet("https://[fd00::1]:8443/in", resolve, [ip_network("fd00::/8")])
    assert (vetted.url, vetted.url_at(vetted.ip)) == ("https://[fd00::1]:8443/in",) * 2


async def test_a_name_in_any_script_is_written_in_ascii() -> None:
    asked: list[str] = []

    async def noting(host: str, port: int) -> Sequence[str]:
        asked.append(f"{host}:{port}")
        return [PUBLIC]

    vetted = await vet("https://MÜLLER.example:8443", noting)
    assert asked == ["xn--mller-kva.example:8443"]
    assert (vetted.url, vetted.authority) == ("https://xn--mller-kva.example:8443/", "xn--mller-kva.example:8443")
    assert vetted.url_at(vetted.ip) == f"https://{PUBLIC}:8443/"
    assert (await vet("https://hooks.example./in", noting)).host == "hooks.example"


async def test_a_name_without_an_address_is_unknown() -> None:
    async def fail(host: str, port: int) -> Sequence[str]:
        raise OSError("nobody knows")

    with pytest.raises(AddressUnknown):
        await vet("https://hooks.example/", fail)
    with pytest.raises(AddressUnknown):
        await vet("https://hooks.example/", resolving([]))
    with pytest.raises(AddressUnknown):
        await vet("https://no-such-name.invalid/", resolve)


async def test_nobody_learns_from_a_refusal_what_a_name_leads_to() -> None:
    async def look_up(host: str, port: int) -> Sequence[str]:
        if host == "slow.example":
            await asyncio.sleep(5)
        if host == "gone.example":
            raise OSError("nobody knows")
        return ["10.0.0.7"] if host == "inside.example" else [PUBLIC]

    said, took = set(), []
    for address in (
        "https://inside.example/", "https://inside.example:22/", "http://inside.example/", "https://gone.example/",
        "https://slow.example/", "https://public.example:22/", "http://public.example/", "https://10.0.0.7/",
    ):  # fmt: skip
        started = perf_counter()
        with pytest.raises(AddressRefused) as refused:
            await vet_alike(address, look_up, HERE, 0.3)
        took.append(perf_counter() - started)
        said.add((str(refused.value), refused.value.faults))
    assert len(said) == 1
    assert NOWHERE in str(said)
    assert min(took) >= 0.29
    assert (await vet_alike("https://public.example/", look_up, HERE, 0.3)).ips == (PUBLIC,)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Kim.Min-seo@Authority.EXAMPLE ", "Kim.Min-seo@authority.example"),
        ("o'hara+watch@authority.example", "o'hara+watch@authority.example"),
        ("김@müller.example", "김@xn--mller-kva.example"),
    ],
)
def test_a_mail_address_is_kept_plain(given: str, kept: str) -> None:
    assert check_mail_address(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "", "a", "@b.example", "a@", "a@b", "a@b.1", "a b@c.example", "a@b@c.example", "a,b@c.example",
        "a@b.example,c@d.example", "<a@b.example>", "Kim <a@b.example>", "a@b.example\r\nBcc: c@d.example",
        "a\n@b.example", "a..b@c.example", ".a@c.example", '"a"@c.example', "a@[127.0.0.1]", "a@-b.example",
        "a" * 65 + "@b.example", "a@" + "b" * 250 + ".example", "a@b..example", "a;b@c.example", "a@127.0.0.1",
        "a@b.exam\u2028ple",
    ],
)  # fmt: skip
def test_what_is_no_mail_address_is_refused(given: str) -> None:
    with pytest.raises(AddressRefused):
        check_mail_address(given)
