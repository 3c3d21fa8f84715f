"""Private and public keys: ECDSA P-256 unless told otherwise (made in 0.1 ms; RSA 2048 takes 50 to 300 ms)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

from sampan.base.pki.errors import PkiError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def generate() -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def generate_rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, bits)


def private_pem(key: PrivateKey) -> bytes:
    """PKCS #8 without a passphrase."""
    from cryptography.hazmat.primitives import serialization as s

    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())


def public_pem(key: PublicKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as s

    return key.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)


def load_private(pem: bytes) -> PrivateKey:
    """A PEM private key. Raises PkiError for what is neither ECDSA P-256 nor RSA of 2048 bits or more."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise PkiError(f"not a private key in PEM: {error}") from None
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        _check(key.public_key())
        return key
    raise PkiError(f"unsupported private key {type(key).__name__!r}, expected ECDSA P-256 or RSA")


def load_public(pem: bytes) -> PublicKey:
    """The public key of a PEM public key or private key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if b"PRIVATE KEY-----" in pem:
        return load_private(pem).public_key()
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError as error:
        raise PkiError(f"not a public key in PEM: {error}") from None
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        _check(key)
        return key
    raise PkiError(f"unsupported public key {type(key).__name__!r}, expected ECDSA P-256 or RSA")


def key_id(key: PublicKey) -> str:
    """What goes into a token's `kid`: the digest of the key's DER, as kube-apiserver computes it."""
    from cryptography.hazmat.primitives import serialization as s

    from sampan.base.pki.b64 import encode

    der = key.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
    return encode(hashlib.sha256(der).digest())


def _check(key: PublicKey) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name != "secp256r1":
            raise PkiError(f"unsupported curve {key.curve.name!r}, expected 'secp256r1'")
    elif key.key_size < 2048:
        raise PkiError(f"RSA key of {key.key_size} bits, expected 2048 or more")
