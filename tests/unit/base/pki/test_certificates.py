from __future__ import annotations

import pytest

from sampan.base.pki import certificates, keys
from sampan.base.pki.certificates import Authority, Pair
from sampan.base.pki.errors import PkiError

NOW = 1_800_000_000.0
CA = certificates.create_authority("test", NOW)


def test_a_client_is_its_common_name_and_organizations() -> None:
    pair = Authority(CA).client("alice", ["devs", "ops"], NOW)
    assert certificates.facts(pair.certificate)[:3] == ("alice", ("devs", "ops"), frozenset())
    assert certificates.matches(pair)


def test_clocks_that_lag_accept_a_fresh_certificate() -> None:
    said = certificates.facts(Authority(CA).server("x", ["x"], NOW).certificate)
    assert said.not_before == NOW - certificates.SKEW
    assert said.not_after == NOW + certificates.LEAF_LIFE


def test_a_leaf_cannot_sign() -> None:
    with pytest.raises(PkiError, match="may not sign"):
        Authority(Authority(CA).client("alice", [], NOW))


def test_a_foreign_key_cannot_sign() -> None:
    with pytest.raises(PkiError, match="not the key of its certificate"):
        Authority(Pair(CA.certificate, keys.private_pem(keys.generate())))


def test_a_namesake_has_not_signed() -> None:
    namesake = Authority(certificates.create_authority("test", NOW))
    assert not namesake.signed(Authority(CA).client("alice", [], NOW).certificate)
    assert not namesake.signed(b"rubbish")
