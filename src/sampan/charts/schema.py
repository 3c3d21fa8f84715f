"""values.schema.json: JSON Schema drafts 4, 6, 7, 2019-09 and 2020-12, with the messages of Helm's validator.

Source of behaviour: santhosh-tekuri/jsonschema 6.0 (validator.go, kind/kind.go, output.go) and helm 4.3
pkg/chart/common/util/jsonschema.go. Where the library walks a Go map in random order, names are sorted here.

Not here: checking the schema itself against its metaschema; `$vocabulary`. A `$ref` to another document is refused by
name unless a `fetch` for it is given.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any
from urllib.parse import unquote, urljoin

from sampan.base.gotemplate import gojson
from sampan.base.gotemplate.gotypes import GoError, type_of
from sampan.base.gotemplate.re2 import regex
from sampan.base.gotemplate.strconv import quote
from sampan.charts.complaints import Problem, display, grouped, number_text, quoted, ungrouped
from sampan.charts.errors import SchemaError
from sampan.charts.formats import FORMATS
from sampan.charts.model import Chart

Fetch = Callable[[str], bytes]

ROOT = "file:///values.schema.json"
_DRAFTS = {
    "json-schema.org/schema": 2020,
    "json-schema.org/draft/2020-12/schema": 2020,
    "json-schema.org/draft/2019-09/schema": 2019,
    "json-schema.org/draft-07/schema": 7,
    "json-schema.org/draft-06/schema": 6,
    "json-schema.org/draft-04/schema": 4,
}
_MAX_DEPTH = 400


def validate_chart(chart: Chart, values: dict[str, Any], fetch: Fetch | None = None) -> None:
    """Check the values of a chart and of the charts in it. Raises SchemaError with Helm's whole text."""
    found = "".join(_complaints(chart, values, fetch))
    if found:
        raise SchemaError(
            f"values don't meet the specifications of the schema(s) in the following chart(s):\n{found}"
        )


def _complaints(chart: Chart, values: dict[str, Any], fetch: Fetch | None) -> Iterator[str]:
    if chart.schema is not None:
        complaint = check(values, chart.schema, fetch)
        if complaint:
            yield f"{chart.name}:\n{complaint}"
    for child in chart.dependencies:
        inner = values.get(child.name)
        if inner is None:
            continue
        if not isinstance(inner, dict):
            yield f"{child.name}:\ninvalid type for values: expected object (map), got {type_of(inner)}\n"
            continue
        yield from _complaints(child, inner, fetch)


def check(values: Any, schema: bytes, fetch: Fetch | None = None) -> str:
    """What is wrong with the values, or with the schema; empty when all is well."""
    try:
        document = gojson.loads(schema.decode("utf-8", "surrogateescape"))
    except gojson.JSONError as problem:
        return str(problem)
    try:
        errors = Validator(document, fetch).validate(values)
    except _BadSchema as problem:
        return str(problem)
    return "".join(e.show(0) for e in errors).removeprefix("\n") + "\n" if errors else ""


class _BadSchema(Exception):
    """The schema cannot be used."""


_TYPE_ORDER = ("null", "boolean", "number", "integer", "string", "array", "object")


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return Fraction(a) == Fraction(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return len(a) == len(b) and all(k in b and _equal(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return type(a) is type(b) and bool(a == b)


class _Resource:
    """A schema document or an embedded one: its base URL, its draft, its anchors."""

    def __init__(self, url: str, document: Any, draft: int) -> None:
        self.url, self.document, self.draft = url, document, draft
        self.anchors: dict[str, Any] = {}


class Validator:
    """Validates against one document. Subschemas are interpreted in place; their resource is found by identity."""

    def __init__(self, document: Any, fetch: Fetch | None = None) -> None:
        self.fetch = fetch
        self.resources: dict[str, _Resource] = {}
        self.owner: dict[int, _Resource] = {}
        self.keep: list[Any] = []
        self.patterns: dict[str, regex.Regex] = {}
        self.root = self.add(ROOT, document, 2020)

    def add(self, url: str, document: Any, draft: int) -> _Resource:
        resource = _Resource(url, document, self.draft_of(document, draft))
        self.resources[url] = resource
        self.keep.append(document)
        self.scan(document, resource, True)
        return resource

    def draft_of(self, document: Any, draft: int) -> int:
        name = document.get("$schema") if isinstance(document, dict) else None
        if not isinstance(name, str):
            return draft
        short = name.partition("#")[0].removeprefix("http://").removeprefix("https://")
        known = _DRAFTS.get(short)
        if known is None:
            if self.fetch is None:
                raise _BadSchema(f"failing loading {quote(name)}: schemas of other drafts are not fetched")
            return draft
        return known

    def scan(self, node: Any, resource: _Resource, top: bool) -> None:
        """Find embedded resources and anchors."""
        if isinstance(node, list):
            for item in node:
                self.scan(item, resource, False)
            return
        if not isinstance(node, dict):
            return
        key = "id" if resource.draft == 4 else "$id"
        name = node.get(key)
        if isinstance(name, str) and not (resource.draft < 2019 and "$ref" in node):
            base, _, anchor = name.partition("#")
            if base:
                url = urljoin(resource.url, base)
                if top:
                    resource.url = url
                    self.resources[url] = resource
                else:
                    inner = _Resource(url, node, self.draft_of(node, resource.draft))
                    self.resources[url] = resource = inner
            if anchor and resource.draft < 2019:
                resource.anchors[anchor] = node
        for word in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(word), str):
                resource.anchors[node[word]] = node
        self.owner[id(node)] = resource
        for word, item in node.items():
            if word not in ("enum", "const", "default", "examples"):
                self.scan(item, resource, False)

    # ------------------------------------------------------------ references

    def resolve(self, reference: str, resource: _Resource) -> tuple[Any, str]:
        """The subschema that a reference names, and its absolute URL. Raises _BadSchema."""
        whole = urljoin(resource.url, reference) if reference else resource.url
        url, _, fragment = whole.partition("#")
        target = self.resources.get(url)
        if target is None:
            target = self.remote(url)
        fragment = unquote(fragment)
        if not fragment:
            return target.document, url + "#"
        if not fragment.startswith("/"):
            if fragment not in target.anchors:
                raise _BadSchema(f"anchor {quote(fragment)} not found in {quote(url)}")
            return target.anchors[fragment], f"{url}#{fragment}"
        node = target.document
        for part in fragment[1:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and key in node:
                node = node[key]
            elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            else:
                raise _BadSchema(f"json-pointer in {quote(f'{url}#{fragment}')} not found")
        return node, f"{url}#{fragment}"

    def remote(self, url: str) -> _Resource:
        if self.fetch is None:
            raise _BadSchema(f"failing loading {quote(url)}: references to other documents are not fetched")
        try:
            document = gojson.loads(self.fetch(url).decode())
        except (OSError, ValueError, GoError) as problem:
            raise _BadSchema(f"failing loading {quote(url)}: {problem}") from None
        return self.add(url, document, 2020)

    def pattern(self, text: str) -> regex.Regex:
        found = self.patterns.get(text)
        if found is None:
            try:
                found = self.patterns[text] = regex.compile(text)
            except GoError as problem:
                raise _BadSchema(f"invalid regex {quote(text)}: {problem}") from None
        return found

    # ------------------------------------------------------------ validation

    def validate(self, values: Any) -> list[Problem]:
        """The problems of a document, empty when it is valid."""
        return ungrouped(_Run(self, self.root.document, values, (), self.root, 0, []).run())


class _Run:
    """One value against one subschema."""

    def __init__(
        self,
        owner: Validator,
        schema: Any,
        value: Any,
        path: tuple[str, ...],
        resource: _Resource,
        depth: int,
        scope: list[_Resource],
    ) -> None:
        if depth > _MAX_DEPTH:
            raise _BadSchema("schema references nest too deeply")
        self.owner, self.schema, self.value, self.path, self.depth = owner, schema, value, path, depth
        self.resource = owner.owner.get(id(schema), resource) if isinstance(schema, dict) else resource
        self.scope = scope if scope and scope[-1] is self.resource else [*scope, self.resource]
        self.draft = self.resource.draft
        self.problems: list[Problem] = []
        self.seen: set[str] = set()  # properties that some keyword looked at
        self.seen_items: set[int] = set()

    def below(self, schema: Any, value: Any, *path: str) -> _Run:
        return _Run(self.owner, schema, value, self.path + path, self.resource, self.depth + 1, self.scope)

    def add(self, message: str, causes: list[Problem] | None = None) -> None:
        self.problems.append(Problem(self.path, message, causes))

    def run(self) -> list[Problem]:
        if self.schema is True:
            self.all_seen()
            return []
        if self.schema is False:
            return [Problem(self.path, "false schema")]
        if not isinstance(self.schema, dict):
            return []
        schema: dict[str, Any] = self.schema
        if "$ref" in schema and self.draft < 2019:
            self.reference(schema["$ref"])
            return self.problems
        if not self.fixed(schema):
            return self.problems
        if isinstance(schema.get("$ref"), str):
            self.reference(schema["$ref"])
        value = self.value
        if isinstance(value, dict):
            self.object(schema, value)
        elif isinstance(value, list):
            self.array(schema, value)
        elif isinstance(value, str):
            self.string(schema, value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.number(schema, Fraction(value))
        if self.draft >= 2019:
            for word in ("$recursiveRef", "$dynamicRef"):
                if isinstance(schema.get(word), str):
                    self.dynamic(schema[word])
        self.conditions(schema)
        if self.draft >= 2019:
            self.unevaluated(schema)
        return self.problems

    def all_seen(self) -> None:
        if isinstance(self.value, dict):
            self.seen |= set(self.value)
        elif isinstance(self.value, list):
            self.seen_items |= set(range(len(self.value)))

    def fixed(self, schema: dict[str, Any]) -> bool:
        """type, const, enum, format: the first that fails ends the check."""
        value = self.value
        types = schema.get("type")
        if types is not None:
            wanted = [types] if isinstance(types, str) else [t for t in types if isinstance(t, str)]
            got = _json_type(value)
            whole = got == "number" and Fraction(value).denominator == 1
            if wanted and got not in wanted and not (whole and "integer" in wanted):
                order = [t for t in _TYPE_ORDER if t in wanted]
                self.add(f"got {got}, want {' or '.join(order)}")
                return False
        if "const" in schema and self.draft >= 6 and not _equal(value, schema["const"]):
            complex_ = isinstance(schema["const"], (list, dict))
            self.add("'const' failed" if complex_ else f"value must be {display(schema['const'])}")
            return False
        choices = schema.get("enum")
        if isinstance(choices, list) and not any(_equal(value, c) for c in choices):
            self.add(self.enum_message(choices))
            return False
        return self.format(schema)

    @staticmethod
    def enum_message(choices: list[Any]) -> str:
        if any(isinstance(c, (list, dict)) for c in choices):
            return "'enum' failed"
        if len(choices) == 1:
            return f"value must be {display(choices[0])}"
        return "value must be one of " + ", ".join(map(display, choices))

    def format(self, schema: dict[str, Any]) -> bool:
        name = schema.get("format")
        if not isinstance(name, str) or self.draft >= 2019 or not isinstance(self.value, str):
            return True
        complaint: str | None = None
        if name == "regex":
            try:
                regex.compile(self.value)
            except GoError as problem:
                complaint = str(problem)
        elif name in FORMATS:
            complaint = FORMATS[name](self.value)
        if complaint is None:
            return True
        self.add(f"{quoted(self.value)} is not valid {name}: {complaint}")
        return False

    # ------------------------------------------------------------ references

    def reference(self, name: Any) -> None:
        if not isinstance(name, str):
            return
        target, _ = self.owner.resolve(name, self.resource)
        self.follow(target)

    def follow(self, target: Any) -> None:
        run = self.below(target, self.value)
        found = run.run()
        if found:
            problem = Problem(self.path, "validation failed", ungrouped(found))
            problem.hidden = True
            self.problems.append(problem)
        else:
            self.take(run)

    def dynamic(self, name: str) -> None:
        target, _ = self.owner.resolve(name, self.resource)
        anchor = name.rpartition("#")[2]
        if name == "#" and isinstance(target, dict) and target.get("$recursiveAnchor") is True:
            for resource in self.scope:
                if isinstance(resource.document, dict) and resource.document.get("$recursiveAnchor") is True:
                    target = resource.document
                    break
        elif isinstance(target, dict) and anchor and target.get("$dynamicAnchor") == anchor:
            for resource in self.scope:
                if anchor in resource.anchors and "$dynamicAnchor" in resource.anchors[anchor]:
                    target = resource.anchors[anchor]
                    break
        self.follow(target)

    def take(self, run: _Run) -> None:
        """What an applied subschema has looked at."""
        self.seen |= run.seen
        self.seen_items |= run.seen_items

    # ------------------------------------------------------------ objects

    def object(self, schema: dict[str, Any], value: dict[str, Any]) -> None:
        least, most = _int(schema, "minProperties"), _int(schema, "maxProperties")
        if least is not None and len(value) < least:
            self.add(f"minProperties: got {len(value):,}, want {least:,}")
        if most is not None and len(value) > most:
            self.add(f"maxProperties: got {len(value):,}, want {most:,}")
        required = schema.get("required")
        if isinstance(required, list):
            missing = [n for n in required if isinstance(n, str) and n not in value]
            if missing:
                word = "property" if len(missing) == 1 else "properties"
                self.add(f"missing {word} {', '.join(map(quoted, missing))}")
        self.depends(schema.get("dependencies"), value)
        self.properties(schema, value)
        if self.draft >= 6 and "propertyNames" in schema:
            for name in sorted(value):
                run = self.below(schema["propertyNames"], name)
                run.path = ()
                found = run.run()
                if found:
                    self.add(f"invalid propertyName {quoted(name)}", ungrouped(found))
        if self.draft >= 2019:
            self.depends(schema.get("dependentSchemas"), value)
            self.depends(schema.get("dependentRequired"), value)

    def depends(self, rules: Any, value: dict[str, Any]) -> None:
        if not isinstance(rules, dict):
            return
        for name in sorted(rules):
            if name not in value:
                continue
            rule = rules[name]
            if isinstance(rule, list):
                missing = [n for n in rule if isinstance(n, str) and n not in value]
                if missing:
                    self.add(
                        f"properties {', '.join(map(quoted, missing))} required, if {quoted(name)} exists"
                    )
            else:
                self.apply(rule)

    def properties(self, schema: dict[str, Any], value: dict[str, Any]) -> None:
        known = schema.get("properties")
        known = known if isinstance(known, dict) else {}
        patterns = schema.get("patternProperties")
        patterns = patterns if isinstance(patterns, dict) else {}
        tests = [(self.owner.pattern(p), patterns[p]) for p in sorted(patterns)]
        has_rest = "additionalProperties" in schema
        extra: list[str] = []
        for name in sorted(value):
            item = value[name]
            looked = False
            if name in known:
                looked = True
                self.problems += grouped(self.below(known[name], item, name).run(), self.path, name)
            for test, inner in tests:
                if test.match(name):
                    looked = True
                    self.problems += grouped(self.below(inner, item, name).run(), self.path, name)
            if not looked and has_rest:
                looked = True
                rest = schema["additionalProperties"]
                if rest is False:
                    extra.append(name)
                elif isinstance(rest, dict):
                    self.problems += grouped(self.below(rest, item, name).run(), self.path, name)
            if looked:
                self.seen.add(name)
        if extra:
            self.add(f"additional properties {', '.join(map(quoted, extra))} not allowed")

    # ------------------------------------------------------------ arrays

    def array(self, schema: dict[str, Any], value: list[Any]) -> None:
        least, most = _int(schema, "minItems"), _int(schema, "maxItems")
        if least is not None and len(value) < least:
            self.add(f"minItems: got {len(value):,}, want {least:,}")
        if most is not None and len(value) > most:
            self.add(f"maxItems: got {len(value):,}, want {most:,}")
        if schema.get("uniqueItems") is True:
            self.unique(value)
        if self.draft >= 2020:
            prefix = schema.get("prefixItems")
            first = prefix if isinstance(prefix, list) else []
            rest: Any = schema.get("items")
        else:
            items = schema.get("items")
            first = items if isinstance(items, list) else []
            rest = schema.get("additionalItems") if isinstance(items, list) else items
        count = min(len(first), len(value))
        for place in range(count):
            self.item(first[place], value, place)
        if rest is False and self.draft < 2020 and isinstance(schema.get("items"), list):
            if len(value) > count:
                self.add(f"last {len(value) - count:,} additionalItem(s) not allowed")
            self.seen_items |= set(range(len(value)))
        elif rest is not None:
            for place in range(count, len(value)):
                self.item(rest, value, place)
        if "contains" in schema and self.draft >= 6:
            self.contains(schema, value)

    def item(self, schema: Any, value: list[Any], place: int) -> None:
        self.seen_items.add(place)
        self.problems += grouped(self.below(schema, value[place], str(place)).run(), self.path, str(place))

    def unique(self, value: list[Any]) -> None:
        for later in range(1, len(value)):
            for earlier in range(later):
                if _equal(value[later], value[earlier]):
                    self.add(f"items at {earlier:,} and {later:,} are equal")
                    return

    def contains(self, schema: dict[str, Any], value: list[Any]) -> None:
        matched: list[int] = []
        causes: list[Problem] = []
        for place, item in enumerate(value):
            found = self.below(schema["contains"], item, str(place)).run()
            if found:
                causes += grouped(found, self.path, str(place))
            else:
                matched.append(place)
                if self.draft >= 2020:
                    self.seen_items.add(place)
        least = _int(schema, "minContains") if self.draft >= 2019 else None
        most = _int(schema, "maxContains") if self.draft >= 2019 else None
        places = " ".join(map(str, matched))
        if least is not None:
            if len(matched) < least:
                tail = (
                    "but none matched" if not matched else f"but matched {len(matched):,} items at {places}"
                )
                self.add(f"min {least:,} items required to match contains schema, {tail}", causes)
        elif not matched:
            self.add("no items match contains schema", causes)
        if most is not None and len(matched) > most:
            self.add(
                f"max {most:,} items required to match contains schema, but matched {len(matched):,} items at {places}"
            )

    # ------------------------------------------------------------ strings and numbers

    def string(self, schema: dict[str, Any], value: str) -> None:
        least, most = _int(schema, "minLength"), _int(schema, "maxLength")
        if least is not None and len(value) < least:
            self.add(f"minLength: got {len(value):,}, want {least:,}")
        if most is not None and len(value) > most:
            self.add(f"maxLength: got {len(value):,}, want {most:,}")
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and not self.owner.pattern(pattern).match(value):
            self.add(f"{quoted(value)} does not match pattern {quoted(pattern)}")

    def number(self, schema: dict[str, Any], value: Fraction) -> None:
        shown = number_text(float(value))
        for side, beyond in (("minimum", operator.lt), ("maximum", operator.gt)):
            word = "exclusive" + side.capitalize()
            limit, strict = _number(schema, side), _number(schema, word)
            if schema.get(word) is True:
                limit, strict = None, limit
            if limit is not None and beyond(value, limit):
                self.add(f"{side}: got {shown}, want {number_text(float(limit))}")
            if strict is not None and (beyond(value, strict) or value == strict):
                self.add(f"{word}: got {shown}, want {number_text(float(strict))}")
        step = _number(schema, "multipleOf")
        if step and (value / step).denominator != 1:
            self.add(f"multipleOf: got {shown}, want {number_text(float(step))}")

    # ------------------------------------------------------------ combinations

    def apply(self, schema: Any) -> None:
        """A subschema on the same value."""
        run = self.below(schema, self.value)
        found = run.run()
        if found:
            self.problems += grouped(found, self.path)
        else:
            self.take(run)

    def attempt(self, schema: Any) -> tuple[list[Problem], _Run]:
        run = self.below(schema, self.value)
        return run.run(), run

    def conditions(self, schema: dict[str, Any]) -> None:
        if "not" in schema and not self.attempt(schema["not"])[0]:
            self.add("'not' failed")
        every = schema.get("allOf")
        if isinstance(every, list):
            causes: list[Problem] = []
            for one in every:
                found, run = self.attempt(one)
                if found:
                    causes += grouped(found, self.path)
                else:
                    self.take(run)
            if causes:
                self.add("'allOf' failed", causes)
        self.any_of(schema.get("anyOf"))
        self.one_of(schema.get("oneOf"))
        if "if" in schema and self.draft >= 7:
            found, run = self.attempt(schema["if"])
            if not found:
                self.take(run)
            branch = "else" if found else "then"
            if branch in schema:
                self.apply(schema[branch])

    def any_of(self, choices: Any) -> None:
        if not isinstance(choices, list) or not choices:
            return
        causes: list[Problem] = []
        matched = False
        for one in choices:
            found, run = self.attempt(one)
            if found:
                causes += grouped(found, self.path)
            else:
                matched = True
                self.take(run)
        if not matched:
            self.add("'anyOf' failed", causes)

    def one_of(self, choices: Any) -> None:
        if not isinstance(choices, list) or not choices:
            return
        causes: list[Problem] = []
        matched = -1
        for place, one in enumerate(choices):
            found, run = self.attempt(one)
            if found:
                causes += grouped(found, self.path)
            elif matched < 0:
                matched = place
                self.take(run)
            else:
                self.add(f"'oneOf' failed, subschemas {matched:,}, {place:,} matched")
                return
        if matched < 0:
            self.add("'oneOf' failed, none matched", causes)

    def unevaluated(self, schema: dict[str, Any]) -> None:
        if isinstance(self.value, dict) and "unevaluatedProperties" in schema:
            for name in sorted(set(self.value) - self.seen):
                found = self.below(schema["unevaluatedProperties"], self.value[name], name).run()
                self.problems += grouped(found, self.path, name)
            self.all_seen()
        if isinstance(self.value, list) and "unevaluatedItems" in schema:
            for place in sorted(set(range(len(self.value))) - self.seen_items):
                found = self.below(schema["unevaluatedItems"], self.value[place], str(place)).run()
                self.problems += grouped(found, self.path, str(place))
            self.all_seen()


def _number(schema: dict[str, Any], key: str) -> Fraction | None:
    value = schema.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def _int(schema: dict[str, Any], key: str) -> int | None:
    number = _number(schema, key)
    return int(number) if number is not None and number.denominator == 1 else None
