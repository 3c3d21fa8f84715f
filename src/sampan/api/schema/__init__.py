"""Structural schemas: one shape for built-in types and for custom resources.

`model` is the shape; `builtin` reads the compact file that the build makes (hatch_build.py); `structural` makes the
same shape from a CRD's openAPIV3Schema and lists what is not structural in it; `check` walks an object (types, unknown
and missing fields); `prune` drops unknown fields and fills in defaults of custom resources; `openapi` writes OpenAPI v3.
What may not be here: validation of particular kinds, defaults that need more than the schema.
"""

from sampan.api.schema.builtin import definition, for_kind
from sampan.api.schema.model import UNSET, Schema

__all__ = ["UNSET", "Schema", "definition", "for_kind"]
