from __future__ import annotations

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sampan.base.pki import b64, jwks, jwt, keys
from sampan.base.pki.errors import PkiError, TokenError

EC, RSA, OTHER = keys.generate(), keys.generate_rsa(), keys.generate()
PRIVATE = {"ES256": keys.private_pem(EC), "RS256": keys.private_pem(RSA)}
PUBLIC = {"ES256": keys.public_pem(EC.public_key()), "RS256": keys.public_pem(RSA.public_key())}
CLAIMS = {"iss": "here", "exp": 100, "nbf": 10, "iat": 10}


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def verifier(now: float = 50) -> jwt.Verifier:
    return jwt.Verifier(PUBLIC.values(), Clock(now))


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_what_was_signed_is_believed(algorithm: str) -> None:
    signer = jwt.Signer(PRIVATE[algorithm])
    assert signer.algorithm == algorithm
    token = signer.sign(CLAIMS)
    assert jwt.split(token).key_id == signer.key_id
    check = verifier()
    assert check.verify(token) == CLAIMS
    assert check.verify(token) is check.verify(token)


@pytest.mark.parametrize(("now", "said"), [(9, "not valid yet"), (100, "has expired"), (1000, "has expired")])
def test_time_is_checked_on_every_call(now: float, said: str) -> None:
    clock = Clock(50)
    check = jwt.Verifier(PUBLIC.values(), clock)
    token = jwt.Signer(PRIVATE["ES256"]).sign(CLAIMS)
    check.verify(token)
    clock.now = now
    with pytest.raises(TokenError, match=said):
        check.verify(token)


def test_an_unknown_key_is_not_believed() -> None:
    with pytest.raises(TokenError, match="not signed by a known key"):
        verifier().verify(jwt.Signer(keys.private_pem(OTHER)).sign(CLAIMS))


def forged(header: dict[str, object], signature: bytes = b"") -> str:
    return ".".join(
        [b64.encode(orjson.dumps(header)), b64.encode(orjson.dumps(CLAIMS)), b64.encode(signature)]
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c.d",
        "\ud800.x.y",
        forged({"alg": "none"}),
        forged({"alg": "HS256"}, b"x" * 32),
        forged({"alg": "ES256"}, b"\0" * 64),
        forged({"alg": "ES256", "crit": ["b64"]}, b"\0" * 64),
        forged({"alg": 7}),
    ],
)
def test_forgeries_are_refused(token: str) -> None:
    with pytest.raises(TokenError):
        verifier().verify(token)


def test_the_public_key_is_no_shared_secret() -> None:
    import hashlib
    import hmac

    head = b64.encode(orjson.dumps({"alg": "HS256"})) + "." + b64.encode(orjson.dumps(CLAIMS))
    signature = hmac.new(PUBLIC["RS256"], head.encode(), hashlib.sha256).digest()
    with pytest.raises(TokenError):
        verifier().verify(f"{head}.{b64.encode(signature)}")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["100", True, [], {}])
def test_times_must_be_numbers(name: str, value: object) -> None:
    with pytest.raises(TokenError, match=f"claim '{name}'"):
        verifier().verify(jwt.Signer(PRIVATE["ES256"]).sign({**CLAIMS, name: value}))


TOKENS = {algorithm: jwt.Signer(pem).sign(CLAIMS) for algorithm, pem in PRIVATE.items()}


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(sorted(TOKENS)), st.data())
def test_no_changed_character_is_believed(algorithm: str, data: st.DataObject) -> None:
    token = TOKENS[algorithm]
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = token[:at] + character + token[at + 1 :]
    if changed == token:
        return
    with pytest.raises(TokenError):
        verifier().verify(changed)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwt, "MAX_REMEMBERED", 4)
    check, signer = verifier(), jwt.Signer(PRIVATE["ES256"])
    for number in range(20):
        check.verify(signer.sign({**CLAIMS, "jti": str(number)}))
    assert len(check._remembered) <= 4


def test_key_set_names_each_key_as_tokens_do() -> None:
    document = jwks.document(PUBLIC.values())
    assert [key["kid"] for key in document["keys"]] == [jwt.Signer(pem).key_id for pem in PRIVATE.values()]
    assert [key["kty"] for key in document["keys"]] == ["EC", "RSA"]
    assert document["keys"][1]["e"] == "AQAB"
    assert jwks.algorithms(document) == ["ES256", "RS256"]


def test_a_verifier_without_keys_is_refused() -> None:
    with pytest.raises(PkiError, match="no public key"):
        jwt.Verifier([], Clock(0))


@given(st.binary(max_size=70))
def test_base64url_round_trip(data: bytes) -> None:
    assert b64.decode(b64.encode(data)) == data


@pytest.mark.parametrize("text", ["YQ==", "YR", "a", "a b", "é", "+/8"])
def test_base64url_is_strict(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        b64.decode(text)
