"""Every namespace has the ConfigMap `kube-root-ca.crt` by which pods trust the API server.

Behaviour: k8s.io/kubernetes pkg/controller/certificates/rootcacertpublisher.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.plan import Action, Create, Update
from sampan.control.reconcile import DONE, Outcome, Retry
from sampan.control_plane.controllers.serviceaccount import NAMESPACES

Object = dict[str, Any]

CONFIG_MAPS: Final = kinds.of("v1", "ConfigMap")
NAME: Final = "kube-root-ca.crt"
DESCRIPTION: Final = "kubernetes.io/description"
TEXT: Final = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class View(NamedTuple):
    namespace: Object
    config_map: Object | None
    ca: str


def plan(view: View) -> list[Action]:
    name = view.namespace["metadata"]["name"]
    if (view.namespace.get("status") or {}).get("phase") == "Terminating":
        return []
    data = {"ca.crt": view.ca}
    if view.config_map is None:
        meta = {"name": NAME, "namespace": name, "annotations": {DESCRIPTION: TEXT}}
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
        return [Create(CONFIG_MAPS, obj, name)]
    if view.config_map.get("data") == data:
        return []
    meta = view.config_map["metadata"]
    annotations = {**(meta.get("annotations") or {}), DESCRIPTION: TEXT}
    return [
        Update(CONFIG_MAPS, view.config_map | {"data": data, "metadata": meta | {"annotations": annotations}})
    ]


async def reconcile(context: Context, key: str) -> Outcome:
    namespace = context.store(NAMESPACES).get(key)
    if namespace is None or not context.config.ca:
        return DONE
    view = View(namespace, context.store(CONFIG_MAPS).find(key, NAME), context.config.ca)
    applied = await context.execute.apply(plan(view))
    if applied.error is None or applied.error.reason == "AlreadyExists" or applied.error.code == 403:
        return DONE
    return Retry(applied.error)


def _of_config_map(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    obj = new or old
    if obj is not None and obj["metadata"]["name"] == NAME:
        return (obj["metadata"]["namespace"],)
    return ()


CONTROLLER: Final = Controller(
    "root-ca-certificate-publisher-controller",
    (Watch(NAMESPACES, own), Watch(CONFIG_MAPS, _of_config_map)),
    reconcile,
    workers=2,
)
