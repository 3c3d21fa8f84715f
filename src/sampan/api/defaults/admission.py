"""Defaults of webhook configurations and admission policies. Source: pkg/apis/admissionregistration/v1/defaults.go."""

from __future__ import annotations

from typing import Final

from sampan.api.defaults.setting import Object, child, items, unset

_WEBHOOK_SECONDS: Final = 10


def _webhook(webhook: Object) -> None:
    unset(webhook, failurePolicy="Fail", matchPolicy="Equivalent", timeoutSeconds=_WEBHOOK_SECONDS)
    child(webhook, "namespaceSelector")
    child(webhook, "objectSelector")
    for rule in items(webhook, "rules"):
        unset(rule, scope="*")
    reference = (webhook.get("clientConfig") or {}).get("service")
    if reference is not None:
        unset(reference, port=443)


def validating_webhooks(obj: Object) -> None:
    for webhook in items(obj, "webhooks"):
        _webhook(webhook)


def mutating_webhooks(obj: Object) -> None:
    for webhook in items(obj, "webhooks"):
        _webhook(webhook)
        unset(webhook, reinvocationPolicy="Never")


def _match_resources(found: Object | None) -> None:
    if found is None:
        return
    unset(found, matchPolicy="Equivalent")
    child(found, "namespaceSelector")
    child(found, "objectSelector")
    for name in ("resourceRules", "excludeResourceRules"):
        for rule in items(found, name):
            unset(rule, scope="*")


def policy(obj: Object) -> None:
    spec = child(obj, "spec")
    unset(spec, failurePolicy="Fail")
    _match_resources(spec.get("matchConstraints"))


def policy_binding(obj: Object) -> None:
    _match_resources(child(obj, "spec").get("matchResources"))
