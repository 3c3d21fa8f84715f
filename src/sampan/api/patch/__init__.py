"""Patches of plain JSON documents: pure functions from document and patch to a new document.

Here: `json_patch` (RFC 6902), `merge` (RFC 7396 and its three-way form), `strategic` (Kubernetes' strategic merge
patch, applied and computed), `managed` (server-side apply and field ownership), `plain` (copy and equality of JSON).
No function changes what it is given. Not here: decoding, HTTP media types, defaults, validation, storage.

Behaviour: k8s.io/apimachinery v0.37.2 pkg/util/{strategicpatch,jsonmergepatch,managedfields},
sigs.k8s.io/structured-merge-diff v6.4.2, gopkg.in/evanphx/json-patch.v4 v4.13.0.
"""

from __future__ import annotations

from sampan.api.patch.error import PatchError

__all__ = ["PatchError"]
