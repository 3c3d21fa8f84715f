"""The error of every patch algorithm: an ApiError whose code the API server answers with as it is."""

from __future__ import annotations

from typing import Final

from sampan.api.status import ApiError

_REASONS: Final = {400: "BadRequest", 413: "RequestEntityTooLarge", 422: "Invalid"}


class PatchError(ApiError):
    """A patch that is malformed (400), too long (413) or does not fit the document (422)."""

    def __init__(self, message: str, code: int = 422) -> None:
        super().__init__(code, _REASONS.get(code, ""), message)
