"""Kubernetes' strategic merge patch: a merge patch that knows lists keyed by a field.

Here: `apply` (what the API server does with a patch) and `two_way` and `three_way` (what clients compute). The
directives are $patch: replace|delete|merge, $setElementOrder/F, $deleteFromPrimitiveList/F and $retainKeys; merge
keys and strategies come from the Schema. Not here: the plain merge patch for kinds without a Schema.

Source: k8s.io/apimachinery v0.37.2 pkg/util/strategicpatch/patch.go.
"""

from __future__ import annotations

from sampan.api.patch.strategic.diffing import three_way, two_way
from sampan.api.patch.strategic.merging import apply

__all__ = ["apply", "three_way", "two_way"]
