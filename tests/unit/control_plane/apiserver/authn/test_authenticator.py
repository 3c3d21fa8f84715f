from __future__ import annotations

import hashlib

import pytest

from sampan.api.status import ApiError
from sampan.base.pki import b64, certificates
from sampan.control_plane.apiserver.authn import authenticator, connection
from sampan.control_plane.apiserver.authn.authenticator import PROTOCOL_PREFIX, Authenticator
from sampan.control_plane.apiserver.authn.model import NO_PEER, Certificate, Peer, component_user
from sampan.control_plane.apiserver.authn.static_tokens import StaticTokens
from sampan.control_plane.apiserver.authn.tokens import Rejected

TOKENS = 'secret,alice,7,"devs, ops"\nother,bob,8\n'


def make(*, anonymous: bool = True) -> Authenticator:
    return Authenticator([StaticTokens.parse(TOKENS)], ["api"], anonymous=anonymous)


def code(
    authorization: str = "", protocols: str = "", *, peer: Peer = NO_PEER, anonymous: bool = True
) -> int:
    with pytest.raises(ApiError) as raised:
        make(anonymous=anonymous).authenticate(peer, authorization, protocols)
    assert raised.value.to_status()["message"] == "Unauthorized"
    return raised.value.code


def test_the_listener_decides_before_everything_else() -> None:
    scheduler = component_user("system:kube-scheduler")
    peer = connection.peer(scheduler, None)
    assert make().authenticate(peer, "Bearer wrong") == scheduler


def test_a_certificate_is_its_subject() -> None:
    authority = certificates.Authority(certificates.create_authority("test", 1_800_000_000))
    pem = authority.client("alice", ["devs", "ops"], 1_800_000_000).certificate
    import ssl

    der = ssl.PEM_cert_to_DER_cert(pem.decode())
    user = make().authenticate(connection.peer(None, der))
    assert (user.name, user.groups) == ("alice", ("devs", "ops", "system:authenticated"))
    fingerprint = hashlib.sha256(der).hexdigest()
    assert user.extra == {"authentication.kubernetes.io/credential-id": (f"X509SHA256={fingerprint}",)}


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x82\xff\xff", b"rubbish" * 20])
def test_a_certificate_that_cannot_be_read_is_nobody(der: bytes) -> None:
    assert code(peer=connection.peer(None, der)) == 401


def test_a_certificate_without_a_name_is_nobody() -> None:
    assert code(peer=Peer(certificate=Certificate("", ("system:masters",)))) == 401


@pytest.mark.parametrize("header", ["Bearer secret", "bearer secret", "  BEARER secret  "])
def test_a_static_token_is_its_user(header: str) -> None:
    user = make().authenticate(NO_PEER, header)
    assert user[:3] == ("alice", ("devs", "ops", "system:authenticated"), "7")


def test_nobody_is_anonymous_where_that_is_allowed() -> None:
    user = make().authenticate(NO_PEER)
    assert (user.name, user.groups) == ("system:anonymous", ("system:unauthenticated",))
    assert code(anonymous=False) == 401


@pytest.mark.parametrize("header", ["Basic c2VjcmV0", "Bearer", "Bearer ", "secret", "Bearer  secret"])
def test_what_is_no_bearer_token_is_nobody(header: str) -> None:
    assert make().authenticate(NO_PEER, header).name == "system:anonymous"


@pytest.mark.parametrize("token", ["wrong", "SECRET", "secretx", "abcdef.0123456789abcdef"])
def test_a_bad_token_is_never_anonymous(token: str) -> None:
    assert code(f"Bearer {token}") == 401


def test_bootstrap_tokens_are_refused_by_name() -> None:
    with pytest.raises(Rejected, match="bootstrap tokens are not supported"):
        make().authenticate_token("abcdef.0123456789abcdef", ["api"])


def test_a_websocket_carries_its_token_among_the_protocols() -> None:
    offered = f"{PROTOCOL_PREFIX}{b64.encode(b'secret')}, v5.channel.k8s.io"
    assert make().authenticate(NO_PEER, "", offered).name == "alice"
    assert authenticator.without_token(offered) == "v5.channel.k8s.io"


@pytest.mark.parametrize(
    "offered",
    [
        PROTOCOL_PREFIX + b64.encode(b"secret"),
        f"{PROTOCOL_PREFIX}{b64.encode(b'wrong')}, x",
        f"{PROTOCOL_PREFIX}c2VjcmV0=, x",
        f"{PROTOCOL_PREFIX}{b64.encode(b'secret')}, {PROTOCOL_PREFIX}{b64.encode(b'other')}, x",
    ],
)
def test_a_bad_token_among_the_protocols_is_refused(offered: str) -> None:
    assert code("", offered) == 401


def test_a_bad_token_file_names_every_bad_line_and_no_token() -> None:
    with pytest.raises(ValueError, match="bad token file") as raised:
        StaticTokens.parse("hush,a\nhush2,b,1\nhush2,c,2\n,d,3\n")
    text = str(raised.value)
    assert "line 1: 2 columns" in text and "line 3: the token is given twice" in text and "line 4" in text
    assert "hush" not in text
