"""What the site may call, and what a webhook may be named after."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
PATTERN = re.compile(r"(?:[a-z_]+|[*#])(?:\.(?:[a-z_]+|[*#]))*")
# RFC 6052: an IPv6 address that a gateway turns into the IPv4 address in its last 32 bits.
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def may_be_private() -> bool:
    """Say whether services in the private network, without TLS, may be called."""
    return bool(settings.WEBHOOKS["ALLOW_PRIVATE_NETWORKS"])


def validate_pattern(pattern: str) -> None:
    """Refuse what is no pattern of topics, such as `photo.*` or `#`."""
    if not PATTERN.fullmatch(pattern):
        raise ValidationError(
            _("Words between dots, “*” for any one word, “#” for any number: photo.*"),
            code="pattern",
        )


def validate_url(url: str) -> None:
    """Refuse an address that no call could go to, whatever its name resolves to later."""
    parts = split_url(url)
    schemes = {"https", "http"} if may_be_private() else {"https"}
    if parts is None or parts.scheme not in schemes or not parts.hostname:
        text = _("Give the https address of a service.") if len(schemes) == 1 else _(
            "Give the https or http address of a service."
        )  # fmt: skip
        raise ValidationError(text, code="url")
    if parts.username or parts.password or parts.fragment:
        raise ValidationError(_("Leave out user, password and fragment."), code="url")
    literal = _literal(parts.hostname)
    if literal is not None and not is_public(literal) and not may_be_private():
        raise ValidationError(_("This address is not on the public internet."), code="private")


def split_url(url: str) -> SplitResult | None:
    """Return the parts of an address, None if it has a port, a host or letters that none has."""
    if any(not character.isprintable() or character.isspace() for character in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if port == 0 else parts


def is_public(address: Address) -> bool:
    """Say whether this is an address of the public internet, also once gateways have unwrapped it.

    An IPv6 address may carry an IPv4 address (mapped, 6to4, Teredo, NAT64): then that counts too.
    """
    if isinstance(address, ipaddress.IPv6Address):
        carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64:
            carried.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if any(inner is not None and not is_public(inner) for inner in carried):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
