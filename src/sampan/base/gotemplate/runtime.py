"""What generated code calls: field access, checks of argument types, range, printing.

Every function here that can fail raises `EvalFault`; the line of generated code that called it names the node.
Two kinds of nil differ in Go's messages: an *invalid* value (the result of a pipeline) and a nil *interface* (an
element of a map or list). Helpers come in pairs where that matters.

Source of behaviour: Go 1.26 text/template/exec.go.
"""

from __future__ import annotations

from typing import Any, NoReturn

from sampan.base.gotemplate.errors import ArgumentFault, EvalFault
from sampan.base.gotemplate.gofmt import text
from sampan.base.gotemplate.gotypes import ANY, Func, Map, Struct, assignable, nilable, type_of, zero


def shown(value: Any) -> Any:
    """The text of an action's value."""
    if value is None:
        return "<no value>"
    if isinstance(value, Struct):
        said = value.shown()
        if said is not None:
            return said
    return text(value)


def fault(message: str) -> NoReturn:
    raise EvalFault(message)


# ---------------------------------------------------------------- fields


def field1(value: Any, a: str) -> Any:
    if isinstance(value, dict):
        return value.get(a)
    return walk(value, (a,), type_of(value))


def field2(value: Any, a: str, b: str) -> Any:
    if isinstance(value, dict):
        x = value.get(a)
        if isinstance(x, dict):
            return x.get(b)
    return walk(value, (a, b), type_of(value))


def field3(value: Any, a: str, b: str, c: str) -> Any:
    if isinstance(value, dict):
        x = value.get(a)
        if isinstance(x, dict):
            x = x.get(b)
            if isinstance(x, dict):
                return x.get(c)
    return walk(value, (a, b, c), type_of(value))


def field4(value: Any, a: str, b: str, c: str, d: str) -> Any:
    if isinstance(value, dict):
        x = value.get(a)
        if isinstance(x, dict):
            x = x.get(b)
            if isinstance(x, dict):
                x = x.get(c)
                if isinstance(x, dict):
                    return x.get(d)
    return walk(value, (a, b, c, d), type_of(value))


def fields(value: Any, *idents: str) -> Any:
    """A longer chain, or one that may hold a method's name."""
    return walk(value, idents, type_of(value))


def element_fields(value: Any, *idents: str) -> Any:
    """A chain on an element of a list or map: a nil there is a nil interface."""
    x = value
    for ident in idents:
        if type(x) is not dict:
            return walk(value, idents, ANY)
        x = x.get(ident)
    return x


def element_methods(value: Any, *idents: str) -> Any:
    return walk(value, idents, ANY)


def walk(value: Any, idents: tuple[str, ...], declared: str) -> Any:
    """Go's evalFieldChain. `declared` is the static type of the receiver, as error texts show it."""
    if value is None and declared == "<nil>":
        return None
    for ident in idents:
        value, declared = step(value, ident, declared)
    return value


def step(value: Any, ident: str, declared: str) -> tuple[Any, str]:
    """One field: its value and its declared type."""
    if value is None:
        raise EvalFault(f"nil pointer evaluating {declared}.{ident}")
    method = methods_of(value).get(ident)
    if method is not None:
        return invoke(method, value, ident, ()), method.result
    if isinstance(value, dict):
        return value.get(ident), getattr(value, "element", ANY)
    if isinstance(value, Struct) and ident in value.fields:
        found = getattr(value, ident)
        return found, type_of(found)
    raise EvalFault(f"can't evaluate field {ident} in type {declared}")


def methods_of(value: Any) -> dict[str, Func]:
    if isinstance(value, (Struct, Map)):
        return value.methods
    found: dict[str, Func] = getattr(value, "methods", {})
    return found


def invoke(method: Func, value: Any, name: str, args: tuple[Any, ...]) -> Any:
    """Call a method, its receiver bound."""
    count = len(method.params)
    if method.variadic:
        if len(args) < count - 1:
            raise EvalFault(f"wrong number of args for {name}: want at least {count - 1} got {len(args)}")
    elif len(args) != count:
        raise EvalFault(f"wrong number of args for {name}: want {count} got {len(args)}")
    checked = []
    for place, arg in enumerate(args):
        target = method.params[min(place, count - 1)]
        try:
            checked.append(check(arg, target))
        except EvalFault as problem:
            raise ArgumentFault(str(problem), place, target) from None
    return method.call(value, *checked)


def method_call(value: Any, declared: str | None, name: str, *args: Any) -> Any:
    """A field with arguments: it must be a method."""
    if declared is None:
        declared = type_of(value)
    if value is None:
        if declared == "<nil>":
            return None
        raise EvalFault(f"nil pointer evaluating {declared}.{name}")
    method = methods_of(value).get(name)
    if method is not None:
        return invoke(method, value, name, args)
    if isinstance(value, dict):
        raise EvalFault(f"{name} is not a method but has arguments")
    if isinstance(value, Struct) and name in value.fields:
        raise EvalFault(f"{name} has arguments but cannot be invoked as function")
    raise EvalFault(f"can't evaluate field {name} in type {declared}")


# ---------------------------------------------------------------- argument types


def check(value: Any, target: str) -> Any:
    """A value from a pipeline or a variable as an argument (validateType)."""
    if value is None:
        if nilable(target):
            return None if target in (ANY, "reflect.Value") else zero(target)
        raise EvalFault(f"invalid value; expected {target}")
    if assignable(value, target):
        return value
    raise EvalFault(f"wrong type for value; expected {target}; got {type_of(value)}")


def check_element(value: Any, target: str) -> Any:
    """A value from a field: a nil is a nil interface, and no other type takes it."""
    if value is None:
        raise EvalFault(f"wrong type for value; expected {target}; got interface {{}}")
    return check(value, target)


# ---------------------------------------------------------------- range


def range_one(value: Any) -> Any:
    """The elements that `range` visits, for at most one variable."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [value[k] for k in sorted(value)]
    if value is None:
        return ()
    if isinstance(value, bytes):
        from sampan.base.gotemplate.gotypes import Uint8

        return [Uint8(c) for c in value]
    if isinstance(value, int) and not isinstance(value, bool):
        kind = type(value)
        return range(value) if kind is int else [kind(i) for i in range(value)]
    raise EvalFault(f"range can't iterate over {text(value)}")


def range_two(value: Any) -> Any:
    """Pairs of index and element."""
    if isinstance(value, list):
        return list(enumerate(value))
    if isinstance(value, dict):
        return [(k, value[k]) for k in sorted(value)]
    if isinstance(value, int) and not isinstance(value, bool):
        raise EvalFault(f"can't use {text(value)} to iterate over more than one variable")
    return list(enumerate(range_one(value)))


# ---------------------------------------------------------------- builtins that see the kind of nil


def length(value: Any) -> int:
    from sampan.base.gotemplate.builtins import length as builtin

    return builtin(value)


def length_element(value: Any) -> int:
    from sampan.base.gotemplate.gotypes import GoError

    if value is None:
        raise GoError("len of nil pointer")
    return length(value)
