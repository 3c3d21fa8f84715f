"""What a write does to an object of each kind before it is validated and stored.

Here: pure functions, in place: what a create or an update through which path may set (status, spec, system metadata),
generations, Jobs' selectors, pods' first status, what Services keep. Not here: defaults (they come before), validation
(it comes after), what needs other objects (addresses, node ports, the user of a CertificateSigningRequest).

Source: k8s.io/kubernetes v1.37.2 pkg/registry/*/*/strategy.go, k8s.io/apiserver pkg/registry/rest/{create,update}.go.
"""

from __future__ import annotations

from sampan.api.strategy.prepare import prepare_create, prepare_update

__all__ = ["prepare_create", "prepare_update"]
