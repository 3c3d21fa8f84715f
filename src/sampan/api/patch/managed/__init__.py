"""Server-side apply: who owns which field.

Here: field sets as metadata.managedFields carries them (`fieldset`), types as ownership sees them (`types`), walks over
typed values (`comparing`, `merging`), the entries of managedFields (`entries`) and the two operations, `apply` and
`update`. Not here: defaults, validation, the decision whether a request is an apply.

Source: k8s.io/apimachinery v0.37.2 pkg/util/managedfields, sigs.k8s.io/structured-merge-diff v6.4.2.
"""

from __future__ import annotations

from sampan.api.patch.managed.applying import apply
from sampan.api.patch.managed.updating import update

__all__ = ["apply", "update"]
