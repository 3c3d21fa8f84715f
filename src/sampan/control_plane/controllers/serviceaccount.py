"""Every namespace has the ServiceAccount `default`. Behaviour: k8s.io/kubernetes pkg/controller/serviceaccount."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.control.controller import Context, Controller, Watch, own
from sampan.control.plan import Action, Create
from sampan.control.reconcile import DONE, Outcome, Retry

Object = dict[str, Any]

NAMESPACES: Final = kinds.of("v1", "Namespace")
SERVICE_ACCOUNTS: Final = kinds.of("v1", "ServiceAccount")
NAME: Final = "default"


class View(NamedTuple):
    namespace: Object
    account: Object | None


def plan(view: View) -> list[Action]:
    name = view.namespace["metadata"]["name"]
    if view.account is not None or (view.namespace.get("status") or {}).get("phase") == "Terminating":
        return []
    obj = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": name}}
    return [Create(SERVICE_ACCOUNTS, obj, name)]


async def reconcile(context: Context, key: str) -> Outcome:
    namespace = context.store(NAMESPACES).get(key)
    if namespace is None:
        return DONE
    applied = await context.execute.apply(
        plan(View(namespace, context.store(SERVICE_ACCOUNTS).find(key, NAME)))
    )
    if applied.error is None or applied.error.reason == "AlreadyExists" or applied.error.code == 403:
        return DONE  # somebody was faster, or the namespace ends; either way an event follows
    return Retry(applied.error)


def _of_account(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    if new is None and old is not None and old["metadata"]["name"] == NAME:
        return (old["metadata"]["namespace"],)
    return ()


CONTROLLER: Final = Controller(
    "serviceaccount-controller",
    (Watch(NAMESPACES, own), Watch(SERVICE_ACCOUNTS, _of_account)),
    reconcile,
    workers=2,
)
