"""Where the command's log lines go: stderr, as Helm writes them; debug lines with --debug or HELM_DEBUG."""

from __future__ import annotations

import logging
import os
import re
import sys

from sampan.apps.helm import slog
from sampan.base.command.parse import Invocation

_ATTRIBUTE = re.compile(r" (\w+)=%s")


def tell(text: str) -> None:
    """Text for people goes to stderr, so that stdout stays what was asked for."""
    print(text, file=sys.stderr)


def is_debug(call: Invocation) -> bool:
    return bool(call.flag("debug")) or os.environ.get("HELM_DEBUG", "").lower() in ("1", "t", "true")


def logger(call: Invocation) -> slog.Log:
    debug = is_debug(call)

    def log(level: str, message: str, /, **attributes: object) -> None:
        if level != slog.DEBUG or debug:
            tell(slog.line(level, message, **attributes))

    return log


class Handler(logging.Handler):
    """Lines of Python's logging in the same form: `missing value name=%s` has one attribute."""

    def emit(self, record: logging.LogRecord) -> None:
        text = str(record.msg)
        names = _ATTRIBUTE.findall(text)
        level = {"WARNING": slog.WARN, "CRITICAL": slog.ERROR}.get(record.levelname, record.levelname)
        if isinstance(record.args, tuple) and len(names) == len(record.args):
            attributes = dict(zip(names, record.args, strict=True))
            tell(slog.line(level, _ATTRIBUTE.sub("", text), **attributes))
        else:
            tell(slog.line(level, record.getMessage()))


def listen() -> None:
    """Shows what charts log, from now on."""
    log = logging.getLogger("sampan.charts")
    if not any(isinstance(handler, Handler) for handler in log.handlers):
        log.addHandler(Handler())
        log.setLevel(logging.INFO)
        log.propagate = False
