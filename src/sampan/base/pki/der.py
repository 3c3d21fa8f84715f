"""The subject of a certificate read straight from its DER, without loading `cryptography`.

For certificates that TLS has already verified: this reads names and judges nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sampan.base.pki.errors import PkiError

_COMMON_NAME: Final = b"\x55\x04\x03"  # 2.5.4.3
_ORGANIZATION: Final = b"\x55\x04\x0a"  # 2.5.4.10
_SEQUENCE, _SET, _OID, _VERSION = 0x30, 0x31, 0x06, 0xA0
_TEXTS: Final = {0x0C: "utf-8", 0x13: "ascii", 0x16: "ascii", 0x14: "latin-1", 0x1E: "utf-16-be"}


class Subject(NamedTuple):
    common_name: str
    organizations: tuple[str, ...]


def subject(certificate: bytes) -> Subject:
    """CN (the last one, as Go reads it) and every O in order. Raises PkiError for what is no certificate."""
    try:
        return _subject(certificate)
    except (IndexError, UnicodeDecodeError):
        raise PkiError("not a certificate in DER") from None


def _subject(certificate: bytes) -> Subject:
    outer = _parts(certificate)[0]
    body = _parts(_expect(outer, _SEQUENCE))[0]
    fields = _parts(_expect(body, _SEQUENCE))
    # An optional version, then serial, algorithm, issuer, validity, subject.
    at = 5 if fields[0][0] == _VERSION else 4
    common, organizations = "", []
    for relative in _parts(_expect(fields[at], _SEQUENCE)):
        for attribute in _parts(_expect(relative, _SET)):
            pair = _parts(_expect(attribute, _SEQUENCE))
            kind = _expect(pair[0], _OID)
            if kind == _COMMON_NAME:
                common = _text(pair[1])
            elif kind == _ORGANIZATION:
                organizations.append(_text(pair[1]))
    return Subject(common, tuple(organizations))


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """(tag, content) of each element that stands in `data`, which must hold whole elements only."""
    parts: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4:
                raise PkiError("not a certificate in DER: bad length")
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise PkiError("not a certificate in DER: it ends too early")
        parts.append((tag, data[at : at + length]))
        at += length
    return parts


def _expect(part: tuple[int, bytes], tag: int) -> bytes:
    if part[0] != tag:
        raise PkiError(f"not a certificate in DER: tag {part[0]:#x}, expected {tag:#x}")
    return part[1]


def _text(part: tuple[int, bytes]) -> str:
    encoding = _TEXTS.get(part[0])
    if encoding is None:
        raise PkiError(f"unsupported kind of text {part[0]:#x} in a certificate's subject")
    return part[1].decode(encoding)
