from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from conformance import apiservers
from conformance.bad_input.sender import Asked, Sender


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apiservers.ApiServer]:
    started = apiservers.start(tmp_path_factory.mktemp("bad-input"), "--memory")
    try:
        yield started
    finally:
        apiservers.stop(started)


@pytest.fixture(scope="module")
def sender(server: apiservers.ApiServer) -> Sender:
    admin = ssl.create_default_context(cafile=server.ca)
    admin.load_cert_chain(*server.certificate)
    made = Sender(server.url, Asked(admin), ssl.create_default_context(cafile=server.ca))
    made.prepare()
    return made
