from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.base.pki import certificates, der
from sampan.base.pki.errors import PkiError

NOW = 1_800_000_000
AUTHORITY = certificates.Authority(certificates.create_authority("test", NOW))
NAMES = st.text(
    st.characters(min_codepoint=1, max_codepoint=0x2FFF, exclude_categories=("Cs",)), min_size=1, max_size=20
)


def der_of(name: str, *organizations: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(AUTHORITY.client(name, organizations, NOW).certificate.decode())


GOOD = der_of("alice", "devs", "ops")


@given(NAMES, st.lists(NAMES, max_size=3))
def test_the_subject_is_what_was_signed(name: str, organizations: list[str]) -> None:
    assert der.subject(der_of(name, *organizations)) == (name, tuple(organizations))


@given(st.integers(0, len(GOOD) - 1))
def test_what_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(PkiError):
        der.subject(GOOD[:length])


@given(st.binary(max_size=60))
def test_any_bytes_are_a_subject_or_refused(data: bytes) -> None:
    try:
        der.subject(data)
    except PkiError as error:
        assert str(error)
