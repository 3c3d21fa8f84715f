"""Tables: what `kubectl get` shows of an object, as kube-apiserver 1.37 answers it (meta.k8s.io/v1 Table).

One module a family of kinds, each with its PRINTERS; `custom` for CRD printer columns over `jsonpath`; `duration` for
ages. What may not be here: HTTP, the Table envelope's list metadata, anything that looks an object up.
Source: k8s.io/kubernetes v1.37.2 pkg/printers/internalversion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sampan.api.kinds import BUILT_IN, Resource
from sampan.api.table import cluster, custom, extension, network, storage, workloads
from sampan.api.table.duration import human
from sampan.api.table.jsonpath import PathError
from sampan.api.table.model import Column, Object, Printer, columns, name, text

__all__ = ["Column", "PathError", "Printer", "human", "printer"]

_PRINTERS: Final = {
    **workloads.PRINTERS,
    **network.PRINTERS,
    **storage.PRINTERS,
    **cluster.PRINTERS,
    **extension.PRINTERS,
}
_BUILT_IN: Final = frozenset((one.group, one.plural) for one in BUILT_IN)


def _default(found: Object, now: float) -> list[Any]:
    return [name(found), text(found, "metadata", "creationTimestamp")]


_DEFAULT: Final = Printer(columns("Name", "Created At:date"), _default)


def printer(resource: Resource, additional: Sequence[Mapping[str, Any]] = ()) -> Printer:
    """The printer of a resource; `additional` are a CRD version's additionalPrinterColumns.

    Raises PathError for a column whose JSONPath cannot be read.
    """
    key = (resource.group, resource.plural)
    if key in _BUILT_IN:
        return _PRINTERS.get(key, _DEFAULT)
    return custom.printer(additional)
