"""Pike's machine: all threads of a pattern step through the text together, so time is text times pattern.

Threads are kept in order of priority, which gives leftmost-first matches with captures.
"""

from __future__ import annotations

from collections.abc import Callable

from sampan.base.gotemplate.re2 import classes as cc
from sampan.base.gotemplate.re2 import syntax as sx

CHAR, SPLIT, SAVE, ASSERT, MATCH, JUMP = range(6)
Caps = tuple[int, ...]


class Program:
    """Instructions as parallel lists: operation, argument, next."""

    def __init__(self, pattern: sx.Pattern) -> None:
        self.op: list[int] = []
        self.arg: list[object] = []
        self.out: list[int] = []
        self.groups = len(pattern.names)
        self.emit(SAVE, 0)
        self.node(pattern.root)
        self.emit(SAVE, 1)
        self.emit(MATCH, None)
        self.tests: dict[int, Callable[[str], bool]] = {}
        self.memo: dict[tuple[int, str], bool] = {}

    def emit(self, op: int, arg: object) -> int:
        self.op.append(op)
        self.arg.append(arg)
        self.out.append(len(self.op))
        return len(self.op) - 1

    def node(self, node: sx.Node) -> None:
        if isinstance(node, sx.Chars):
            self.emit(CHAR, node.ranges)
        elif isinstance(node, sx.Empty):
            if node.kind:
                self.emit(ASSERT, node.kind)
        elif isinstance(node, sx.Group):
            self.emit(SAVE, 2 * node.number)
            self.node(node.body)
            self.emit(SAVE, 2 * node.number + 1)
        elif isinstance(node, sx.Sequence):
            for part in node.parts:
                self.node(part)
        elif isinstance(node, sx.Choice):
            self.choice(node.parts)
        elif isinstance(node, sx.Repeat):
            self.repeat(node)

    def choice(self, parts: list[sx.Node]) -> None:
        ends = []
        for part in parts[:-1]:
            split = self.emit(SPLIT, None)
            self.node(part)
            ends.append(self.emit(JUMP, None))
            self.arg[split] = len(self.op)
        self.node(parts[-1])
        for end in ends:
            self.out[end] = len(self.op)

    def repeat(self, node: sx.Repeat) -> None:
        for _ in range(node.least - (1 if node.most is None and node.least else 0)):
            self.node(node.body)
        if node.most is None:
            if node.least:
                self.plus(node.body, node.greedy)
            elif nullable(node.body):
                # x* over something that may be empty is (x+)?: the loop must not come back without a character.
                split = self.split(node.greedy)
                self.plus(node.body, node.greedy)
                self.close(split, node.greedy)
            else:
                split = self.split(node.greedy)
                self.node(node.body)
                back = self.emit(JUMP, None)
                self.out[back] = split
                self.close(split, node.greedy)
            return
        splits = []
        for _ in range(node.most - node.least):
            splits.append(self.split(node.greedy))
            self.node(node.body)
        for split in splits:
            self.close(split, node.greedy)

    def plus(self, body: sx.Node, greedy: bool) -> None:
        start = len(self.op)
        self.node(body)
        split = self.emit(SPLIT, None)
        if greedy:
            self.out[split], self.arg[split] = start, split + 1
        else:
            self.arg[split] = start

    def split(self, greedy: bool) -> int:
        return self.emit(SPLIT, None)

    def close(self, split: int, greedy: bool) -> None:
        """The way around what follows the split ends here."""
        here = len(self.op)
        if greedy:
            self.arg[split] = here
        else:
            self.arg[split], self.out[split] = self.out[split], here

    # ------------------------------------------------------------ running

    def run(self, text: str, start: int, want: bool) -> Caps | None:
        """The leftmost-first match at or after `start` as positions of the groups; with `want` false any match."""
        size = len(text)
        blank: Caps = (-1,) * (2 * self.groups)
        threads: list[tuple[int, Caps]] = []
        best: Caps | None = None
        at = start
        while True:
            seen: set[int] = set()
            current: list[tuple[int, Caps]] = []
            for pc, caps in threads:
                self.follow(pc, caps, text, at, seen, current)
            if best is None:
                self.follow(0, blank, text, at, seen, current)
            if not current:
                if best is not None or at >= size:
                    return best
                at += 1
                threads = []
                continue
            char = text[at] if at < size else ""
            threads = []
            for pc, caps in current:
                if self.op[pc] == MATCH:
                    best = caps
                    if not want:
                        return best
                    break
                if char and self.accepts(pc, char):
                    threads.append((self.out[pc], caps))
            if at >= size or (best is not None and not threads):
                return best
            at += 1

    def accepts(self, pc: int, char: str) -> bool:
        key = (pc, char)
        known = self.memo.get(key)
        if known is None:
            ranges = self.arg[pc]
            code = ord(char)
            if 0xDC80 <= code <= 0xDCFF:
                code = 0xFFFD  # a byte that is no UTF-8 reads as the replacement character
            known = cc.contains(ranges, code)  # type: ignore[arg-type]
            if len(self.memo) > 20_000:
                self.memo.clear()
            self.memo[key] = known
        return known

    def follow(
        self, pc: int, caps: Caps, text: str, at: int, seen: set[int], out: list[tuple[int, Caps]]
    ) -> None:
        """All instructions that wait for a character, in order, reachable without one."""
        stack = [(pc, caps)]
        while stack:
            pc, caps = stack.pop()
            while pc not in seen:
                seen.add(pc)
                op = self.op[pc]
                if op == JUMP:
                    pc = self.out[pc]
                elif op == SPLIT:
                    second = self.arg[pc]
                    assert isinstance(second, int)
                    stack.append((second, caps))
                    pc = self.out[pc]
                elif op == SAVE:
                    slot = self.arg[pc]
                    assert isinstance(slot, int)
                    caps = (*caps[:slot], at, *caps[slot + 1 :])
                    pc = self.out[pc]
                elif op == ASSERT:
                    if not holds(str(self.arg[pc]), text, at):
                        break
                    pc = self.out[pc]
                else:
                    out.append((pc, caps))
                    break


def nullable(node: sx.Node) -> bool:
    """Can the node match the empty string?"""
    if isinstance(node, sx.Chars):
        return False
    if isinstance(node, sx.Group):
        return nullable(node.body)
    if isinstance(node, sx.Sequence):
        return all(map(nullable, node.parts))
    if isinstance(node, sx.Choice):
        return any(map(nullable, node.parts))
    if isinstance(node, sx.Repeat):
        return node.least == 0 or nullable(node.body)
    return True


def _word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isascii() and (text[at].isalnum() or text[at] == "_")


def holds(kind: str, text: str, at: int) -> bool:
    """Is the assertion true at the place?"""
    if kind == "begin":
        return at == 0
    if kind == "end":
        return at == len(text)
    if kind == "bol":
        return at == 0 or text[at - 1] == "\n"
    if kind == "eol":
        return at == len(text) or text[at] == "\n"
    boundary = _word(text, at - 1) != _word(text, at)
    return boundary == (kind == "word")
