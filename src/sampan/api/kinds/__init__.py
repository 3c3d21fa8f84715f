"""The built-in kinds: which resources there are, how they are named and what may be done to them.

`model` is one resource's description, `builtin` the table of Kubernetes 1.37. Custom resources make the same value from
their CRD. What may not be here: schemas, printing, behaviour.
"""

from sampan.api.kinds.model import GroupVersion, Resource, Subresource

__all__ = ["GroupVersion", "Resource", "Subresource"]
