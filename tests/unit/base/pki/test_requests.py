from __future__ import annotations

import pytest

from sampan.base.pki import certificates, keys, requests
from sampan.base.pki.errors import PkiError

NOW = 1_800_000_000.0
KEY = keys.generate()


@pytest.fixture(scope="module")
def authority() -> certificates.Authority:
    return certificates.Authority(certificates.create_authority("test", NOW))


def test_a_request_is_answered_with_what_it_asked_for(authority: certificates.Authority) -> None:
    pem = requests.create(KEY, "system:node:tug", ["system:nodes"], ["tug", "10.0.0.7"])
    request = requests.parse(pem)
    assert (request.common_name, request.organizations) == ("system:node:tug", ("system:nodes",))
    assert (request.dns_names, request.addresses, request.others) == (("tug",), ("10.0.0.7",), ())
    answer = requests.sign(authority, request, ["server"], NOW, life=600)
    said = certificates.facts(answer)
    assert (said.common_name, said.sans, said.not_after) == (
        "system:node:tug",
        {"tug", "10.0.0.7"},
        int(NOW) + 600,
    )
    assert authority.signed(answer)
    assert certificates.matches(certificates.Pair(answer, keys.private_pem(KEY)))


def test_no_leaf_outlives_its_authority(authority: certificates.Authority) -> None:
    request = requests.parse(requests.create(KEY, "x"))
    answer = requests.sign(authority, request, ["client"], NOW, life=100 * certificates.CA_LIFE)
    assert certificates.facts(answer).not_after == authority.not_after


@pytest.mark.parametrize("pem", [b"", b"rubbish", certificates.create_authority("x", NOW).certificate])
def test_what_is_no_request_is_refused(pem: bytes) -> None:
    with pytest.raises(PkiError, match="not a certificate request"):
        requests.parse(pem)


def test_a_changed_request_is_refused() -> None:
    import base64

    pem = requests.create(KEY, "abcdef")
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1])).replace(b"abcdef", b"abcdeg")
    changed = (
        b"-----BEGIN CERTIFICATE REQUEST-----\n"
        + base64.encodebytes(der)
        + b"-----END CERTIFICATE REQUEST-----\n"
    )
    with pytest.raises(PkiError, match="not signed by its own key"):
        requests.parse(changed)


def test_an_unknown_usage_is_refused(authority: certificates.Authority) -> None:
    with pytest.raises(PkiError, match="unknown usage 'email'"):
        requests.sign(authority, requests.parse(requests.create(KEY, "x")), ["email"], NOW)
