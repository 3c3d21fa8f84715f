"""The rules of a kind, wherever they come from: types, defaults, strategy, validation, field ownership.

Built-in kinds have theirs in the object model, custom kinds in their definition; the write path asks here for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from sampan.api import defaults, strategy
from sampan.api.field import content
from sampan.api.patch import managed
from sampan.api.patch.plain import clone
from sampan.api.schema import check
from sampan.api.status import ApiError, Cause, bad_request, forbidden, invalid
from sampan.api.validation import metadata as metadata_rules
from sampan.api.validation import validate
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.crd import definition
from sampan.control_plane.apiserver.registry import metadata
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.pruning import drop_unknown

Object = dict[str, Any]

Grants = Callable[[User, str, str, Object, "Object | None"], None]
"""User, plural, namespace, new, old."""

SCHEME: Final = 'scheme "pkg/runtime/scheme.go:111"'  # which upstream names
RBAC: Final = "rbac.authorization.k8s.io"
REQUESTS: Final = ("certificates.k8s.io", "certificatesigningrequests")
CRD: Final = (definition.GROUP, definition.PLURAL)


class Rules:
    """`clock`: seconds since 1970, for the times of managed fields.

    grants: asked before a role or binding is written, whether its writer may give what it gives; raises ApiError 403.
    """

    def __init__(self, clock: Callable[[], float], grants: Grants | None = None) -> None:
        self._clock = clock
        self._grants = grants

    def copy(self, obj: Object) -> Object:
        return clone(obj)

    def default(self, call: Call, obj: Object) -> Object:
        resource = call.served.resource
        custom = call.served.custom
        if custom is not None:
            custom.default(obj)
        else:
            defaults.apply(resource.group, resource.version, resource.kind, obj)
            if call.served.key == CRD:
                definition.defaulted(obj)
        return obj

    # -- what clients send

    def admit_fields(self, call: Call, obj: Object, duplicates: tuple[str, ...] = ()) -> Object:
        """A decoded object, checked, with unknown fields dropped or refused as the client wishes, and defaults.

        Raises ApiError 400.
        """
        self._checked(call, obj, duplicates, lambda text: bad_request(_cannot_be_handled(call, text)))
        return self.default(call, obj)

    def admit_patched(self, call: Call, obj: Object) -> Object:
        """The same for what a patch makes of an object. Raises ApiError 422."""

        self._checked(call, obj, (), lambda text: bad_patch(obj, text))
        return self.default(call, obj)

    def check_kind(self, call: Call, obj: Object) -> None:
        """No patch makes another kind or version of an object. Raises ApiError 422."""
        resource = call.served.resource
        kind, version = obj["kind"], obj["apiVersion"]
        if kind == resource.kind and version == resource.api_version:
            return
        raise bad_patch(obj, f'no kind "{kind}" is registered for version "{version}" in {SCHEME}')

    def admit_configuration(self, call: Call, obj: Object, duplicates: Iterable[str] = ()) -> Object:
        """What is applied stays as it is, since it owns just what it names; apply itself knows the types.

        Raises ApiError 400 for fields that are there twice.
        """
        custom = call.served.custom
        if custom is not None and custom.warning:
            call.warnings.append(custom.warning)
        messages = check.strict_messages(obj, duplicates, ())
        if messages and call.field_validation == "Strict":
            raise bad_request(check.strict_error(messages))
        call.warnings += messages
        return obj

    def _checked(
        self, call: Call, obj: Object, duplicates: Iterable[str], refused: Callable[[str], ApiError]
    ) -> None:
        custom = call.served.custom
        if custom is not None:
            if custom.warning:
                call.warnings.append(custom.warning)
            unknown: Iterable[str] = custom.prune(obj)
        else:
            problems = check.check(call.served.schema, obj)
            if problems.error:
                raise refused(problems.error)
            unknown = problems.unknown
        messages: list[str] = []
        if call.field_validation != "Ignore":
            messages = check.strict_messages(obj, duplicates, unknown)
        if custom is None and unknown:
            drop_unknown(obj, call.served.schema)
        if messages and call.field_validation == "Strict":
            raise refused(check.strict_error(messages))
        call.warnings += messages

    # -- ownership

    def manage(self, call: Call, old: Object | None, obj: Object) -> Object:
        """The object with its managedFields after a write by the call's manager."""
        served = call.served
        return managed.update(
            old,
            obj,
            manager=call.manager,
            schema=served.schema,
            api_version=served.resource.api_version,
            subresource=call.subresource,
            now=metadata.timestamp(self._clock()),
            status_subresource=_has_status(call),
        )

    def apply(self, call: Call, old: Object | None, sent: Object, *, force: bool) -> Object:
        """Server-side apply, with defaults. Raises ApiError 409 on conflicts."""
        served = call.served
        result = managed.apply(
            old,
            sent,
            manager=call.manager,
            force=force,
            schema=served.schema,
            api_version=served.resource.api_version,
            subresource=call.subresource,
            now=metadata.timestamp(self._clock()),
            status_subresource=_has_status(call),
        )
        return self.default(call, clone(result))

    # -- strategy and validation

    def prepare_create(self, call: Call, obj: Object) -> Object:
        served = call.served
        if served.custom is not None and served.custom.terminating:
            why = "create not allowed while custom resource definition is terminating"
            raise forbidden(served.group, served.resource.plural, obj["metadata"].get("name", ""), why)
        strategy.prepare_create(served.stored.group, served.kind, obj, status_subresource=_has_status(call))
        if served.key == REQUESTS:
            _sign_request(obj, call.user)
        if served.key == CRD:
            call.warnings += definition.warnings(obj)
        return obj

    def prepare_update(self, call: Call, obj: Object, old: Object) -> Object:
        served = call.served
        strategy.prepare_update(
            served.stored.group,
            served.kind,
            obj,
            old,
            call.subresource,
            now=metadata.timestamp(self._clock()),
            status_subresource=_has_status(call),
        )
        if served.key == CRD and not call.subresource:
            call.warnings += definition.warnings(obj)
        return obj

    def validate(self, call: Call, obj: Object, old: Object | None) -> list[Cause]:
        """Everything that is wrong with an object that has been defaulted and prepared. Raises ApiError 403."""
        served = call.served
        if self._grants is not None and served.group == RBAC:
            self._grants(call.user, served.resource.plural, call.namespace, obj, old)
        resource = served.resource
        if served.custom is None:
            found = list(
                validate(resource.group, resource.version, resource.kind, obj, old, call.subresource)
            )
            if served.key == CRD and not call.subresource:
                found += definition.violations(obj, old)
            return list(dict.fromkeys(found))
        found = list(
            metadata_rules.validate(obj["metadata"], content.dns_subdomain, namespaced=resource.namespaced)
        )
        if old is not None:
            found += metadata_rules.validate_update(obj["metadata"], old["metadata"], built_in=False)
        return found + served.custom.validate(obj, old)


def bad_patch(obj: Object, why: str) -> ApiError:
    """What a patch has made of an object is none. Upstream shows the whole patched object as one quoted string."""
    shown = orjson.dumps(orjson.dumps(obj).decode()).decode()
    return invalid("", "", "", [Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", "patch")])


def _sign_request(obj: Object, user: User) -> None:
    """Who asks for a certificate is what the server knows, not what the request says."""
    spec = obj.setdefault("spec", {})
    for field in ("username", "uid", "groups", "extra"):
        spec.pop(field, None)
    info = user.to_dict()
    spec.update(info)


def _has_status(call: Call) -> bool:
    return any(sub.name == "status" for sub in call.served.resource.subresources)


def _cannot_be_handled(call: Call, text: str) -> str:
    resource = call.served.resource
    return f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {text}'
