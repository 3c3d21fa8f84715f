"""Defaults of the built-in kinds: what the API server fills in before anything else looks at an object.

Here: `apply`, which brings an object into Go's shape and then sets the defaults of its kind in place; one module per
family of kinds, with upstream's SetDefaults functions under their own names. Not here: what needs other objects
(addresses, node ports, default classes, limits) and what a strategy fills in on create (generation, status).

Source: k8s.io/kubernetes v1.37.2 pkg/apis/*/*/defaults.go and zz_generated.defaults.go.
"""

from __future__ import annotations

from sampan.api.defaults.table import apply

__all__ = ["apply"]
