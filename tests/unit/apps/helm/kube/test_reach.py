"""Why a cluster does not answer, in the words of Go's client."""

from __future__ import annotations

import pytest

from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import reach
from sampan.client.rest import Unreachable
from unit.apps.helm.fakes import FakeCluster, run

REFUSED = "[Errno 111] Connect call failed ('127.0.0.1', 8080)"


def caused(cause: BaseException) -> Unreachable:
    error = Unreachable("connect to somewhere failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ConnectionRefusedError(111, REFUSED), "dial tcp 127.0.0.1:8080: connect: connection refused"),
        (OSError(f"Multiple exceptions: {REFUSED}, x"), "dial tcp 127.0.0.1:8080: connect: connection refused"),
        (OSError(111, "[Errno 111] Connect call failed ('::1', 80, 0, 0)"), "dial tcp [::1]:80: connect: connection refused"),
        (OSError(-2, "Name or service not known"), "dial tcp: no such host"),
        (TimeoutError("timed out"), "net/http: request canceled while waiting for connection (Client.Timeout exceeded)"),
        (OSError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "tls: failed to verify certificate: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
        (OSError("something else"), "something else"),
    ],
)  # fmt: skip
def test_words(cause: BaseException, words: str) -> None:
    found = reach.words("http://localhost:8080/", "/version", caused(cause))
    assert found == f'Get "http://localhost:8080/version": {words}'


def test_what_the_server_says_is_told_as_it_is() -> None:
    assert reach.words("http://x", "/version", ApiError(401, "Unauthorized", "who are you")) == "who are you"


def test_the_check() -> None:
    api = FakeCluster()
    run(reach.check(api))  # type: ignore[arg-type]
    api.refuse("get", "/version", caused(ConnectionRefusedError(111, REFUSED)))
    with pytest.raises(HelmError) as caught:
        run(reach.check(api))  # type: ignore[arg-type]
    assert str(caught.value) == (
        'kubernetes cluster unreachable: Get "https://fake:6443/version": '
        "dial tcp 127.0.0.1:8080: connect: connection refused"
    )
