"""Public keys as a JSON Web Key Set (RFC 7517)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sampan.base.pki import b64, keys


def document(public_pems: Iterable[bytes]) -> dict[str, Any]:
    """The key set of the given keys, in their order."""
    return {"keys": [_key(keys.load_public(pem)) for pem in public_pems]}


def algorithms(key_set: dict[str, Any]) -> list[str]:
    return sorted({str(key["alg"]) for key in key_set["keys"]})


def _key(key: keys.PublicKey) -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric import ec

    named = {"use": "sig", "kid": keys.key_id(key)}
    numbers = key.public_numbers()
    if isinstance(numbers, ec.EllipticCurvePublicNumbers):
        x, y = (b64.encode(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
        return {**named, "kty": "EC", "alg": "ES256", "crv": "P-256", "x": x, "y": y}
    n, e = (b64.encode(i.to_bytes((i.bit_length() + 7) // 8, "big")) for i in (numbers.n, numbers.e))
    return {**named, "kty": "RSA", "alg": "RS256", "n": n, "e": e}
