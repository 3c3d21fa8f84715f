"""Certificate signing requests (PKCS #10): make one, read one, and let a CA answer it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sampan.base.pki import keys
from sampan.base.pki.certificates import LEAF_LIFE, Authority, general_names, subject_name
from sampan.base.pki.errors import PkiError

if TYPE_CHECKING:
    from cryptography import x509


class Request(NamedTuple):
    """What a request asks for. `others` names SAN kinds that are neither DNS names nor addresses."""

    common_name: str
    organizations: tuple[str, ...]
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]
    others: tuple[str, ...]
    public_key: keys.PublicKey


def create(
    key: keys.PrivateKey, common_name: str, organizations: Sequence[str] = (), sans: Sequence[str] = ()
) -> bytes:
    """A request in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    builder = x509.CertificateSigningRequestBuilder().subject_name(subject_name(common_name, organizations))
    names = list(general_names(sans))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def parse(pem: bytes) -> Request:
    """Raises PkiError for what is no request, carries a bad signature, or a key that we do not take."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.x509.oid import NameOID

    try:
        request = x509.load_pem_x509_csr(pem)
        valid = request.is_signature_valid
    except ValueError as error:
        raise PkiError(f"not a certificate request in PEM: {error}") from None
    if not valid:
        raise PkiError("the certificate request is not signed by its own key")
    key_pem = request.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    dns, addresses, others = _sans(request)
    common = [str(a.value) for a in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    organizations = [str(a.value) for a in request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return Request(
        common[0] if common else "", tuple(organizations), dns, addresses, others, keys.load_public(key_pem)
    )


def sign(
    authority: Authority, request: Request, usages: Iterable[str], now: float, *, life: int = LEAF_LIFE
) -> bytes:
    """The certificate that answers a request, in PEM. Whether it may be answered is the caller's to know."""
    if request.others:
        raise PkiError(
            f"unsupported alternative names {list(request.others)!r}, expected DNS names and addresses"
        )
    sans = (*request.dns_names, *request.addresses)
    return authority.sign(
        request.public_key,
        request.common_name,
        request.organizations,
        sans,
        now,
        usages=tuple(usages),
        life=life,
    )


def _sans(
    request: x509.CertificateSigningRequest,
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    from cryptography import x509

    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), (), ()
    except ValueError as error:
        raise PkiError(f"bad extensions in the certificate request: {error}") from None
    dns = tuple(names.get_values_for_type(x509.DNSName))
    addresses = tuple(str(a) for a in names.get_values_for_type(x509.IPAddress))
    others = tuple(type(n).__name__ for n in names if not isinstance(n, x509.DNSName | x509.IPAddress))
    return dns, addresses, others
