"""The parser of Go's text/template: a text becomes named trees.

Source of behaviour: Go 1.26 text/template/parse/parse.go. Function names are checked while parsing, as Go does.
"""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple, NoReturn

from sampan.base.gotemplate import lexer as lx
from sampan.base.gotemplate import nodes as nd
from sampan.base.gotemplate.errors import ParseError
from sampan.base.gotemplate.lexer import Lexer, Token
from sampan.base.gotemplate.numbers import NumberError, parse_number
from sampan.base.gotemplate.strconv import LiteralError, quote, unquote

MAX_DEPTH = 10_000  # nested parentheses; Go's maxStackDepth
_SPACE = lx.SPACE
_OPERANDS = frozenset(
    (
        lx.BOOL, lx.CHAR_CONSTANT, lx.COMPLEX, lx.DOT, lx.FIELD, lx.IDENTIFIER, lx.NUMBER, lx.NIL,
        lx.RAW_STRING, lx.STRING, lx.VARIABLE, lx.LEFT_PAREN,
    )
)  # fmt: skip


class Tree(NamedTuple):
    """One template: its name and its root."""

    name: str
    root: nd.ListNode


class _Scope:
    """What parsing one tree tracks: variables in sight and the depth of range."""

    __slots__ = ("range_depth", "variables")

    def __init__(self) -> None:
        self.variables = ["$"]
        self.range_depth = 0


def parse(name: str, text: str, functions: Container[str]) -> list[Tree]:
    """Parse a text; the defines come in order of their `end`, the text's own tree last. Raises ParseError."""
    return Parser(name, text, functions).parse()


class Parser:
    def __init__(self, name: str, text: str, functions: Container[str]) -> None:
        self.name = name
        self.functions = functions
        self.tokens = Lexer(text).tokens()
        self.at = 0
        self.furthest = 0  # of the tokens looked at: errors name its line
        self.action_line = 0
        self.depth = 0
        self.scope = _Scope()
        self.trees: dict[str, Tree] = {}

    # ------------------------------------------------------------ tokens

    def next(self) -> Token:
        at = self.at
        if at > self.furthest:
            self.furthest = at
        self.at = at + 1
        return self.tokens[at]

    def back(self) -> None:
        self.at -= 1

    def peek(self) -> Token:
        at = self.at
        if at > self.furthest:
            self.furthest = at
        return self.tokens[at]

    def next_solid(self) -> Token:
        at = self.at
        token = self.tokens[at]
        if token[0] == _SPACE:  # never two in a row
            at += 1
            token = self.tokens[at]
        if at > self.furthest:
            self.furthest = at
        self.at = at + 1
        return token

    def peek_solid(self) -> Token:
        token = self.next_solid()
        self.at -= 1
        return token

    # ------------------------------------------------------------ errors

    def fail(self, message: str) -> NoReturn:
        raise ParseError(f"template: {self.name}:{self.tokens[self.furthest].line}: {message}")

    def unexpected(self, token: Token, context: str) -> NoReturn:
        if token.kind == lx.ERROR:
            extra = ""
            if self.action_line and self.action_line != token.line:
                extra = f" in action started at {self.name}:{self.action_line}"
                if token.text.endswith(" action"):
                    extra = extra.removeprefix(" in action")
            self.fail(token.text + extra)
        self.fail(f"unexpected {token.show()} in {context}")

    def expect(self, kind: str, context: str) -> Token:
        token = self.next_solid()
        if token.kind != kind:
            self.unexpected(token, context)
        return token

    # ------------------------------------------------------------ trees

    def parse(self) -> list[Tree]:
        root = nd.ListNode(self.peek().pos)
        while (token := self.peek()).kind != lx.EOF:
            if token.kind == lx.LEFT_DELIM:
                mark = self.at
                self.next()
                if self.next_solid().kind == "define":
                    self.define()
                    continue
                self.at = mark
            node = self.text_or_action()
            if isinstance(node, (nd.End, nd.Else)):
                self.fail(f"unexpected {node}")
            root.nodes.append(node)
        self.add(Tree(self.name, root))
        return list(self.trees.values())

    def add(self, tree: Tree) -> None:
        known = self.trees.get(tree.name)
        if known is None or nd.is_empty(known.root):
            self.trees.pop(tree.name, None)
            self.trees[tree.name] = tree
        elif not nd.is_empty(tree.root):
            self.fail(f"template: multiple definition of template {quote(tree.name)}")

    def define(self) -> None:
        context = "define clause"
        token = self.next_solid()
        name = self.template_name(token, context)
        self.expect(lx.RIGHT_DELIM, context)
        self.add(Tree(name, self.inner_tree(context)))

    def inner_tree(self, context: str) -> nd.ListNode:
        """A body with a scope of its own, up to its end."""
        outer, self.scope = self.scope, _Scope()
        line, self.action_line = self.action_line, 0
        body, end = self.item_list()
        if not isinstance(end, nd.End):
            self.fail(f"unexpected {end} in {context}")
        self.scope, self.action_line = outer, line
        return body

    def template_name(self, token: Token, context: str) -> str:
        if token.kind not in (lx.STRING, lx.RAW_STRING):
            self.unexpected(token, context)
        return self.unquote(token.text)

    def unquote(self, literal: str) -> str:
        try:
            return unquote(literal)
        except LiteralError as problem:
            self.fail(str(problem))

    def item_list(self) -> tuple[nd.ListNode, nd.Node]:  # noqa: RET503  (fail never returns)
        items = nd.ListNode(self.peek_solid().pos)
        while self.peek_solid().kind != lx.EOF:
            node = self.text_or_action()
            if isinstance(node, (nd.End, nd.Else)):
                return items, node
            items.nodes.append(node)
        self.fail("unexpected EOF")

    def text_or_action(self) -> nd.Node:  # noqa: RET503  (fail never returns)
        token = self.next_solid()
        if token.kind == lx.TEXT:
            return nd.Text(token.pos, token.text)
        if token.kind == lx.LEFT_DELIM:
            self.action_line = token.line
            node = self.action()
            self.action_line = 0
            return node
        self.unexpected(token, "input")

    def action(self) -> nd.Node:
        token = self.next_solid()
        kind = token.kind
        if kind in ("if", "range", "with"):
            return self.branch(kind)
        if kind == "end":
            return nd.End(self.expect(lx.RIGHT_DELIM, "end").pos)
        if kind == "else":
            return self.else_()
        if kind == "template":
            return self.template()
        if kind == "block":
            return self.block()
        if kind in ("break", "continue"):
            return self.jump(token)
        self.back()
        return nd.Action(token.pos, self.pipeline("command", lx.RIGHT_DELIM))

    def jump(self, token: Token) -> nd.Node:
        following = self.next_solid()
        if following.kind != lx.RIGHT_DELIM:
            self.unexpected(following, "{{" + token.kind + "}}")
        if not self.scope.range_depth:
            self.fail("{{" + token.kind + "}} outside {{range}}")
        return nd.Jump(token.pos, token.kind)

    def else_(self) -> nd.Node:
        following = self.peek_solid()
        if following.kind in ("if", "with"):
            return nd.Else(following.pos)
        return nd.Else(self.expect(lx.RIGHT_DELIM, "else").pos)

    def branch(self, keyword: str) -> nd.Branch:
        variables = self.scope.variables
        mark = len(variables)
        pipe = self.pipeline(keyword, lx.RIGHT_DELIM)
        if keyword == "range":
            self.scope.range_depth += 1
        body, stop = self.item_list()
        if keyword == "range":
            self.scope.range_depth -= 1
        otherwise: nd.ListNode | None = None
        if isinstance(stop, nd.Else):
            if keyword in ("if", "with") and self.peek().kind == keyword:
                self.next()
                otherwise = nd.ListNode(stop.pos)
                otherwise.nodes.append(self.branch(keyword))
            else:
                otherwise, stop = self.item_list()
                if not isinstance(stop, nd.End):
                    self.fail(f"expected end; found {stop}")
        del variables[mark:]
        return nd.Branch(pipe.pos, keyword, pipe, body, otherwise)

    def template(self) -> nd.Call:
        context = "template clause"
        token = self.next_solid()
        name = self.template_name(token, context)
        following = self.next_solid()
        if following.kind == lx.RIGHT_DELIM:
            return nd.Call(token.pos, name, None)
        self.back()
        return nd.Call(token.pos, name, self.pipeline(context, lx.RIGHT_DELIM))

    def block(self) -> nd.Call:
        context = "block clause"
        token = self.next_solid()
        name = self.template_name(token, context)
        pipe = self.pipeline(context, lx.RIGHT_DELIM)
        self.add(Tree(name, self.inner_tree(context)))
        return nd.Call(token.pos, name, pipe)

    # ------------------------------------------------------------ pipelines

    def pipeline(self, context: str, end: str) -> nd.Pipe:
        pipe = nd.Pipe(self.peek_solid().pos)
        self.declarations(pipe, context)
        while True:
            token = self.next_solid()
            if token.kind == end:
                self.check_pipeline(pipe, context)
                return pipe
            if token.kind not in _OPERANDS:
                self.unexpected(token, context)
            self.back()
            pipe.commands.append(self.command())

    def declarations(self, pipe: nd.Pipe, context: str) -> None:
        while (variable := self.peek_solid()).kind == lx.VARIABLE:
            mark = self.at
            self.next()
            following = self.next_solid()
            if following.kind in (lx.ASSIGN, lx.DECLARE):
                pipe.assign = following.kind == lx.ASSIGN
                self.declare(pipe, variable)
                return
            if following.kind == lx.CHAR and following.text == ",":
                self.declare(pipe, variable)
                if context == "range" and len(pipe.decl) < 2:
                    if self.peek_solid().kind in (lx.VARIABLE, lx.RIGHT_DELIM, lx.RIGHT_PAREN):
                        continue
                    self.fail("range can only initialize variables")
                self.fail(f"too many declarations in {context}")
            self.at = mark
            return

    def declare(self, pipe: nd.Pipe, token: Token) -> None:
        pipe.decl.append(nd.Variable(token.pos, tuple(token.text.split("."))))
        self.scope.variables.append(token.text)

    def check_pipeline(self, pipe: nd.Pipe, context: str) -> None:
        if not pipe.commands:
            self.fail(f"missing value for {context}")
        for stage, command in enumerate(pipe.commands[1:], 2):
            if isinstance(command.args[0], (nd.Bool, nd.Dot, nd.Nil, nd.Number, nd.String)):
                self.fail(f"non executable command in pipeline stage {stage}")

    def command(self) -> nd.Command:
        command = nd.Command(self.peek_solid().pos)
        while True:
            self.peek_solid()
            operand = self.operand()
            if operand is not None:
                command.args.append(operand)
            token = self.next()
            if token.kind == lx.SPACE:
                continue
            if token.kind in (lx.RIGHT_DELIM, lx.RIGHT_PAREN):
                self.back()
            elif token.kind != lx.PIPE:
                self.unexpected(token, "operand")
            break
        if not command.args:
            self.fail("empty command")
        return command

    def operand(self) -> nd.Node | None:
        node = self.term()
        if node is None:
            return None
        first = self.peek()
        if first.kind != lx.FIELD:
            return node
        fields: list[str] = []
        while self.peek().kind == lx.FIELD:
            fields.append(self.next().text[1:])
        if isinstance(node, nd.Field):
            return nd.Field(first.pos, (*node.idents, *fields))
        if isinstance(node, nd.Variable):
            return nd.Variable(first.pos, (*node.idents, *fields))
        if isinstance(node, (nd.Bool, nd.String, nd.Number, nd.Nil, nd.Dot)):
            self.fail(f"unexpected . after term {quote(str(node))}")
        return nd.Chain(first.pos, node, tuple(fields))

    def term(self) -> nd.Node | None:
        token = self.next_solid()
        kind = token.kind
        if kind == lx.IDENTIFIER:
            if token.text not in self.functions:
                self.fail(f"function {quote(token.text)} not defined")
            return nd.Identifier(token.pos, token.text)
        if kind == lx.FIELD:
            return nd.Field(token.pos, (token.text[1:],))
        if kind == lx.VARIABLE:
            if token.text not in self.scope.variables:
                self.fail(f"undefined variable {quote(token.text)}")
            return nd.Variable(token.pos, (token.text,))
        if kind in (lx.STRING, lx.RAW_STRING):
            return nd.String(token.pos, token.text, self.unquote(token.text))
        if kind == lx.DOT:
            return nd.Dot(token.pos)
        if kind == lx.NIL:
            return nd.Nil(token.pos)
        if kind == lx.BOOL:
            return nd.Bool(token.pos, token.text == "true")
        if kind in (lx.NUMBER, lx.CHAR_CONSTANT, lx.COMPLEX):
            try:
                return parse_number(token.pos, token.text, kind)
            except NumberError as problem:
                self.fail(str(problem))
        if kind == lx.LEFT_PAREN:
            if self.depth >= MAX_DEPTH:
                self.fail("max expression depth exceeded")
            self.depth += 1
            pipe = self.pipeline("parenthesized pipeline", lx.RIGHT_PAREN)
            self.depth -= 1
            return pipe
        self.back()
        return None
