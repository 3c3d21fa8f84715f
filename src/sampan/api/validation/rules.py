"""Rules that fields of many kinds follow. Each yields Causes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sampan.api import quantity
from sampan.api.field import content, error
from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector
from sampan.api.status import Cause

Object = dict[str, Any]
Causes = Iterator[Cause]

NEGATIVE: Final = "must be greater than or equal to 0"
IMMUTABLE: Final = "field is immutable"
FILE_MODE: Final = "must be a number between 0 and 0777 (octal), both inclusive"
MAX_INT32: Final = 2**31 - 1
PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_HTTP_PATH: Final = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
_MAX_SIGNER: Final = 253 + 1 + 63 + 1 + 253  # a domain, a label and a subdomain


def text_rule(path: str, value: str, rule: content.Rule) -> Causes:
    yield from error.each_invalid(path, value, rule(value))


def nonnegative(path: str, value: Any) -> Causes:
    if value is not None and value < 0:
        yield error.invalid(path, value, NEGATIVE)


def nonnegatives(path: str, obj: Object, *names: str) -> Causes:
    for name in names:
        yield from nonnegative(error.child(path, name), obj.get(name))


def immutable(path: str, new: Any, old: Any) -> Causes:
    """Missing and empty count as equal."""
    if (new or None) != (old or None):
        yield error.invalid(path, new, IMMUTABLE)


def immutables(path: str, new: Object, old: Object, *names: str) -> Causes:
    for name in names:
        yield from immutable(error.child(path, name), new.get(name), old.get(name))


def one_of(path: str, value: Any, supported: Iterable[str], *, required: bool = True) -> Causes:
    if not value:
        if required:
            yield error.required(path)
    elif value not in supported:
        yield error.not_supported(path, value, supported)


def labels(path: str, found: Mapping[str, str] | None) -> Causes:
    for key, value in (found or {}).items():
        yield from text_rule(path, key, content.label_key)
        yield from text_rule(path, value, content.label_value)


def label_selector(path: str, selector: Object | None) -> Causes:
    if selector is None:
        return
    yield from labels(error.child(path, "matchLabels"), selector.get("matchLabels"))
    for place, expression in enumerate(selector.get("matchExpressions") or ()):
        at = error.index(error.child(path, "matchExpressions"), place)
        operator, values = expression.get("operator", ""), expression.get("values") or []
        if operator in ("In", "NotIn"):
            if not values:
                yield error.required(
                    error.child(at, "values"), "must be specified when `operator` is 'In' or 'NotIn'"
                )
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield error.forbidden(
                    error.child(at, "values"),
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                )
        else:
            yield error.invalid(error.child(at, "operator"), operator, "not a valid selector operator")
        yield from text_rule(error.child(at, "key"), expression.get("key", ""), content.label_key)
        for number, value in enumerate(values):
            yield from text_rule(error.index(error.child(at, "values"), number), value, content.label_value)


def compiled(selector: Object | None) -> Selector | None:
    """The selector as a predicate, or None where it is malformed."""
    try:
        return Selector.from_object(selector)
    except SelectorError:
        return None


def is_empty(selector: Object) -> bool:
    return not (selector.get("matchLabels") or selector.get("matchExpressions"))


def int_or_percent(path: str, value: Any) -> Causes:
    if isinstance(value, str):
        yield from text_rule(path, value, content.percent)
    elif value is not None:
        yield from nonnegative(path, value)


def at_most_whole(path: str, value: Any) -> Causes:
    percent = _percent(value)
    if percent is not None and percent > 100:
        yield error.invalid(path, value, "must not be greater than 100%")


def int_or_percent_value(value: Any) -> int:
    percent = _percent(value)
    if percent is not None:
        return percent
    return value if isinstance(value, int) else 0


def _percent(value: Any) -> int | None:
    return int(value[:-1]) if isinstance(value, str) and not content.percent(value) else None


def port_number_or_name(path: str, port: Any) -> Causes:
    if isinstance(port, str):
        yield from text_rule(path, port, content.port_name)
    else:
        yield from error.each_invalid(path, port or 0, content.port_number(port or 0))


def port_number(path: str, port: int) -> Causes:
    yield from error.each_invalid(path, port, content.port_number(port))


def amount(value: Any) -> quantity.Quantity | None:
    try:
        return quantity.parse(value)
    except quantity.QuantityError:
        return None


def quantity_value(path: str, value: Any, *, whole: bool = False, positive: bool = False) -> Causes:
    try:
        found = quantity.parse(value)
    except quantity.QuantityError as bad:
        yield error.invalid(path, value, str(bad))
        return
    if positive and found.nanos <= 0:
        yield error.invalid(path, str(found), "must be greater than zero")
    elif found.nanos < 0:
        yield error.invalid(path, str(found), NEGATIVE)
    if whole and found.milli_value % 1000:
        yield error.invalid(path, str(found), "must be an integer")


def no_backsteps(path: str, value: str) -> Causes:
    if ".." in value.split("/"):
        yield error.invalid(path, value, "must not contain '..'")


def descending_path(path: str, value: str) -> Causes:
    if value.startswith("/"):
        yield error.invalid(path, value, "must be a relative path")
    yield from no_backsteps(path, value)


def file_mode(path: str, mode: int | None) -> Causes:
    if mode is not None and not 0 <= mode <= 0o777:
        yield error.invalid(path, mode, FILE_MODE)


def ip_address(path: str, value: str) -> Causes:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        yield error.invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def cidr(path: str, value: str) -> Causes:
    try:
        found = ipaddress.ip_interface(value)
    except ValueError:
        found = None
    if found is None or "/" not in value:
        yield error.invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
    elif found.ip != found.network.network_address:
        yield error.invalid(path, value, "must not have bits set beyond the prefix length")


def domain_prefixed_path(path: str, value: str) -> Causes:
    """acme.io/foo: who manages a Job or an IngressClass."""
    host, _, rest = value.partition("/")
    if not value:
        yield error.required(path)
    elif not host or not rest:
        yield error.invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from text_rule(path, host, content.dns_subdomain)
        if _HTTP_PATH.fullmatch(rest) is None:
            yield error.invalid(path, rest, content.regex_error("Invalid path", _HTTP_PATH.pattern))


def signer_name(path: str, value: str) -> Causes:
    """example.com/signer-name."""
    if not value:
        yield error.required(path)
        return
    if value.count("/") != 1:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield error.invalid(path, value, text)
        return
    domain, rest = value.split("/")
    if len(domain) > content.MAX_SUBDOMAIN:
        yield error.too_long(path, content.MAX_SUBDOMAIN)
    yield from _first_wrong_label(path, domain, content.dns_label)
    if "." not in domain:
        yield error.invalid(path, domain, "should be a domain with at least two segments separated by dots")
    yield from _first_wrong_label(path, rest, content.dns_subdomain)
    if len(value) > _MAX_SIGNER:
        yield error.too_long(path, _MAX_SIGNER)


def _first_wrong_label(path: str, value: str, rule: content.Rule) -> Causes:
    for label in value.split("."):
        if wrong := rule(label):
            yield from error.each_invalid(
                path, value, [f"validating label {error.quote(label)}: {text}" for text in wrong]
            )
            return
