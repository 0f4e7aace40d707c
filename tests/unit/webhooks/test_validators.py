from __future__ import annotations

import ipaddress

import pytest
from django.core.exceptions import ValidationError

from apps.webhooks.validators import is_public, validate_pattern, validate_url


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.1", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1",
        "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::1", "2002:a9fe:a9fe::1", "2001:0:7f00:1:0:0:80ff:fffe",
    ],
)  # fmt: skip
def test_what_is_not_on_the_internet_is_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"])
def test_what_is_on_the_internet_is_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "http://example.org/hook", "ftp://example.org", "javascript:alert(1)",
        "https://", "https:///hook", "https://user:word@example.org/", "https://example.org/#part",
        "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/", "https://[::ffff:a00:1]/",
        "https://example.org:99999/", "https://example.org:0/", "https://example.org/a b",
        "https://example.org/\r\nHost: inside", "https://[broken/", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_an_address_that_is_not_to_be_called_is_refused(public, url):
    with pytest.raises(ValidationError):
        validate_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://example.org", "https://example.org:8443/hook?token=1", "https://föhn.example/ä"],
)
def test_the_address_of_a_service_is_taken(public, url):
    validate_url(url)


def test_the_private_network_may_be_allowed(settings):
    settings.WEBHOOKS = {"ALLOW_PRIVATE_NETWORKS": True}

    validate_url("http://10.0.0.1:8080/hook")


@pytest.mark.parametrize(
    "pattern", ["#", "*", "photo.*", "photo.published", "*.deleted", "photo.#"]
)
def test_a_pattern_of_topics_is_taken(pattern):
    validate_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["", ".", "photo.", "photo..x", "photo published", "(.*)+$", "P"]
)
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(ValidationError):
        validate_pattern(pattern)
