"""The exception of the container runtime interface: a gRPC status code by name and a message."""

from __future__ import annotations

from typing import Literal

Code = Literal[
    "Cancelled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
]


class Error(Exception):
    """Callers tell failures apart by `code` (gRPC's names), never by the text of `message`.

    `reason` names a finer cause where the kubelet has a word for one: ErrImagePull's relatives
    (RegistryUnavailable, SignatureValidationFailed), RunContainerError and the like; mostly "".
    """

    def __init__(self, code: Code, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.reason = reason

    def __repr__(self) -> str:
        return f"cri.Error({self.code!r}, {self.message!r})"
