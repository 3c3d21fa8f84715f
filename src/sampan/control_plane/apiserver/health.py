"""/healthz, /livez and /readyz with their checks.

k8s.io/apiserver pkg/server/healthz. `?verbose` lists every check, `?exclude=NAME` leaves one out, /readyz/NAME asks one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sampan.base.http.model import Request, Response
from sampan.control_plane.apiserver.wire import answer

Check = Callable[[], str]
"""Gives "" when all is well, else what is wrong."""

ENDPOINTS = ("healthz", "livez", "readyz")


class Health:
    """`checks`: per endpoint the named checks, in the order in which they are shown."""

    def __init__(self, checks: Mapping[str, Mapping[str, Check]]) -> None:
        self._checks = checks

    def answer(self, request: Request) -> Response | None:
        """None for other paths."""
        endpoint, _, single = request.path.strip("/").partition("/")
        checks = self._checks.get(endpoint)
        if checks is None:
            return None
        if single:
            check = checks.get(single)
            if check is None:
                return answer.text("404 page not found\n", 404)
            wrong = check()
            return answer.text("ok") if not wrong else answer.text(f"internal server error: {wrong}\n", 500)
        return self._all(endpoint, checks, request)

    def _all(self, endpoint: str, checks: Mapping[str, Check], request: Request) -> Response:
        excluded = set(request.arguments.get("exclude", [])) if request.query else set()
        lines: list[str] = []
        failed = False
        for name, check in checks.items():
            if name in excluded:
                excluded.discard(name)
                lines.append(f"[+]{name} excluded: ok")
                continue
            wrong = check()
            failed = failed or bool(wrong)
            lines.append(f"[-]{name} failed: reason withheld" if wrong else f"[+]{name} ok")
        lines += [
            f'warn: some health checks cannot be excluded: no matches for "{name}"'
            for name in sorted(excluded)
        ]
        if failed:
            return answer.text("\n".join([*lines, f"{endpoint} check failed", ""]), 500)
        if "verbose" in request.arguments:
            return answer.text("\n".join([*lines, f"{endpoint} check passed", ""]))
        return answer.text("ok")
