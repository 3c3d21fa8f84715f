"""From a connection to its peer, once when it opens."""

from __future__ import annotations

import hashlib

from sampan.base.pki import der
from sampan.base.pki.errors import PkiError
from sampan.control_plane.apiserver.authn.model import NO_PEER, Certificate, Peer, User


def peer(identity: object | None, certificate: bytes | None) -> Peer:
    """identity: what the listener was opened with, a User for our own components' sockets.

    certificate: the DER that TLS has verified, or None. One that cannot be read ends in 401.
    """
    if isinstance(identity, User):
        return Peer(user=identity)
    if certificate is None:
        return NO_PEER
    try:
        subject = der.subject(certificate)
    except PkiError:
        # Without a common name it is refused with 401 like any certificate that names nobody.
        return Peer(certificate=Certificate(""))
    fingerprint = hashlib.sha256(certificate).hexdigest()
    return Peer(certificate=Certificate(subject.common_name, subject.organizations, fingerprint))
