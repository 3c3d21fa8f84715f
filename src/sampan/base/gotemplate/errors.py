"""What goes wrong with a template: texts and positions as Go's text/template gives them."""

from __future__ import annotations

from sampan.base.gotemplate.gotypes import GoError


class TemplateError(GoError):
    """Base of this room's errors."""


class ParseError(TemplateError):
    """The text is no template. The message is `template: NAME:LINE: what`."""


class ExecError(TemplateError):
    """Execution stopped. The message is `template: NAME:LINE:COL: executing "X" at <node>: what`.

    `cause` is the error that a called function returned, where there is one; for nested templates it is the
    inner ExecError.
    """

    def __init__(self, message: str, name: str, line: int, cause: GoError | None = None) -> None:
        super().__init__(message, cause)
        self.name = name
        self.line = line


class EvalFault(Exception):
    """Raised by generated code: evaluation of the node at this line fails with the text."""


class ArgumentFault(EvalFault):
    """The argument at `place` of a method does not fit its type."""

    def __init__(self, message: str, place: int, target: str) -> None:
        super().__init__(message)
        self.place, self.target = place, target
