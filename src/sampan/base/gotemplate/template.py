"""Templates: compiling texts, sets of templates that know each other by name, and running them."""

from __future__ import annotations

import marshal
import re
import sys
from collections.abc import Mapping, MutableMapping
from hashlib import sha256
from types import CodeType, FunctionType, TracebackType
from typing import Any, NamedTuple

from sampan.base.gotemplate import builtins, codegen, gotypes, nodes, runtime
from sampan.base.gotemplate.errors import ArgumentFault, EvalFault, ExecError, ParseError
from sampan.base.gotemplate.gotypes import Func, GoError
from sampan.base.gotemplate.nodes import is_empty
from sampan.base.gotemplate.parser import Tree, parse
from sampan.base.gotemplate.strconv import byte_len, quote

MAX_TEMPLATE_DEPTH = 100_000  # Go's maxExecDepth
_FRAMES = 12_000  # Python frames that a render may nest: 1000 includes and what runs between them


class Source(NamedTuple):
    """A text that was parsed under a name: what an error's position refers to."""

    name: str
    text: str


class Template:
    """One named template, compiled."""

    __slots__ = ("empty", "function", "name", "number", "source")

    def __init__(self, name: str, number: int, empty: bool, source: Source, function: FunctionType) -> None:
        self.name, self.number, self.empty, self.source, self.function = name, number, empty, source, function


class Unit(NamedTuple):
    """The compiled templates of one text: name, emptiness, code."""

    parts: tuple[tuple[str, bool, CodeType], ...]


class Environment:
    """Functions that templates may call, and the names of methods that values may have.

    `cache`, where given, keeps compiled texts as bytes under a key that names the text, the functions and the
    interpreter: safe to share between processes of one machine that trust each other.
    """

    def __init__(
        self,
        functions: Mapping[str, Func],
        methods: frozenset[str] = frozenset(),
        cache: MutableMapping[str, bytes] | None = None,
    ) -> None:
        self.functions: dict[str, Func] = {**builtins.BUILTINS, **functions}
        self.methods = methods
        self.cache = cache
        self.units: dict[tuple[str, str], Unit] = {}
        self.globals: dict[str, Any] = {
            "P": runtime.shown,
            "R1": runtime.range_one,
            "R2": runtime.range_two,
            "F1": runtime.field1,
            "F2": runtime.field2,
            "F3": runtime.field3,
            "F4": runtime.field4,
            "FN": runtime.fields,
            "M": runtime.method_call,
            "ANY": gotypes.ANY,
            "zero": gotypes.zero,
        }
        for helper in (
            "check",
            "check_element",
            "element_fields",
            "element_methods",
            "fault",
            "length_element",
        ):
            self.globals[helper] = getattr(runtime, helper)
        for name, func in self.functions.items():
            self.globals["f_" + name] = func.call
        self.salt = sha256(
            repr(
                (
                    codegen.VERSION,
                    sys.version,
                    sorted(methods),
                    [
                        (n, f.params, f.variadic, f.result, f.stateful)
                        for n, f in sorted(self.functions.items())
                    ],
                )
            ).encode()
        ).hexdigest()

    def templates(self, name: str, text: str) -> list[Template]:
        """The templates of a text: its defines, and the text itself under `name`. Raises ParseError."""
        key = (name, text)
        unit = self.units.get(key)
        if unit is None:
            unit = self.units[key] = self.load(name, text)
        source = Source(name, text)
        return [
            _bind(part, number, empty, source, code, self.globals)
            for number, (part, empty, code) in enumerate(unit.parts)
        ]

    def load(self, name: str, text: str) -> Unit:
        if self.cache is None:
            return self.compile(name, text)
        key = sha256(f"{self.salt}\0{name}\0".encode() + text.encode("utf-8", "surrogateescape")).hexdigest()
        stored = self.cache.get(key)
        if stored is not None:
            try:
                return Unit(marshal.loads(stored))  # noqa: S302  (our own cache; the owner vouches for it)
            except (ValueError, EOFError, TypeError):
                pass
        unit = self.compile(name, text)
        self.cache[key] = marshal.dumps(unit.parts)
        return unit

    def compile(self, name: str, text: str) -> Unit:
        trees = parse(name, text, self.functions)
        module = self.generate(trees)[0]
        try:
            compiled = compile(module, "<template>", "exec", dont_inherit=True, optimize=2)
        except (SyntaxError, RecursionError, MemoryError) as problem:
            raise ParseError(f"template: {name}:1: nests too deeply to compile ({problem})") from None
        codes = [c for c in compiled.co_consts if isinstance(c, CodeType)]
        return Unit(
            tuple((tree.name, is_empty(tree.root), code) for tree, code in zip(trees, codes, strict=True))
        )

    def generate(self, trees: list[Tree]) -> tuple[str, list[codegen.Site]]:
        generator = codegen.Generator(self.functions, self.methods)
        return generator.module(trees), generator.sites

    def locate(self, template: Template, line: int) -> codegen.Site | None:
        """The site that the line of generated code belongs to."""
        trees = parse(template.source.name, template.source.text, self.functions)
        module, sites = self.generate(trees)
        lines = module.split("\n")
        match = re.search(r"#(\d+)$", lines[line - 2]) if 1 < line <= len(lines) else None
        return sites[int(match[1])] if match else None


def _bind(
    name: str, number: int, empty: bool, source: Source, code: CodeType, scope: dict[str, Any]
) -> Template:
    function = FunctionType(code, scope)
    template = Template(name, number, empty, source, function)
    function.__defaults__ = (template,)
    return template


class TemplateSet:
    """Templates by name. A later definition replaces an earlier one, unless it is empty."""

    def __init__(self, environment: Environment, root: str) -> None:
        self.environment = environment
        self.root = root
        self.templates: dict[str, Template] = {}

    def add(self, name: str, text: str) -> Template:
        """Parse a text into the set and return its own template. Raises ParseError."""
        own: Template | None = None
        for template in self.environment.templates(name, text):
            known = self.templates.get(template.name)
            if known is None or not template.empty:
                self.templates[template.name] = template
            if template.name == name:
                own = template
        assert own is not None
        return own

    def clone(self) -> TemplateSet:
        copy = TemplateSet(self.environment, self.root)
        copy.templates = dict(self.templates)
        return copy


class Execution:
    """One run over a set of templates. `shared` is for stateful functions, and goes into derived runs."""

    def __init__(self, templates: TemplateSet, shared: Any = None) -> None:
        self.set = templates
        self.shared = shared
        self.depth = 0

    def derive(self, templates: TemplateSet) -> Execution:
        """A run over another set (a clone) that shares the state."""
        return type(self)(templates, self.shared)

    def run_named(self, name: str, data: Any) -> str:
        """`ExecuteTemplate`. Raises GoError where there is no such template."""
        template = self.set.templates.get(name)
        if template is None:
            raise GoError(
                f"template: no template {quote(name)} associated with template {quote(self.set.root)}"
            )
        return self.run(template, data)

    def run(self, template: Template, data: Any) -> str:
        """Execute a template. Raises ExecError."""
        out: list[str] = []
        try:
            template.function(self, data, out.append)
        except (EvalFault, GoError) as problem:
            raise self.report(problem) from None
        except RecursionError as problem:
            raise self.report(problem) from None
        except UnboundLocalError as problem:
            raise self.report(problem) from None
        return "".join(out)

    def template(self, name: str, data: Any, write: Any) -> None:
        """The `template` action."""
        template = self.set.templates.get(name)
        if template is None:
            raise EvalFault(f"template {quote(name)} not defined")
        if self.depth >= MAX_TEMPLATE_DEPTH:
            raise EvalFault(f"exceeded maximum template depth ({MAX_TEMPLATE_DEPTH})")
        self.depth += 1
        template.function(self, data, write)
        self.depth -= 1

    def report(self, problem: BaseException) -> ExecError:
        """The failure with its position, as text/template words it."""
        self.depth = 0
        frame = _innermost(problem.__traceback__)
        if frame is None:
            return ExecError(str(problem), "", 0, problem if isinstance(problem, GoError) else None)
        template, line = frame
        site = self.set.environment.locate(template, line)
        message, cause = str(problem), None
        if isinstance(problem, RecursionError):
            message = "templates nest too deeply"
        elif isinstance(problem, UnboundLocalError):
            message = "undefined variable"
        if isinstance(problem, GoError):
            cause = problem
            if site is not None and site.call is not None:
                message = f"error calling {site.call}: {message}"
        if site is None:
            return ExecError(f"template: {template.source.name}: {message}", template.name, 0, cause)
        node = site.node
        if isinstance(problem, ArgumentFault) and problem.place < len(site.args):
            arg, node = site.args[problem.place]
            word = codegen.LITERALS.get(problem.target)
            if word is not None and isinstance(arg, (nodes.Bool, nodes.String, nodes.Number)):
                message = f"expected {word}; found {node}"
        text = template.source.text[: node.pos]
        row = 1 + text.count("\n")
        column = byte_len(text[text.rfind("\n") + 1 :])
        where = f"{template.source.name}:{row}:{column}"
        full = f"template: {where}: executing {quote(template.name)} at <{node}>: {message}"
        return ExecError(full, template.name, row, cause)


def _innermost(trace: TracebackType | None) -> tuple[Template, int] | None:
    """The innermost generated frame: its template and the line."""
    found: tuple[Template, int] | None = None
    while trace is not None:
        owner = (
            trace.tb_frame.f_locals.get("T") if trace.tb_frame.f_code.co_filename == "<template>" else None
        )
        if isinstance(owner, Template):
            found = (owner, trace.tb_lineno)
        trace = trace.tb_next
    return found


def deep_enough() -> None:
    """Let Python nest as deeply as Helm's thousand includes need (3.11 frames are on the heap)."""
    if sys.getrecursionlimit() < _FRAMES:
        sys.setrecursionlimit(_FRAMES)
