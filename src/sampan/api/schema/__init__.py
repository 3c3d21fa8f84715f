"""Structural schemas: one shape for built-in types and for custom resources.

`model` is the shape, `builtin` reads the compact file that the build makes (hatch_build.py), `openapi` writes OpenAPI v3.
What may not be here: validation of particular kinds, defaults that need more than the schema.
"""
