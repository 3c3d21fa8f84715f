"""The parse tree of a template, and each node's text as error messages show it.

Source of behaviour: Go 1.26 text/template/parse/node.go.
"""

from __future__ import annotations

from sampan.base.gotemplate.strconv import quote


class Node:
    """A node at a position (in characters) of its template's text."""

    __slots__ = ("pos",)

    def __init__(self, pos: int) -> None:
        self.pos = pos


class Text(Node):
    __slots__ = ("text",)

    def __init__(self, pos: int, text: str) -> None:
        super().__init__(pos)
        self.text = text

    def __str__(self) -> str:
        return quote(self.text)


class ListNode(Node):
    __slots__ = ("nodes",)

    def __init__(self, pos: int) -> None:
        super().__init__(pos)
        self.nodes: list[Node] = []

    def __str__(self) -> str:
        return "".join(str(n) if not isinstance(n, Text) else n.text for n in self.nodes)


class Identifier(Node):
    __slots__ = ("name",)

    def __init__(self, pos: int, name: str) -> None:
        super().__init__(pos)
        self.name = name

    def __str__(self) -> str:
        return self.name


class Dot(Node):
    __slots__ = ()

    def __str__(self) -> str:
        return "."


class Nil(Node):
    __slots__ = ()

    def __str__(self) -> str:
        return "nil"


class Bool(Node):
    __slots__ = ("value",)

    def __init__(self, pos: int, value: bool) -> None:
        super().__init__(pos)
        self.value = value

    def __str__(self) -> str:
        return "true" if self.value else "false"


class String(Node):
    __slots__ = ("quoted", "text")

    def __init__(self, pos: int, quoted: str, text: str) -> None:
        super().__init__(pos)
        self.quoted, self.text = quoted, text

    def __str__(self) -> str:
        return self.quoted


class Number(Node):
    """A numeric literal: every type that it fits has its value, the others are None."""

    __slots__ = ("as_complex", "as_float", "as_int", "as_uint", "text")

    def __init__(self, pos: int, text: str) -> None:
        super().__init__(pos)
        self.text = text
        self.as_int: int | None = None
        self.as_uint: int | None = None
        self.as_float: float | None = None
        self.as_complex: complex | None = None

    def __str__(self) -> str:
        return self.text


class Field(Node):
    """`.A.B`"""

    __slots__ = ("idents",)

    def __init__(self, pos: int, idents: tuple[str, ...]) -> None:
        super().__init__(pos)
        self.idents = idents

    def __str__(self) -> str:
        return "".join("." + i for i in self.idents)


class Variable(Node):
    """`$x.A.B`: `idents[0]` is `$x`."""

    __slots__ = ("idents",)

    def __init__(self, pos: int, idents: tuple[str, ...]) -> None:
        super().__init__(pos)
        self.idents = idents

    def __str__(self) -> str:
        return ".".join(self.idents)


class Chain(Node):
    """`(pipeline).A.B`, or a function's name with fields behind it."""

    __slots__ = ("fields", "node")

    def __init__(self, pos: int, node: Node, fields: tuple[str, ...]) -> None:
        super().__init__(pos)
        self.node, self.fields = node, fields

    def __str__(self) -> str:
        inner = f"({self.node})" if isinstance(self.node, Pipe) else str(self.node)
        return inner + "".join("." + f for f in self.fields)


class Command(Node):
    __slots__ = ("args",)

    def __init__(self, pos: int) -> None:
        super().__init__(pos)
        self.args: list[Node] = []

    def __str__(self) -> str:
        return " ".join(f"({a})" if isinstance(a, Pipe) else str(a) for a in self.args)


class Pipe(Node):
    __slots__ = ("assign", "commands", "decl")

    def __init__(self, pos: int) -> None:
        super().__init__(pos)
        self.decl: list[Variable] = []
        self.assign = False
        self.commands: list[Command] = []

    def __str__(self) -> str:
        head = ""
        if self.decl:
            head = ", ".join(map(str, self.decl)) + (" = " if self.assign else " := ")
        return head + " | ".join(map(str, self.commands))


class Action(Node):
    __slots__ = ("pipe",)

    def __init__(self, pos: int, pipe: Pipe) -> None:
        super().__init__(pos)
        self.pipe = pipe

    def __str__(self) -> str:
        return "{{" + str(self.pipe) + "}}"


class Branch(Node):
    """if, with and range."""

    __slots__ = ("body", "keyword", "otherwise", "pipe")

    def __init__(
        self, pos: int, keyword: str, pipe: Pipe, body: ListNode, otherwise: ListNode | None
    ) -> None:
        super().__init__(pos)
        self.keyword, self.pipe, self.body, self.otherwise = keyword, pipe, body, otherwise

    def __str__(self) -> str:
        tail = "" if self.otherwise is None else "{{else}}" + str(self.otherwise)
        return "{{" + self.keyword + " " + str(self.pipe) + "}}" + str(self.body) + tail + "{{end}}"


class Jump(Node):
    """break and continue."""

    __slots__ = ("keyword",)

    def __init__(self, pos: int, keyword: str) -> None:
        super().__init__(pos)
        self.keyword = keyword

    def __str__(self) -> str:
        return "{{" + self.keyword + "}}"


class Call(Node):
    """The template action."""

    __slots__ = ("name", "pipe")

    def __init__(self, pos: int, name: str, pipe: Pipe | None) -> None:
        super().__init__(pos)
        self.name, self.pipe = name, pipe

    def __str__(self) -> str:
        return "{{template " + quote(self.name) + (f" {self.pipe}" if self.pipe else "") + "}}"


class End(Node):
    __slots__ = ()

    def __str__(self) -> str:
        return "{{end}}"


class Else(Node):
    __slots__ = ()

    def __str__(self) -> str:
        return "{{else}}"


def is_empty(node: Node | None) -> bool:
    """Does the tree hold nothing but space (IsEmptyTree)?"""
    if node is None:
        return True
    if isinstance(node, ListNode):
        return all(map(is_empty, node.nodes))
    return isinstance(node, Text) and not node.text.strip()
