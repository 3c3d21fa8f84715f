"""ssl contexts, made from files by the standard library alone."""

from __future__ import annotations

import ssl
from pathlib import Path


def server(certificate: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """A server's context. With `client_ca`, peers may show a certificate of it and need not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def client(ca: Path | None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """A client's context that trusts `ca` only, or the system's authorities where it is None."""
    context = ssl.create_default_context(cafile=ca) if ca is not None else ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
