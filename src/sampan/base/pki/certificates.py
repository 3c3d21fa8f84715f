"""A certificate authority, and the server and client certificates that it signs.

Profiles as kubeadm makes them: a leaf carries digitalSignature and one extended key usage; the subject is O..., CN.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sampan.base.pki import keys
from sampan.base.pki.errors import PkiError

if TYPE_CHECKING:
    from cryptography import x509

DAY: Final = 86_400
CA_LIFE: Final = 3650 * DAY
LEAF_LIFE: Final = 365 * DAY
SKEW: Final = 300  # clocks of peers that lag behind ours accept a fresh certificate


class Pair(NamedTuple):
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


class Facts(NamedTuple):
    """What a certificate says. Times are seconds since the epoch; sans are DNS names and addresses as text."""

    common_name: str
    organizations: tuple[str, ...]
    sans: frozenset[str]
    not_before: int
    not_after: int
    is_ca: bool


class Authority:
    """A CA that can sign. The certificate and key stay the parsed ones; made by `create` or from PEM."""

    def __init__(self, pair: Pair) -> None:
        self.certificate_pem = pair.certificate
        self._certificate = _load(pair.certificate)
        self._key = keys.load_private(pair.key)
        if self._certificate.public_key() != self._key.public_key():
            raise PkiError("the CA's key is not the key of its certificate")
        if not _is_ca(self._certificate):
            raise PkiError("the CA's certificate may not sign: basicConstraints does not say CA")

    @property
    def not_after(self) -> int:
        return int(self._certificate.not_valid_after_utc.timestamp())

    def server(
        self, common_name: str, sans: Sequence[str], now: float, *, organizations: Sequence[str] = ()
    ) -> Pair:
        """A serving certificate (serverAuth) for DNS names and IP addresses."""
        return self._leaf(common_name, organizations, sans, now, ("server",))

    def client(self, common_name: str, organizations: Sequence[str], now: float) -> Pair:
        """A client certificate (clientAuth): CN is the user, O are the groups."""
        return self._leaf(common_name, organizations, (), now, ("client",))

    def sign(
        self,
        public_key: keys.PublicKey,
        common_name: str,
        organizations: Sequence[str],
        sans: Sequence[str],
        now: float,
        *,
        usages: Sequence[str],
        life: int = LEAF_LIFE,
    ) -> bytes:
        """A leaf for somebody else's key. `usages` are of "server" and "client"; `life` in seconds."""
        from cryptography import x509

        public = public_key
        end = min(int(now) + life, self.not_after)
        builder = (
            _builder(subject_name(common_name, organizations), self._certificate.subject, public, now, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([_usage(u) for u in usages]), critical=False)
            .add_extension(_authority_id(self._certificate), critical=False)
        )
        names = list(general_names(sans))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return _signed(builder, self._key)

    def _leaf(
        self,
        common_name: str,
        organizations: Sequence[str],
        sans: Sequence[str],
        now: float,
        usages: Sequence[str],
    ) -> Pair:
        key = keys.generate()
        pem = self.sign(key.public_key(), common_name, organizations, sans, now, usages=usages)
        return Pair(pem, keys.private_pem(key))

    def signed(self, certificate_pem: bytes) -> bool:
        """Whether this CA's key signed the certificate."""
        from cryptography.exceptions import InvalidSignature

        try:
            _load(certificate_pem).verify_directly_issued_by(self._certificate)
        except (InvalidSignature, ValueError, TypeError, PkiError):
            return False
        return True


def create_authority(common_name: str, now: float, *, life: int = CA_LIFE) -> Pair:
    """A new self-signed CA."""
    from cryptography import x509

    key = keys.generate()
    name = subject_name(common_name, ())
    builder = (
        _builder(name, name, key.public_key(), now, int(now) + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Pair(_signed(builder, key), keys.private_pem(key))


def facts(certificate_pem: bytes) -> Facts:
    """What the first certificate of a PEM says. Raises PkiError where there is none."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    certificate = _load(certificate_pem)
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        sans: frozenset[str] = frozenset()
    else:
        dns = extension.get_values_for_type(x509.DNSName)
        sans = frozenset([*dns, *(str(ip) for ip in extension.get_values_for_type(x509.IPAddress))])
    common = [str(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    organizations = [
        str(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    ]
    return Facts(
        common[0] if common else "",
        tuple(organizations),
        sans,
        int(certificate.not_valid_before_utc.timestamp()),
        int(certificate.not_valid_after_utc.timestamp()),
        _is_ca(certificate),
    )


def matches(pair: Pair) -> bool:
    """Whether the key is the certificate's."""
    try:
        return _load(pair.certificate).public_key() == keys.load_private(pair.key).public_key()
    except PkiError:
        return False


def _load(pem: bytes) -> x509.Certificate:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise PkiError(f"not a certificate in PEM: {error}") from None


def _is_ca(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def subject_name(common_name: str, organizations: Iterable[str]) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    # One RDN per organization: that is how Go's crypto/x509 reads several.
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: keys.PublicKey, now: float, end: int
) -> x509.CertificateBuilder:
    from cryptography import x509

    def at(seconds: float) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at(now - SKEW))
        .not_valid_after(at(end))
    )


def _signed(builder: x509.CertificateBuilder, key: keys.PrivateKey) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=sign_certificates,
        key_cert_sign=sign_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _usage(name: str) -> x509.ObjectIdentifier:
    from cryptography.x509.oid import ExtendedKeyUsageOID

    known = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
    if name not in known:
        raise PkiError(f"unknown usage {name!r}, expected one of {sorted(known)}")
    return known[name]


def _authority_id(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(certificate.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(extension.value)


def general_names(sans: Iterable[str]) -> Iterable[x509.GeneralName]:
    from cryptography import x509

    for san in dict.fromkeys(sans):
        try:
            yield x509.IPAddress(ipaddress.ip_address(san))
        except ValueError:
            yield x509.DNSName(san)
