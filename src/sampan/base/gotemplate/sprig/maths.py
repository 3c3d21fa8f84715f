"""Numbers: integer arithmetic of 64 bits, decimal arithmetic on floats, rounding, sequences.

Source of behaviour: sprig 3.3 numeric.go, shopspring/decimal 1.4 (16 digits after the point in divisions).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from sampan.base.gotemplate.gofmt import text
from sampan.base.gotemplate.gotypes import GoPanic, Int64, Ints
from sampan.base.gotemplate.sprig.cast import to_float, to_int, wrap64
from sampan.base.gotemplate.strconv import format_float, parse_int

_CONTEXT = Context(prec=400)
_MAX_SEQUENCE = 10_000_000  # a longer one exhausts memory; Go would be killed by it


def int_(value: Any) -> int:
    return to_int(value)


def int64(value: Any) -> Int64:
    return Int64(to_int(value))


def add(*values: Any) -> Int64:
    return Int64(wrap64(sum(map(to_int, values))))


def add1(value: Any) -> Int64:
    return Int64(wrap64(to_int(value) + 1))


def sub(a: Any, b: Any) -> Int64:
    return Int64(wrap64(to_int(a) - to_int(b)))


def mul(a: Any, *others: Any) -> Int64:
    product = to_int(a)
    for other in others:
        product = wrap64(product * to_int(other))
    return Int64(product)


def div(a: Any, b: Any) -> Int64:
    x, y = to_int(a), to_int(b)
    if y == 0:
        raise GoPanic("runtime error: integer divide by zero")
    return Int64(wrap64(abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)))


def mod(a: Any, b: Any) -> Int64:
    x, y = to_int(a), to_int(b)
    if y == 0:
        raise GoPanic("runtime error: integer divide by zero")
    rest = abs(x) % abs(y)
    return Int64(-rest if x < 0 else rest)


def max_(a: Any, *others: Any) -> Int64:
    return Int64(max(to_int(a), *map(to_int, others))) if others else Int64(to_int(a))


def min_(a: Any, *others: Any) -> Int64:
    return Int64(min(to_int(a), *map(to_int, others))) if others else Int64(to_int(a))


def maxf(a: Any, *others: Any) -> float:
    numbers = [to_float(a), *map(to_float, others)]
    return math.nan if any(map(math.isnan, numbers)) else max(numbers)


def minf(a: Any, *others: Any) -> float:
    numbers = [to_float(a), *map(to_float, others)]
    return math.nan if any(map(math.isnan, numbers)) else min(numbers)


def _whole(value: float, how: Callable[[float], int]) -> float:
    return value if math.isinf(value) or math.isnan(value) else math.copysign(float(how(value)), value)


def floor(value: Any) -> float:
    return _whole(to_float(value), math.floor)


def ceil(value: Any) -> float:
    return _whole(to_float(value), math.ceil)


def round_(value: Any, places: int, *options: float) -> float:
    half = options[0] if options else 0.5
    power = math.pow(10, places) if abs(places) < 300 else math.inf
    digit = power * to_float(value)
    if math.isinf(digit) or math.isnan(digit):
        return digit / power
    fraction = math.modf(digit)[0]
    whole = _whole(digit, math.ceil) if fraction >= half else _whole(digit, math.floor)
    return whole / power if power else math.nan


def to_decimal(value: Any) -> Int64:
    return Int64(parse_int(text(value), 8) or 0)


def _decimal(value: Any) -> Decimal:
    number = to_float(value)
    if math.isnan(number) or math.isinf(number):
        word = "NaN" if math.isnan(number) else "+Inf" if number > 0 else "-Inf"
        raise GoPanic(f"Cannot create a Decimal from {word}")
    return Decimal(format_float(number))


def _fold(first: Any, others: tuple[Any, ...], operation: Callable[[Decimal, Decimal], Decimal]) -> float:
    result = _decimal(first)
    for other in others:
        result = operation(result, _decimal(other))
    return float(result)


def addf(*values: Any) -> float:
    return _fold(0.0, values, _CONTEXT.add)


def add1f(value: Any) -> float:
    return _fold(value, (1,), _CONTEXT.add)


def subf(a: Any, *others: Any) -> float:
    return _fold(a, others, _CONTEXT.subtract)


def mulf(a: Any, *others: Any) -> float:
    return _fold(a, others, _CONTEXT.multiply)


def divf(a: Any, *others: Any) -> float:
    return _fold(a, others, _divide)


def _divide(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise GoPanic("decimal division by 0")
    return _CONTEXT.divide(a, b).quantize(Decimal(1).scaleb(-16), ROUND_HALF_UP, _CONTEXT)


def until(count: int) -> Ints:
    return until_step(0, count, -1 if count < 0 else 1)


def until_step(start: int, stop: int, step: int) -> Ints:
    if (stop < start and step >= 0) or (stop >= start and step <= 0):
        return Ints()
    numbers = range(start, stop, step)
    if len(numbers) > _MAX_SEQUENCE:
        raise GoPanic(f"sequence of {len(numbers)} numbers is longer than {_MAX_SEQUENCE}")
    return Ints(numbers)


def seq(*params: int) -> str:
    if len(params) == 1:
        end = params[0]
        step = -1 if end < 1 else 1
        return _joined(until_step(1, end + step, step))
    if len(params) == 2:
        start, end = params
        step = -1 if end < start else 1
        return _joined(until_step(start, end + step, step))
    if len(params) == 3:
        start, step, end = params
        if end < start and step > 0:
            return ""
        return _joined(until_step(start, end + (-1 if end < start else 1), step))
    return ""


def _joined(numbers: Ints) -> str:
    return " ".join(map(str, numbers))


def rand_int(low: int, high: int) -> int:
    if high <= low:
        raise GoPanic("invalid argument to Intn")
    return random.randrange(low, high)  # noqa: S311  (sprig uses math/rand here)
