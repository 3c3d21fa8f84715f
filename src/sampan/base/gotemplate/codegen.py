"""Parse trees become Python source: one function `(S, dot, w)` per template.

`S` is the running Execution, `dot` the data, `w` appends to the output. Go variables are Python locals, resolved
by scope here; `if`, `with` and `range` are Python's own statements, and Go's truth equals Python's.

Positions cost nothing at run time: each operation that can fail starts a line of its own, and the line before it
ends in `#N`, the number of its *site*. When something fails, the traceback's line names the site, and the text is
compiled once more to find the node behind it (`sites`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sampan.base.gotemplate import nodes as nd
from sampan.base.gotemplate.gotypes import ANY, Func
from sampan.base.gotemplate.parser import Tree

VERSION = 1  # part of the key of cached code: raise it when generated code changes

_CLASSES = {
    "string": "str",
    "int": "int",
    "float64": "float",
    "bool": "bool",
    "map[string]interface {}": "dict",
    "[]interface {}": "list",
}
# What error messages call a literal of a type.
LITERALS = {
    "string": "string", "bool": "bool", "float64": "float", "complex128": "complex",
    "int": "integer", "int64": "integer", "uint32": "unsigned integer", "uint64": "unsigned integer",
}  # fmt: skip
_INVALID, _ELEMENT = False, True  # which nil an expression can have (see runtime)


class Site(NamedTuple):
    """An operation that can fail: the node of its message, the function's name when it is a call, and the arguments
    when they are checked at run time (methods)."""

    node: nd.Node
    call: str | None
    args: tuple[tuple[nd.Node, nd.Node], ...] = ()  # each with the node that its evaluation ends at


class Code(NamedTuple):
    """An expression: its source, its static type if known, and which nil it may be."""

    source: str
    type: str | None = None
    element: bool = _INVALID


class Generator:
    """Generates the module of one text. `sites` is filled on the way."""

    def __init__(self, functions: Mapping[str, Func], methods: frozenset[str]) -> None:
        self.functions = functions
        self.methods = methods
        self.sites: list[Site] = []
        self.lines: list[str] = []
        self.locals = 0
        self.scopes: list[dict[str, tuple[str, bool]]] = []
        self.dot: tuple[str, bool] = ("dot", _INVALID)
        self.last: nd.Node | None = None

    def module(self, trees: list[Tree]) -> str:
        """Source of `t0`, `t1` ... for the trees in order."""
        for number, tree in enumerate(trees):
            self.lines.append(f"def t{number}(S, dot, w, T):")
            self.locals = 0
            self.scopes = [{"$": ("dot", _INVALID)}]
            self.dot = ("dot", _INVALID)
            self.block(tree.root, 1)
        return "\n".join(self.lines) + "\n"

    # ------------------------------------------------------------ statements

    def emit(self, depth: int, line: str) -> None:
        self.lines.append(" " * depth + line)

    def site(
        self,
        node: nd.Node,
        operation: str,
        call: str | None = None,
        args: tuple[tuple[nd.Node, nd.Node], ...] = (),
    ) -> str:
        """The operation on a line of its own."""
        self.sites.append(Site(node, call, args))
        return f"#{len(self.sites) - 1}\n{operation}"

    def fresh(self) -> str:
        self.locals += 1
        return f"v{self.locals}"

    def block(self, body: nd.ListNode, depth: int) -> None:
        self.scopes.append({})
        mark = len(self.lines)
        for node in body.nodes:
            self.statement(node, depth)
        if len(self.lines) == mark:
            self.emit(depth, "pass")
        self.scopes.pop()

    def statement(self, node: nd.Node, depth: int) -> None:
        if isinstance(node, nd.Text):
            self.emit(depth, f"w({node.text!r})")
        elif isinstance(node, nd.Action):
            code = self.pipe(node.pipe)
            if node.pipe.decl:
                self.emit(depth, f"({code.source})")
            elif code.type == "string":
                self.emit(depth, f"w({code.source})")
            else:
                self.emit(depth, f"w(_t if (_t := {code.source}).__class__ is str else P(_t))")
        elif isinstance(node, nd.Branch):
            if node.keyword == "range":
                self.range(node, depth)
            else:
                self.branch(node, depth, "if")
        elif isinstance(node, nd.Jump):
            self.emit(depth, node.keyword)
        elif isinstance(node, nd.Call):
            data = "None" if node.pipe is None else self.pipe(node.pipe).source
            self.emit(depth, "(" + self.site(node, f"S.template({node.name!r}, {data}, w)") + ")")

    def branch(self, node: nd.Branch, depth: int, keyword: str) -> None:
        """if and with; a chain of else-if becomes elif."""
        self.scopes.append({})
        code = self.pipe(node.pipe)
        outer = self.dot
        if node.keyword == "with":
            name = self.fresh()
            self.emit(depth, f"{keyword} ({name} := {code.source}):")
            self.dot = (name, _INVALID)
        else:
            self.emit(depth, f"{keyword} ({code.source}):")
        self.block(node.body, depth + 1)
        self.dot = outer
        rest = node.otherwise
        if rest is not None:
            only = rest.nodes[0] if len(rest.nodes) == 1 else None
            if isinstance(only, nd.Branch) and only.keyword != "range":
                self.branch(only, depth, "elif")
            elif rest.nodes:
                self.emit(depth, "else:")
                self.block(rest, depth + 1)
        self.scopes.pop()

    def range(self, node: nd.Branch, depth: int) -> None:
        self.scopes.append({})
        pipe = node.pipe
        decl, pipe_decl = pipe.decl, pipe.decl
        pipe.decl = []
        code = self.pipe(pipe)
        pipe.decl = pipe_decl
        items = self.fresh()
        helper = "R2" if len(decl) > 1 else "R1"
        source = code.source
        names: list[str] = []
        if decl:
            whole = self.fresh()
            self.emit(depth, f"{whole} = ({source})")
            source = whole
            for variable in decl:
                if pipe.assign:
                    names.append(self.lookup(variable.idents[0])[0])
                else:
                    names.append(self.declare(variable.idents[0], _ELEMENT))
            if node.otherwise is not None or pipe.assign:
                self.emit(depth, " = ".join((*names, whole)))
        assert self.last is not None
        self.emit(depth, f"if ({items} := " + self.site(self.last, f"{helper}({source})") + "):")
        element = self.fresh()
        outer = self.dot
        if len(names) == 2:
            self.emit(depth + 1, f"for {names[0]}, {element} in {items}:")
            self.emit(depth + 2, f"{names[1]} = {element}")
        else:
            self.emit(depth + 1, f"for {element} in {items}:")
            if names:
                self.emit(depth + 2, f"{names[0]} = {element}")
        self.dot = (element, _ELEMENT)
        self.block(node.body, depth + 2)
        self.dot = outer
        if node.otherwise is not None and node.otherwise.nodes:
            self.emit(depth, "else:")
            self.block(node.otherwise, depth + 1)
        self.scopes.pop()

    # ------------------------------------------------------------ variables

    def declare(self, name: str, element: bool) -> str:
        local = self.fresh()
        self.scopes[-1][name] = (local, element)
        return local

    def lookup(self, name: str) -> tuple[str, bool]:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return (f"fault({f'undefined variable: {name}'!r})", _INVALID)

    # ------------------------------------------------------------ pipelines

    def pipe(self, pipe: nd.Pipe) -> Code:
        self.last = pipe
        value: Code | None = None
        for command in pipe.commands:
            code = self.command(command, value)
            value = Code(code.source, code.type)
        assert value is not None
        for variable in pipe.decl:
            name = variable.idents[0]
            if pipe.assign:
                local, element = self.lookup(name)
                if local.startswith("fault("):
                    value = Code(self.site(pipe, local))
                    continue
                if element:
                    self.forget_element(name)
            else:
                local = self.declare(name, _INVALID)
            value = Code(f"({local} := {value.source})", value.type)
        return value

    def forget_element(self, name: str) -> None:
        for scope in reversed(self.scopes):
            if name in scope:
                scope[name] = (scope[name][0], _INVALID)
                return

    def command(self, command: nd.Command, final: Code | None) -> Code:
        first = command.args[0]
        if isinstance(first, nd.Identifier):
            return self.function(first, command, command.args[1:], final)
        if isinstance(first, nd.Field):
            self.last = first
            return self.field_chain(first, self.dot, first.idents, command.args[1:], final)
        if isinstance(first, nd.Chain):
            return self.chain(first, command.args[1:], final)
        if isinstance(first, nd.Variable):
            self.last = first
            if len(first.idents) > 1:
                return self.field_chain(
                    first, self.lookup(first.idents[0]), first.idents[1:], command.args[1:], final
                )
        elif not isinstance(first, nd.Pipe):
            self.last = first
        if len(command.args) > 1 or final is not None:
            assert self.last is not None
            return Code(
                self.site(self.last, f"fault({f'can{chr(39)}t give argument to non-function {first}'!r})")
            )
        if isinstance(first, nd.Nil):
            return Code(self.site(first, "fault('nil is not a command')"))
        return self.operand(first)

    def operand(self, node: nd.Node) -> Code:
        """A node as a value of its own type."""
        self.last = node
        if isinstance(node, nd.Dot):
            return Code(self.dot[0], None, self.dot[1])
        if isinstance(node, nd.Variable):
            if len(node.idents) > 1:
                return self.field_chain(node, self.lookup(node.idents[0]), node.idents[1:], [], None)
            name, element = self.lookup(node.idents[0])
            return Code(self.site(node, name) if name.startswith("fault(") else name, None, element)
        if isinstance(node, nd.Field):
            return self.field_chain(node, self.dot, node.idents, [], None)
        if isinstance(node, nd.Pipe):
            return self.pipe(node)
        if isinstance(node, nd.Chain):
            return self.chain(node, [], None)
        if isinstance(node, nd.Identifier):
            return self.function(node, node, [], None)
        if isinstance(node, nd.String):
            return Code(repr(node.text), "string")
        if isinstance(node, nd.Bool):
            return Code(str(node.value), "bool")
        if isinstance(node, nd.Number):
            return self.constant(node)
        return Code("None")

    def constant(self, node: nd.Number) -> Code:
        """A number where nothing asks for a type (idealConstant)."""
        text = node.text
        hexadecimal = (
            len(text) > 2 and text[0] == "0" and text[1] in "xX" and not ("p" in text or "P" in text)
        )
        if node.as_complex is not None:
            return Code(repr(node.as_complex), "complex128")
        if (
            node.as_float is not None
            and not hexadecimal
            and not text.startswith("'")
            and any(c in text for c in ".eEpP")
        ):
            return Code(f"({node.as_float!r})", "float64")
        if node.as_int is not None:
            return Code(f"({node.as_int})", "int")
        return Code(self.site(node, f"fault({text + ' overflows int'!r})"))

    # ------------------------------------------------------------ fields

    def field_chain(
        self,
        node: nd.Node,
        receiver: tuple[str, bool],
        idents: tuple[str, ...],
        args: list[nd.Node],
        final: Code | None,
    ) -> Code:
        name, element = receiver
        if name.startswith("fault("):
            return Code(self.site(node, name))
        if args or final is not None:
            return self.method_call(node, receiver, idents, args, final)
        keys = ", ".join(map(repr, idents))
        if not self.methods.isdisjoint(idents):
            helper = "element_methods" if element else "FN"
        elif element:
            helper = "element_fields"
        else:
            helper = f"F{len(idents)}" if len(idents) <= 4 else "FN"
        return Code(self.site(node, f"{helper}({name}, {keys})"), None, _ELEMENT)

    def method_call(
        self,
        node: nd.Node,
        receiver: tuple[str, bool],
        idents: tuple[str, ...],
        args: list[nd.Node],
        final: Code | None,
    ) -> Code:
        name, element = receiver
        declared = "ANY" if element else "None"
        if len(idents) > 1:
            name = self.field_chain(node, receiver, idents[:-1], [], None).source
            declared = "ANY"
        values: list[str] = []
        places: list[tuple[nd.Node, nd.Node]] = []
        for arg in args:
            values.append(self.operand(arg).source)
            places.append((arg, self.last or arg))
        if final is not None:
            values.append(final.source)
        inner = ", ".join((name, declared, repr(idents[-1]), *values))
        self.last = node
        return Code(self.site(node, f"M({inner})", idents[-1], tuple(places)))

    def chain(self, node: nd.Chain, args: list[nd.Node], final: Code | None) -> Code:
        self.last = node
        if isinstance(node.node, nd.Nil):
            return Code(self.site(node, f"fault({f'indirection through explicit nil in {node}'!r})"))
        inner = self.operand(node.node)
        # Go's message names the node that was evaluated last: the one inside the parentheses.
        place = self.last
        name = inner.source
        return self.field_chain(place, (f"({name})", _INVALID), node.fields, args, final)

    # ------------------------------------------------------------ functions

    def function(
        self, ident: nd.Identifier, command: nd.Node, args: list[nd.Node], final: Code | None
    ) -> Code:
        self.last = ident
        name = ident.name
        func = self.functions[name]
        given = len(args) + (final is not None)
        fixed = len(func.params) - func.variadic
        if func.variadic and given < fixed:
            message = f"wrong number of args for {name}: want at least {fixed} got {len(args)}"
            return Code(self.site(ident, f"fault({message!r})"))
        if not func.variadic and given != fixed:
            message = f"wrong number of args for {name}: want {fixed} got {given}"
            return Code(self.site(ident, f"fault({message!r})"))
        if name in ("and", "or") and func.result == "reflect.Value":
            codes = [self.operand(a).source for a in args]
            if final is not None:
                codes.append(final.source)
            return Code("(" + f" {name} ".join(f"({c})" for c in codes) + ")")
        values = [self.argument(a, func.params[min(i, len(func.params) - 1)]) for i, a in enumerate(args)]
        if final is not None:
            values.append(self.checked(final, func.params[min(len(args), len(func.params) - 1)], self.last))
        if name == "call" and func.result == "reflect.Value":
            shown = str(args[0]) if args else "value"
            values.insert(0, Code(repr(shown)))
        return self.call(name, func, command, values)

    def call(self, name: str, func: Func, command: nd.Node, values: list[Code]) -> Code:
        sources = [v.source for v in values]
        if name == "not" and func.result == "bool":
            return Code(f"(not ({sources[0]}))", "bool")
        if (
            name == "default"
            and len(values) == 2
            and sources[0][:1] in "'\"("
            and values[0].type in ("string", "int")
        ):
            return Code(f"({sources[1]} or {sources[0]})")
        if (
            name in ("eq", "ne")
            and len(values) == 2
            and values[1].type == "string"
            and sources[1][:1] in "'\""
        ):
            sign = "==" if name == "eq" else "!="
            slow = self.site(command, f"f_{name}(_t, {sources[1]})", name)
            return Code(
                f"(_t {sign} {sources[1]} if (_t := {sources[0]}).__class__ is str else {slow})", "bool"
            )
        if name == "len" and func.params == ("reflect.Value",) and values[0].element:
            return Code(self.site(command, f"length_element({sources[0]})", name), "int")
        state = ["S"] if func.stateful else []
        result = func.result if func.result not in (ANY, "reflect.Value") else None
        return Code(self.site(command, f"f_{name}({', '.join(state + sources)})", name), result)

    def argument(self, node: nd.Node, target: str) -> Code:
        """An argument where `target` is declared (evalArg)."""
        self.last = node
        if isinstance(node, nd.Nil):
            if target in (ANY, "reflect.Value"):
                return Code("None")
            from sampan.base.gotemplate.gotypes import nilable

            if nilable(target):
                return Code(f"zero({target!r})")
            return Code(self.site(node, f"fault({f'cannot assign nil to {target}'!r})"))
        if target in (ANY, "reflect.Value"):
            return self.operand(node)
        if isinstance(node, (nd.Bool, nd.String, nd.Number)):
            return self.literal(node, target)
        code = self.operand(node)
        return self.checked(code, target, self.last)

    def literal(self, node: nd.Bool | nd.String | nd.Number, target: str) -> Code:
        word = LITERALS.get(target)
        if word is None:
            return Code(
                self.site(node, f"fault({f'can{chr(39)}t handle {node} for arg of type {target}'!r})")
            )
        if isinstance(node, nd.String) and word == "string":
            return Code(repr(node.text), "string")
        if isinstance(node, nd.Bool) and word == "bool":
            return Code(str(node.value), "bool")
        if isinstance(node, nd.Number):
            if word == "integer" and node.as_int is not None:
                return Code(f"({node.as_int})", target)
            if word == "unsigned integer" and node.as_uint is not None:
                return Code(f"({node.as_uint})", target)
            if word == "float" and node.as_float is not None:
                return Code(f"({node.as_float!r})", target)
            if word == "complex" and node.as_complex is not None:
                return Code(repr(node.as_complex), target)
        return Code(self.site(node, f"fault({f'expected {word}; found {node}'!r})"))

    def checked(self, code: Code, target: str, place: nd.Node) -> Code:
        """The value with a check of its type, unless it is known."""
        if target in (ANY, "reflect.Value") or code.type == target:
            return code
        helper = "check_element" if code.element else "check"
        known = _CLASSES.get(target)
        if known is None:
            return Code(self.site(place, f"{helper}({code.source}, {target!r})"), target)
        slow = self.site(place, f"{helper}(_t, {target!r})")
        return Code(f"(_t if (_t := {code.source}).__class__ is {known} else {slow})", target)
