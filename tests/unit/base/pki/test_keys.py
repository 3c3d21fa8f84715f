from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sampan.base.pki import keys
from sampan.base.pki.errors import PkiError


@pytest.mark.parametrize("make", [keys.generate, keys.generate_rsa])
def test_a_key_survives_its_file(make: object) -> None:
    key = make()  # type: ignore[operator]
    again = keys.load_private(keys.private_pem(key))
    assert keys.key_id(again.public_key()) == keys.key_id(key.public_key())
    assert keys.load_public(keys.private_pem(key)) == key.public_key()
    assert keys.load_public(keys.public_pem(key.public_key())) == key.public_key()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "unsupported curve 'secp384r1'"),
        (ed25519.Ed25519PrivateKey.generate(), "unsupported private key"),
        (rsa.generate_private_key(65537, 1024), "RSA key of 1024 bits"),
    ],
)
def test_other_keys_are_refused_by_name(key: object, said: str) -> None:
    pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())  # type: ignore[attr-defined]
    with pytest.raises(PkiError, match=said):
        keys.load_private(pem)


@pytest.mark.parametrize("load", [keys.load_private, keys.load_public])
def test_rubbish_is_refused(load: object) -> None:
    with pytest.raises(PkiError, match="in PEM"):
        load(b"-----BEGIN PUBLIC KEY-----\nrubbish\n-----END PUBLIC KEY-----\n")  # type: ignore[operator]
