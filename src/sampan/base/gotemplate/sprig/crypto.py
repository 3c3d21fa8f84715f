"""Random values, passwords and certificates. Source of behaviour: sprig 3.3 crypto.go.

`cryptography` is imported when the first function of a template needs it: it costs more to import than most
charts to render.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import os
import secrets
import struct
from typing import TYPE_CHECKING, Any

from sampan.base.gotemplate.gofmt import text
from sampan.base.gotemplate.gotypes import GoError, GoPanic, Struct
from sampan.base.gotemplate.sprig import bcrypt as blowfish
from sampan.base.gotemplate.sprig.strings import decode_base64
from sampan.base.gotemplate.strconv import decode, encode

if TYPE_CHECKING:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_ALPHA = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_ASCII = "".join(map(chr, range(32, 127)))


def _random(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def rand_alpha_num(count: int) -> str:
    return _random(_ALPHA + _DIGITS, count)


def rand_alpha(count: int) -> str:
    return _random(_ALPHA, count)


def rand_numeric(count: int) -> str:
    return _random(_DIGITS, count)


def rand_ascii(count: int) -> str:
    return _random(_ASCII, count)


def rand_bytes(count: int) -> str:
    if count < 0:
        raise GoPanic("runtime error: makeslice: len out of range")
    return base64.b64encode(os.urandom(count)).decode()


def shuffle(value: str) -> str:
    chars = list(value)
    secrets.SystemRandom().shuffle(chars)
    return "".join(chars)


def uuidv4() -> str:
    import uuid

    return str(uuid.uuid4())


def bcrypt(password: str) -> str:
    try:
        return blowfish.hash_password(encode(password), os.urandom(16), 10)
    except ValueError as problem:
        return f"failed to encrypt string with bcrypt: {problem}"


def htpasswd(user: str, password: str) -> str:
    return f"invalid username: {user}" if ":" in user else f"{user}:{bcrypt(password)}"


# ---------------------------------------------------------------- Master Password

_SEED = b"com.lyndir.masterpassword"
_TEMPLATES = {
    "maximum": ("anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"),
    "long": (
        "CvcvnoCvcvCvcv",
        "CvcvCvcvnoCvcv",
        "CvcvCvcvCvcvno",
        "CvccnoCvcvCvcv",
        "CvccCvcvnoCvcv",
        "CvccCvcvCvcvno",
        "CvcvnoCvccCvcv",
        "CvcvCvccnoCvcv",
        "CvcvCvccCvcvno",
        "CvcvnoCvcvCvcc",
        "CvcvCvcvnoCvcc",
        "CvcvCvcvCvccno",
        "CvccnoCvccCvcv",
        "CvccCvccnoCvcv",
        "CvccCvccCvcvno",
        "CvcvnoCvccCvcc",
        "CvcvCvccnoCvcc",
        "CvcvCvccCvccno",
        "CvccnoCvcvCvcc",
        "CvccCvcvnoCvcc",
        "CvccCvcvCvccno",
    ),
    "medium": ("CvcnoCvc", "CvcCvcno"),
    "short": ("Cvcn",),
    "basic": ("aaanaaan", "aannaaan", "aaannaaa"),
    "pin": ("nnnn",),
}
_CHARACTERS = {
    "V": "AEIOU",
    "C": "BCDFGHJKLMNPQRSTVWXYZ",
    "v": "aeiou",
    "c": "bcdfghjklmnpqrstvwxyz",
    "A": "AEIOUBCDFGHJKLMNPQRSTVWXYZ",
    "a": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
    "n": "0123456789",
    "o": "@&%?,=[]_:-+*$#!'^~;()/.",
    "x": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
}


def derive_password(counter: int, kind: str, password: str, user: str, site: str) -> str:
    templates = _TEMPLATES.get(kind)
    if templates is None:
        return f"cannot find password template {kind}"
    who, where = encode(user), encode(site)
    salt = _SEED + struct.pack(">I", len(who)) + who
    key = hashlib.scrypt(encode(password), salt=salt, n=32768, r=8, p=2, maxmem=128 << 20, dklen=64)
    message = _SEED + struct.pack(">I", len(where)) + where + struct.pack(">I", counter)
    seed = hmac.new(key, message, hashlib.sha256).digest()
    template = templates[seed[0] % len(templates)]
    return "".join(_CHARACTERS[c][seed[i + 1] % len(_CHARACTERS[c])] for i, c in enumerate(template))


# ---------------------------------------------------------------- AES


def _aes(password: str, iv: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES(encode(password)[:32].ljust(32, b"\0")), modes.CBC(iv))


def encrypt_aes(password: str, plain: str) -> str:
    if not plain:
        return ""
    data = encode(plain)
    missing = 16 - len(data) % 16
    iv = os.urandom(16)
    worker = _aes(password, iv).encryptor()
    return base64.b64encode(
        iv + worker.update(data + bytes([missing]) * missing) + worker.finalize()
    ).decode()


def decrypt_aes(password: str, crypted: str) -> str:
    if not crypted:
        return ""
    try:
        data = decode_base64(crypted)
    except ValueError as problem:
        raise GoError(str(problem)) from None
    if len(data) < 16:
        raise GoPanic(f"runtime error: slice bounds out of range [:16] with capacity {len(data)}")
    if len(data) % 16:
        raise GoPanic("crypto/cipher: input not full blocks")
    worker = _aes(password, data[:16]).decryptor()
    plain = worker.update(data[16:]) + worker.finalize()
    if not plain:
        raise GoPanic("runtime error: index out of range [-1]")
    if plain[-1] > len(plain):
        raise GoPanic(f"runtime error: slice bounds out of range [:{len(plain) - plain[-1]}]")
    return decode(plain[: len(plain) - plain[-1]])


# ---------------------------------------------------------------- keys and certificates


class Certificate(Struct):
    """sprig's certificate: PEM texts."""

    go_type = "sprig.certificate"
    fields = ("Cert", "Key")

    def __init__(self, cert: str, key: str) -> None:
        self.Cert, self.Key = cert, key


def gen_private_key(kind: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

    if kind in ("", "rsa"):
        return _key_pem(rsa.generate_private_key(65537, 4096))
    if kind == "dsa":
        return _key_pem(dsa.generate_private_key(2048))
    if kind == "ecdsa":
        return _key_pem(ec.generate_private_key(ec.SECP256R1()))
    if kind == "ed25519":
        return _key_pem(ed25519.Ed25519PrivateKey.generate())
    return "Unknown type " + kind


def _key_pem(key: PrivateKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    modern = isinstance(key, ed25519.Ed25519PrivateKey)
    form = PrivateFormat.PKCS8 if modern else PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def _parse_key(pem: str) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if "-----BEGIN " not in pem:
        raise GoError("no PEM data in input")
    try:
        return load_pem_private_key(encode(pem), None)
    except (ValueError, TypeError) as problem:
        raise GoError(f"parsing private key from PEM: {problem}") from None


def _new_key() -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, 2048)


def build_custom_cert(cert64: str, key64: str) -> Certificate:
    from cryptography import x509

    try:
        cert = decode_base64(cert64)
    except ValueError:
        raise GoError("unable to decode base64 certificate") from None
    try:
        key = decode_base64(key64)
    except ValueError:
        raise GoError("unable to decode base64 private key") from None
    if b"-----BEGIN " not in cert:
        raise GoError("unable to decode certificate")
    try:
        x509.load_pem_x509_certificate(cert)
    except ValueError as problem:
        raise GoError(f"error parsing certificate: decodedCert.Bytes: {problem}") from None
    try:
        _parse_key(decode(key))
    except GoError as problem:
        raise GoError(f"error parsing private key: {problem}") from None
    return Certificate(decode(cert), decode(key))


def _strings(values: Any, what: str) -> list[str]:
    out = []
    for value in values or []:
        if not isinstance(value, str):
            raise GoError(f"error {what}: {text(value)} is not a string")
        out.append(value)
    return out


def _addresses(values: Any) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    import ipaddress

    out = []
    for value in _strings(values, "parsing ip"):
        try:
            out.append(ipaddress.ip_address(value))
        except ValueError:
            raise GoError(f"error parsing ip: {value}") from None
    return out


def _certificate(
    name: str, ips: Any, hosts: Any, days: int, key: PrivateKeyTypes, ca: bool, issuer: tuple[Any, Any] | None
) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    addresses = _addresses(ips)
    names = _strings(hosts, "processing alternate dns name")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
    now = dt.datetime.now(dt.UTC)
    signer, signer_name = (key, subject) if issuer is None else (issuer[1], issuer[0].subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer_name)
        .public_key(key.public_key())  # type: ignore[arg-type]
        .serial_number(int.from_bytes(os.urandom(15), "big") + 1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(_usage(ca), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if ca:
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
    if issuer is not None:
        builder = builder.add_extension(_authority_key(issuer[0]), critical=False)
    if names or addresses:
        alternatives: list[x509.GeneralName] = [x509.DNSName(n) for n in names]
        alternatives += [x509.IPAddress(a) for a in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    cert = builder.sign(signer, algorithm)  # type: ignore[arg-type]
    return Certificate(cert.public_bytes(Encoding.PEM).decode(), _key_pem(key))


def _usage(ca: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_key(cert: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    from cryptography import x509

    try:
        known = cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(cert.public_key())  # type: ignore[arg-type]


def gen_ca(name: str, days: int) -> Certificate:
    return _certificate(name, None, None, days, _new_key(), True, None)


def gen_ca_with_key(name: str, days: int, key: str) -> Certificate:
    return _certificate(name, None, None, days, _given(key), True, None)


def gen_self_signed(name: str, ips: Any, hosts: Any, days: int) -> Certificate:
    return _certificate(name, ips, hosts, days, _new_key(), False, None)


def gen_self_signed_with_key(name: str, ips: Any, hosts: Any, days: int, key: str) -> Certificate:
    return _certificate(name, ips, hosts, days, _given(key), False, None)


def gen_signed(name: str, ips: Any, hosts: Any, days: int, ca: Certificate) -> Certificate:
    return _certificate(name, ips, hosts, days, _new_key(), False, _issuer(ca))


def gen_signed_with_key(name: str, ips: Any, hosts: Any, days: int, ca: Certificate, key: str) -> Certificate:
    return _certificate(name, ips, hosts, days, _given(key), False, _issuer(ca))


def _given(pem: str) -> PrivateKeyTypes:
    try:
        return _parse_key(pem)
    except GoError as problem:
        raise GoError(f"parsing private key: {problem}") from None


def _issuer(ca: Certificate) -> tuple[Any, Any]:
    from cryptography import x509

    if "-----BEGIN " not in ca.Cert:
        raise GoError("unable to decode certificate")
    try:
        cert = x509.load_pem_x509_certificate(encode(ca.Cert))
    except ValueError as problem:
        raise GoError(f"error parsing certificate: decodedSignerCert.Bytes: {problem}") from None
    try:
        return cert, _parse_key(ca.Key)
    except GoError as problem:
        raise GoError(f"error parsing private key: {problem}") from None
