"""Validation of the built-in kinds beyond what their schemas say.

Here: `validate`, with upstream's field paths and messages, one module per family of kinds. Not here: types and unknown
fields (the schema's), what needs other objects (admission, allocators), custom resources' own rules. An object must have
been defaulted and prepared by its strategy before.

Source: k8s.io/kubernetes v1.37.2 pkg/apis/*/validation, k8s.io/apimachinery pkg/api/validation.
"""

from __future__ import annotations

from sampan.api.validation.table import validate

__all__ = ["validate"]
