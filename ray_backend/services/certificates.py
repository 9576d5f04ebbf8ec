"""Signed notes of erasures: made with a key of the site's own, checked by whoever has its public half.

A certificate is a JSON object of texts, whole numbers, truth values and lists of those. It is signed with
Ed25519 over its canonical form (RFC 8785), so that a file may be indented or sorted anew on its way and
still be checked. It names nobody: the employee id is in it as a salted scrypt digest, with which whoever
has the id can show that the certificate is about it. A guess costs about a tenth of a second, so the
certificates of a site are as confidential as a list of its employee ids.

The private key lies in the database, where every machine of a site finds the same one and `store copy`
takes it along. Who can write to the database could therefore sign; the signature shows that a certificate
came from this site's Rollcall and was not changed since.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ray_backend.domain.answers import SignedCertificate
from ray_backend.domain.errors import InvalidInput, NotFound
from ray_backend.ports import Store

KEY, PREFIX = "certificate_key", "certificate/"
KIND = "rollcall deletion certificate"
SIGNED_AS = "Ed25519 over the canonical JSON (RFC 8785) of certificate"
# OWASP's second choice for scrypt, and 64 MiB: RFC 7914 needs 128 * n * r bytes.
_SCRYPT = {"n": 1 << 16, "r": 8, "p": 2}
_SCRYPT_BYTES = 128 * 1024 * 1024
_LARGEST_FILE = 1_000_000
_NO_CERTIFICATE = (
    "This file is no deletion certificate of Rollcall. Choose the .json file that was downloaded."
)
_CHANGED = "This certificate is not genuine: it was changed after it was signed, or its signature is damaged."
_OTHER_KEY = (
    "This certificate was signed with another key than the one given. It comes from another site, or "
    "somebody made it up. Compare the key with the one that `rollcall certificate key` shows at the site."
)


class SiteKey:
    """The site's key: made at the first use, by whichever process comes first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def public(self) -> str:
        """The public half in base64. Raises StoreUnavailable."""
        return _text(self._private().public_key().public_bytes_raw())

    def sign(self, content: dict[str, Any]) -> SignedCertificate:
        """Signs it. Raises StoreUnavailable."""
        key = self._private()
        return SignedCertificate(
            content, _text(key.sign(canonical(content))), _text(key.public_key().public_bytes_raw())
        )

    def _private(self) -> Ed25519PrivateKey:
        stored = self._store.get_setting(KEY)
        if stored is None:
            stored = self._store.pin_setting(KEY, _text(Ed25519PrivateKey.generate().private_bytes_raw()))
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(stored))


class CertificateService:
    """The certificates that the site has issued, and the check of those that somebody shows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = SiteKey(store)

    def public_key(self) -> str:
        """The site's public key in base64, to be given to whoever wants to check certificates."""
        return self._key.public()

    def all(self) -> list[SignedCertificate]:
        """All certificates, newest first."""
        found = [from_record(record) for record in self._store.settings(PREFIX).values()]
        return sorted(found, key=lambda one: (one.issued_at, one.certificate_id), reverse=True)

    def find(self, certificate_id: str) -> SignedCertificate:
        """Raises NotFound."""
        record = self._store.get_setting(PREFIX + certificate_id)
        if record is None:
            raise NotFound("There is no certificate with this id.")
        return from_record(record)

    def check(self, file: bytes) -> SignedCertificate:
        """The certificate in a file, if this site signed it as it is. Raises InvalidInput."""
        return checked(file, self._key.public())


def canonical(content: dict[str, Any]) -> bytes:
    """RFC 8785 for what certificates hold: no fractions, keys of ASCII."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def to_record(certificate: SignedCertificate) -> dict[str, Any]:
    """As it is stored and handed out."""
    return {
        "certificate": certificate.content,
        "signature": certificate.signature,
        "public_key": certificate.public_key,
        "signed_as": SIGNED_AS,
    }


def from_record(record: dict[str, Any]) -> SignedCertificate:
    """Back from `to_record`, unchecked."""
    return SignedCertificate(record["certificate"], record["signature"], record["public_key"])


def to_file(certificate: SignedCertificate) -> bytes:
    """The certificate as a JSON file."""
    return (json.dumps(to_record(certificate), indent=2, ensure_ascii=False) + "\n").encode()


def checked(file: bytes, public_key: str) -> SignedCertificate:
    """The certificate in a file, if it is as it was when the owner of this key (base64) signed it.

    Raises InvalidInput, which says whether the file is no certificate, was changed, or has another key.
    """
    certificate = _parsed(file)
    trusted = _key_of(public_key)
    # The trusted key decides; the file's own one only tells why it is refused.
    if _verifies(certificate, trusted) and _same(certificate.public_key, public_key):
        return certificate
    intact = _verifies(certificate, _key_of(certificate.public_key))
    raise InvalidInput(_OTHER_KEY if intact and not _same(certificate.public_key, public_key) else _CHANGED)


def pseudonym(employee_id: str) -> dict[str, Any]:
    """The part of a certificate that says whom it is about."""
    salt = secrets.token_hex(16)
    digest = _digest(employee_id, salt, _SCRYPT)
    return {"digest": digest, "of": "employee id", "salt": salt, "scrypt": dict(_SCRYPT)}


def is_about(person: dict[str, Any], employee_id: str) -> bool:
    """Whether this part of a certificate, whose signature was checked, was made of this employee id."""
    return hmac.compare_digest(_digest(employee_id, person["salt"], person["scrypt"]), person["digest"])


def _digest(employee_id: str, salt: str, costs: dict[str, int]) -> str:
    key = employee_id.strip().encode()
    return hashlib.scrypt(key, salt=bytes.fromhex(salt), maxmem=_SCRYPT_BYTES, dklen=32, **costs).hex()


def _verifies(certificate: SignedCertificate, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(base64.b64decode(certificate.signature, validate=True), canonical(certificate.content))
    except (InvalidSignature, ValueError):
        return False
    return True


def _same(one: str, other: str) -> bool:
    return one.strip() == other.strip()


def _key_of(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except ValueError as error:
        raise InvalidInput("This is no public key: it is 44 characters long and ends in =.") from error


def _parsed(file: bytes) -> SignedCertificate:
    try:
        certificate = from_record(_read_json(file))
        parts = (certificate.content["certificate_id"], certificate.signature, certificate.public_key)
        known = certificate.content["kind"] == KIND and all(isinstance(part, str) for part in parts)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(_NO_CERTIFICATE) from error
    if not known:
        raise InvalidInput(_NO_CERTIFICATE)
    return certificate


def _read_json(file: bytes) -> dict[str, Any]:
    if len(file) > _LARGEST_FILE:
        raise ValueError("no certificate is that large")
    return json.loads(
        file.decode(), object_pairs_hook=_without_doubles, parse_float=_refuse, parse_constant=_refuse
    )


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice would let a reader see another value than the one that was signed."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is no whole number")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
