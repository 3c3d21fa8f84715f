"""The name of a release: given, generated, or by a template."""

from __future__ import annotations

import time
from pathlib import PurePosixPath

from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import Invocation


def name_and_chart(call: Invocation, *, default: str = "") -> tuple[str, str]:
    """(name, chart) of install and template. Raises HelmError with Helm's words."""
    generate, template = call.flag("generate-name"), call.flag("name-template")
    if len(call.args) == 2:
        if generate or template:
            raise HelmError(
                "cannot set --generate-name and also specify a name"
                if generate
                else "cannot set --name-template and also specify a name"
            )
        return call.args[0], call.args[1]
    chart = call.args[0]
    if template:
        return _by_template(template), chart
    if generate:
        base = PurePosixPath(chart.rstrip("/")).name.partition(".tgz")[0] or "chart"
        return f"{base}-{int(time.time())}", chart
    if default:
        return default, chart
    raise HelmError("INSTALLATION FAILED: must either provide a name or specify --generate-name")


def _by_template(text: str) -> str:
    from sampan.base.gotemplate.template import Execution, TemplateSet
    from sampan.charts.funcs import State
    from sampan.charts.render import environment

    known = TemplateSet(environment(), "name-template")
    known.add("name-template", text)
    return Execution(known, State()).run_named("name-template", None)
