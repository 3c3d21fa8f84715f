"""Requests for certificates: what approving, signing and plain writes may change."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.api import validation

APPROVED = {"type": "Approved", "status": "True"}
DENIED = {"type": "Denied", "status": "True"}


def request(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "r"}, "spec": {}, "status": status}


def messages(new: dict[str, Any], old: dict[str, Any], subresource: str = "") -> list[str]:
    causes = validation.validate(
        "certificates.k8s.io", "v1", "CertificateSigningRequest", new, old, subresource
    )
    return [f"{cause.field}: {cause.message}" for cause in causes]


@pytest.mark.parametrize("subresource", ["", "status"])
def test_only_the_approval_decides(subresource: str) -> None:
    decided, open_ = request(conditions=[APPROVED]), request()
    assert messages(decided, open_, "approval") == []
    assert messages(decided, open_, subresource) == [
        'status.conditions: Forbidden: updates may not add a condition of type "Approved"'
    ]
    changed = request(conditions=[{**APPROVED, "reason": "x"}])
    assert messages(changed, decided, "approval") == []
    assert messages(changed, decided, subresource) == [
        'status.conditions: Forbidden: updates may not modify a condition of type "Approved"'
    ]


def test_decisions_stay() -> None:
    assert messages(request(), request(conditions=[DENIED]), "approval") == [
        'status.conditions: Forbidden: updates may not remove a condition of type "Denied"'
    ]
    assert messages(request(conditions=[APPROVED, DENIED]), request(conditions=[APPROVED]), "approval") == [
        'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'
    ]


def test_the_certificate_is_set_once_and_through_the_status() -> None:
    assert messages(request(certificate="YQ=="), request(), "status") == []
    assert messages(request(certificate="YQ=="), request()) == [
        "status.certificate: Forbidden: updates may not set certificate content"
    ]
    assert messages(request(certificate="Yg=="), request(certificate="YQ=="), "status") == [
        "status.certificate: Forbidden: updates may not modify existing certificate content"
    ]


def test_conditions_are_well_formed() -> None:
    wrong = request(conditions=[{"type": "", "status": "True"}, {**APPROVED, "status": "False"}, APPROVED])
    assert messages(wrong, request(), "approval") == [
        "status.conditions[0].type: Required value",
        'status.conditions[1].status: Unsupported value: "False": supported values: "True"',
        'status.conditions[2].type: Duplicate value: "Approved"',
    ]
