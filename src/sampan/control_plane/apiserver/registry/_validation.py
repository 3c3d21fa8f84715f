"""Stands in until the validation room is whole."""

from __future__ import annotations

from typing import Any

try:
    from sampan.api.validation import metadata as metadata_rules
    from sampan.api.validation import validate
except ImportError:

    class metadata_rules:  # type: ignore[no-redef]  # noqa: N801
        @staticmethod
        def validate(*a: Any, **k: Any) -> list[Any]:
            return []

        validate_update = validate

    def validate(*a: Any, **k: Any) -> list[Any]:  # type: ignore[misc]
        return []
