"""Signed tokens (RFC 7519) with ES256 and RS256, and a verifier that remembers what it has verified."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from sampan.base.pki import b64, keys
from sampan.base.pki.errors import PkiError, TokenError

MAX_TOKEN: Final = 64 * 1024  # bytes; a header line cannot be longer anyway
MAX_REMEMBERED: Final = 8192  # tokens; about 2 KB each

Claims = Mapping[str, Any]


class Signer:
    """Signs with one private key, given as PEM."""

    def __init__(self, private_pem: bytes) -> None:
        self._key = keys.load_private(private_pem)
        self.key_id = keys.key_id(self._key.public_key())
        self.algorithm = _algorithm(self._key.public_key())
        header = orjson.dumps({"alg": self.algorithm, "kid": self.key_id})
        self._head = b64.encode(header)

    def sign(self, claims: Claims) -> str:
        """The token in compact form."""
        signing_input = f"{self._head}.{b64.encode(orjson.dumps(dict(claims)))}"
        return f"{signing_input}.{b64.encode(_sign(self._key, signing_input.encode()))}"


class Token(NamedTuple):
    """A token split but not verified."""

    algorithm: str
    key_id: str
    claims: dict[str, Any]
    signing_input: bytes
    signature: bytes


def split(token: str) -> Token:
    """Parse without verifying. Raises TokenError for what is not a JWS in compact form with a claims object."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:
        raise TokenError("not a signed token: expected three parts")
    try:
        header, claims = (orjson.loads(b64.decode(part)) for part in parts[:2])
        signature = b64.decode(parts[2])
    except ValueError:
        raise TokenError("not a signed token: a part is not base64url or not JSON") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenError("not a signed token: header and claims must be objects")
    if "crit" in header:
        raise TokenError(f"unsupported critical header {header['crit']!r}")
    algorithm, key_id = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or not isinstance(key_id, str):
        raise TokenError("not a signed token: alg and kid must be strings")
    return Token(algorithm, key_id, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


class Verifier:
    """Checks signatures against a fixed set of public keys; what was verified is remembered until it expires.

    clock: seconds since the epoch. Checked here: signature, algorithm against the key's own, exp, nbf. All other
    claims are the caller's. A remembered token costs one digest; exp and nbf are checked each time all the same.
    """

    def __init__(
        self, public_pems: Iterable[bytes], clock: Callable[[], float], *, leeway: float = 0.0
    ) -> None:
        self._keys = {keys.key_id(key): key for key in map(keys.load_public, public_pems)}
        if not self._keys:
            raise PkiError("no public key to verify tokens with")
        self._clock = clock
        self._leeway = leeway
        self._remembered: dict[bytes, dict[str, Any]] = {}

    def verify(self, token: str) -> Claims:
        """The claims of a valid token; the mapping is shared, so it must not be changed. Raises TokenError."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._remembered.get(digest)
        if claims is None:
            claims = self._verify(token)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._forget()
            self._remembered[digest] = claims
        self._check_time(claims)
        return claims

    def _verify(self, token: str) -> dict[str, Any]:
        parsed = split(token)
        # A token that names its key is checked against that one only; without a name every key is tried.
        if parsed.key_id:
            known = self._keys.get(parsed.key_id)
            candidates = [] if known is None else [known]
        else:
            candidates = list(self._keys.values())
        for key in candidates:
            # The algorithm comes from the key, never from the token: no "none", no public key used as a secret.
            if _algorithm(key) == parsed.algorithm and _valid(key, parsed.signing_input, parsed.signature):
                for name in ("exp", "nbf", "iat"):
                    _number(parsed.claims, name)
                return parsed.claims
        raise TokenError("the token is not signed by a known key")

    def _check_time(self, claims: Claims) -> None:
        now = self._clock()
        expires, begins = _number(claims, "exp"), _number(claims, "nbf")
        if expires is not None and now >= expires + self._leeway:
            raise TokenError("the token has expired")
        if begins is not None and now < begins - self._leeway:
            raise TokenError("the token is not valid yet")

    def _forget(self) -> None:
        """Drop the expired, and the older half where that frees nothing."""
        now = self._clock()
        expired = [d for d, c in self._remembered.items() if (_number(c, "exp") or now + 1) <= now]
        for digest in expired or list(self._remembered)[: MAX_REMEMBERED // 2]:
            del self._remembered[digest]


def _number(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"claim {name!r} is {value!r}, expected a number")
    return float(value)


def _algorithm(key: keys.PublicKey) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec

    return "ES256" if isinstance(key, ec.EllipticCurvePublicKey) else "RS256"


def _sign(key: keys.PrivateKey, data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _valid(key: keys.PublicKey, data: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            if len(signature) != 64:
                return False
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        else:
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
