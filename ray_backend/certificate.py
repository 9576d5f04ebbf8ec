"""A certificate for a trial over https: made here, signed by itself, kept in the data folder.

Browsers give their camera to https pages only, and a trial on a local network has nobody to sign for it. So
browsers warn, once on each machine, that they do not know who signed.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Browsers refuse server certificates that are valid for longer than 398 days.
_VALID = timedelta(days=397)
_RENEW_BEFORE_END = timedelta(days=30)
_CLOCKS_DIFFER = timedelta(hours=1)
_CERTIFICATE, _KEY = "https-certificate.pem", "https-key.pem"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where the certificate and its private key lie, as PEM files, and from when on it counts no more."""

    certificate: Path
    key: Path
    valid_until: datetime


def self_signed(folder: Path, names: Sequence[str], now: datetime) -> Certificate:
    """A certificate for these host names and addresses, in `folder`.

    The one that lies there is used again as long as it covers all names and is valid for another 30 days,
    so that browsers that were told to trust it need not be told again. `now` is aware.
    """
    made = Certificate(folder / _CERTIFICATE, folder / _KEY, now + _VALID)
    earlier = _earlier(made)
    if earlier is not None and earlier.not_valid_after_utc - now > _RENEW_BEFORE_END:
        covered = earlier.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if set(map(_general_name, names)) <= set(covered):
            return Certificate(made.certificate, made.key, earlier.not_valid_after_utc)
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _sign(key, names, now, made.valid_until)
    _write_private(made.key, _pem(key))
    made.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return made


def host_names(address: str) -> list[str]:
    """What this machine is called: localhost, its name, and its addresses on the local network.

    `address` is the one that the web app listens on.
    """
    own = socket.gethostname()
    names = ["localhost", "127.0.0.1", "::1", own, f"{own.split('.')[0]}.local", *lan_addresses()]
    if address not in {"0.0.0.0", "::"}:
        names.append(address)
    return list(dict.fromkeys(name for name in names if name and name.isascii()))


def lan_addresses() -> list[str]:
    """This machine's addresses on its networks, IPv4 first, without loopback and link-local ones."""
    found = [
        ip_address(each.ip if isinstance(each.ip, str) else each.ip[0])
        for adapter in ifaddr.get_adapters()
        for each in adapter.ips
    ]
    reachable = [one for one in found if not (one.is_loopback or one.is_link_local or one.is_unspecified)]
    return [str(one) for one in sorted(reachable, key=lambda one: (one.version, int(one)))]


def _earlier(made: Certificate) -> x509.Certificate | None:
    """The certificate that lies there with its key, or None where one of them is missing or damaged."""
    try:
        certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
        key = serialization.load_pem_private_key(made.key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    made.key.chmod(0o600)
    return certificate if key.public_key() == certificate.public_key() else None


def _sign(
    key: ec.EllipticCurvePrivateKey, names: Sequence[str], now: datetime, until: datetime
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Rollcall trial")])
    public = key.public_key()
    subject_key = x509.SubjectKeyIdentifier.from_public_key(public)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - _CLOCKS_DIFFER)
        .not_valid_after(until.astimezone(UTC))
        .add_extension(x509.SubjectAlternativeName(list(map(_general_name, names))), critical=False)
        # Whoever trusts it trusts this one site: it cannot sign for another.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(subject_key, critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(file: Path, content: bytes) -> None:
    """Readable by its owner alone from the first byte on."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)
