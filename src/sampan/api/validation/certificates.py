"""CertificateSigningRequests. Source: pkg/apis/certificates/validation."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from sampan.api.field import error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

_USAGES: Final = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)
_LEGACY_SIGNER: Final = "kubernetes.io/legacy-unknown"
_SHORTEST: Final = 600
_DECISIONS: Final = ("Approved", "Denied")
_ALWAYS_TRUE: Final = (*_DECISIONS, "Failed")
_CONDITIONS: Final = "status.conditions"


def create(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    yield from _request(spec.get("request") or "")
    usages = spec.get("usages") or []
    if not usages:
        yield error.required("spec.usages")
    for place, usage in enumerate(usages):
        if usage not in _USAGES:
            yield error.not_supported(f"spec.usages[{place}]", usage, _USAGES)
        if usage in usages[:place]:
            yield error.duplicate(f"spec.usages[{place}]", usage)
    signer = spec.get("signerName") or ""
    if signer == _LEGACY_SIGNER:
        text = "the legacy signerName is not allowed via this API version"
        yield error.invalid("spec.signerName", signer, text)
    else:
        yield from rules.signer_name("spec.signerName", signer)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SHORTEST:
        text = f"may not specify a duration less than {_SHORTEST} seconds (10 minutes)"
        yield error.invalid("spec.expirationSeconds", seconds, text)


def _request(encoded: str) -> Causes:
    from sampan.base.pki import requests  # cryptography is slow to load, and few need it
    from sampan.base.pki.errors import PkiError

    try:
        pem = base64.b64decode(encoded)
    except binascii.Error:
        pem = b""
    if b"-----BEGIN CERTIFICATE REQUEST-----" not in pem:
        yield error.invalid("spec.request", encoded, "PEM block type must be CERTIFICATE REQUEST")
        return
    try:
        requests.parse(pem)
    except PkiError as bad:
        yield error.invalid("spec.request", encoded, str(bad))


def _conditions(obj: Object) -> list[Object]:
    found: list[Object] = (obj.get("status") or {}).get("conditions") or []
    return found


def _of(obj: Object, kind: str) -> list[Object]:
    return [condition for condition in _conditions(obj) if condition.get("type") == kind]


def update(obj: Object, old: Object) -> Causes:
    yield from _unchanged(obj, old)
    yield from _decisions(obj, old)
    if _certificate(obj) != _certificate(old):
        yield error.forbidden("status.certificate", "updates may not set certificate content")


def update_status(obj: Object, old: Object) -> Causes:
    yield from _unchanged(obj, old)
    yield from _decisions(obj, old)
    if _certificate(old) and _certificate(obj) != _certificate(old):
        yield error.forbidden("status.certificate", "updates may not modify existing certificate content")


def update_approval(obj: Object, old: Object) -> Causes:
    yield from _unchanged(obj, old)


def _certificate(obj: Object) -> Any:
    return (obj.get("status") or {}).get("certificate") or None


def _unchanged(obj: Object, old: Object) -> Causes:
    """What holds for every write: conditions are well formed, and decisions stay."""
    kinds = [condition.get("type") or "" for condition in _conditions(obj)]
    for place, condition in enumerate(_conditions(obj)):
        at = f"{_CONDITIONS}[{place}]"
        if not kinds[place]:
            yield error.required(f"{at}.type")
        supported = ("True",) if kinds[place] in _ALWAYS_TRUE else ("False", "True", "Unknown")
        yield from rules.one_of(f"{at}.status", condition.get("status"), supported)
        if kinds[place] in kinds[:place]:
            yield error.duplicate(f"{at}.type", kinds[place])
    if all(kind in kinds for kind in _DECISIONS):
        last = max(_DECISIONS, key=kinds.index)
        yield error.invalid(_CONDITIONS, last, "Approved and Denied conditions are mutually exclusive")
    for kind in _ALWAYS_TRUE:
        if len(_of(obj, kind)) < len(_of(old, kind)):
            yield error.forbidden(_CONDITIONS, f'updates may not remove a condition of type "{kind}"')


def _decisions(obj: Object, old: Object) -> Causes:
    for kind in _DECISIONS:
        new, before = _of(obj, kind), _of(old, kind)
        if len(new) > len(before):
            yield error.forbidden(_CONDITIONS, f'updates may not add a condition of type "{kind}"')
        elif len(new) == len(before) and new != before:
            yield error.forbidden(_CONDITIONS, f'updates may not modify a condition of type "{kind}"')


def any_name(name: str) -> list[str]:
    """Nobody minds what a request is called."""
    return []
