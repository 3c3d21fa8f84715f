"""CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may approve, sign and ask for what.

kubernetes plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from sampan.base.pki import requests
from sampan.base.pki.errors import PkiError
from sampan.control_plane.apiserver.admission.model import CREATE, UPDATE, Local, Request, refused, spec
from sampan.control_plane.apiserver.authn.model import SYSTEM_MASTERS
from sampan.control_plane.apiserver.authz.model import Attributes, Authorizer

GROUP: Final = "certificates.k8s.io"
CLIENT_SIGNER: Final = "kubernetes.io/kube-apiserver-client"
_REQUESTS: Final = (GROUP, "certificatesigningrequests")


class CertificateApproval(Local):
    name = "CertificateApproval"
    operations = frozenset({UPDATE})
    resources = frozenset({(*_REQUESTS, "approval")})

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def validate(self, request: Request, /) -> None:
        # The stored signer decides, not one that the update might bring.
        signer = str(spec(request.old).get("signerName") or "")
        if not _may(self._authorizer, request, "approve", signer):
            raise refused(request, f'user not permitted to approve requests with signerName "{signer}"')


class CertificateSigning(Local):
    name = "CertificateSigning"
    operations = frozenset({UPDATE})
    resources = frozenset({(*_REQUESTS, "status")})

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def validate(self, request: Request, /) -> None:
        def outcome(obj: Mapping[str, Any] | None) -> tuple[Any, Any]:
            status = (obj or {}).get("status") or {}
            failed = [c for c in status.get("conditions") or () if c.get("type") == "Failed"]
            return status.get("certificate"), failed

        if outcome(request.old) == outcome(request.object):
            return
        signer = str(spec(request.old).get("signerName") or "")
        if not _may(self._authorizer, request, "sign", signer):
            raise refused(request, f'user not permitted to sign requests with signerName "{signer}"')


class CertificateSubjectRestriction(Local):
    name = "CertificateSubjectRestriction"
    operations = frozenset({CREATE})
    resources = frozenset({(*_REQUESTS, "")})

    async def validate(self, request: Request, /) -> None:
        wanted = spec(request.object)
        if wanted.get("signerName") != CLIENT_SIGNER:
            return
        try:
            parsed = requests.parse(base64.b64decode(str(wanted.get("request") or ""), validate=True))
        except (PkiError, binascii.Error, ValueError) as error:
            raise refused(request, f"failed to parse CSR: {error}") from None
        if SYSTEM_MASTERS in parsed.organizations:
            raise refused(request, f"use of {CLIENT_SIGNER} signer with system:masters group is not allowed")


def _may(authorizer: Authorizer, request: Request, verb: str, signer: str) -> bool:
    """Either the signer itself or all signers of its domain."""
    domain = signer.partition("/")[0]
    ask = Attributes(request.user, verb, GROUP, "*", "signers")
    return any(authorizer.authorize(ask._replace(name=name)).allowed for name in (signer, f"{domain}/*"))
