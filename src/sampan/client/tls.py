"""The TLS context of a client: whom it trusts and what it shows."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path

from sampan.client.config import Config


def context(config: Config, cert: bytes, key: bytes) -> ssl.SSLContext:
    """Trusts the configuration's CA (the system's without one) and shows `cert` where it is not empty."""
    ca = config.ca or (Path(config.ca_file).read_bytes() if config.ca_file else b"")
    if config.insecure:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    else:
        made = ssl.create_default_context(cadata=ca.decode("ascii", "replace") if ca else None)
        # Python 3.13 asks for extensions that the CAs of many clusters lack; Go does not
        made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if cert:
        _load(made, cert, key)
    return made


def _load(made: ssl.SSLContext, cert: bytes, key: bytes) -> None:
    """OpenSSL's binding reads files only: both go through one that only we can read and that is gone at once."""
    handle, name = tempfile.mkstemp(prefix="sampan-tls-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(cert + b"\n" + key)
        made.load_cert_chain(name)
    finally:
        Path(name).unlink()
