"""The name of a release: given, generated, or by a template. helm 4.3 pkg/action/install.go (NameAndChart)."""

from __future__ import annotations

import time
from pathlib import PurePosixPath

from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import Invocation


def name_and_chart(call: Invocation, *, default: str = "") -> tuple[str, str]:
    """(name, chart) of install and template. Raises HelmError with Helm's words."""
    generate, template = call.flag("generate-name"), call.flag("name-template")
    if len(call.args) > 2:
        raise HelmError(f"expected at most two arguments, unexpected arguments: {', '.join(call.args[2:])}")
    if len(call.args) == 2:
        if generate:
            raise HelmError("cannot set --generate-name and also specify a name")
        if template:
            raise HelmError("cannot set --name-template and also specify a name")
        return call.args[0], call.args[1]
    chart = call.args[0]
    if template:
        return by_template(template), chart
    if default:
        return default, chart
    if generate:
        return generated(chart, time.time()), chart
    raise HelmError("must either provide a name or specify --generate-name")


def generated(chart: str, now: float) -> str:
    """The chart's name up to its first dot, and the time."""
    base = PurePosixPath(chart.rstrip("/")).name or "chart"
    return f"{base.partition('.')[0]}-{int(now)}"


def by_template(text: str) -> str:
    """A name by a template with sprig's functions. Raises HelmError."""
    from sampan.base.gotemplate.errors import ExecError, ParseError
    from sampan.base.gotemplate.gotypes import GoError
    from sampan.base.gotemplate.template import Execution, TemplateSet
    from sampan.charts.funcs import State
    from sampan.charts.render import environment

    try:
        known = TemplateSet(environment(), "name-template")
        known.add("name-template", text)
        return Execution(known, State()).run_named("name-template", None)
    except (ParseError, ExecError, GoError) as error:
        raise HelmError(str(error)) from error
