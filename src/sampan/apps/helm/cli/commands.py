"""Helm's commands as data."""

from __future__ import annotations

from sampan.apps.helm.cli.flags import (
    CHART_NOT_YET,
    DRY_RUN,
    EXCLUSIVE,
    GLOBAL,
    OUTPUT,
    RELEASE,
    RENDER,
    REVISION,
    VALUES,
    WAIT,
    WRITE,
    not_yet,
)
from sampan.base.command.model import Command, Flag

_HERE = "sampan.apps.helm.cli"

GENERATE = (
    Flag("generate-name", "make up a name", kind="bool", short="g"),
    Flag("name-template", "a template that gives the name"),
)
SERVER_SIDE = Flag("server-side", "apply on the server (default true)", kind="bool", default=True)
SERVER_SIDE_AUTO = Flag(
    "server-side",
    "apply on the server: true, false, or auto (as the last revision)",
    default="auto",
)

INSTALL = Command(
    "install",
    "install a chart",
    run=f"{_HERE}.releases:install",
    args="[NAME] [CHART]",
    min_args=1,
    max_args=-1,
    flags=(
        *RELEASE,
        *GENERATE,
        SERVER_SIDE,
        Flag("replace", "take the name of an uninstalled release that is kept", kind="bool"),
    ),
    example="  sampan helm install web ./chart --wait --set image.tag=2",
    exclusive=EXCLUSIVE,
)
UPGRADE = Command(
    "upgrade",
    "upgrade a release",
    run=f"{_HERE}.releases:upgrade",
    args="[RELEASE] [CHART]",
    min_args=2,
    max_args=2,
    flags=(
        *RELEASE,
        SERVER_SIDE_AUTO,
        Flag("install", "install it when there is no such release", kind="bool", short="i"),
        Flag("cleanup-on-fail", "delete what a failed upgrade has created", kind="bool"),
        Flag("history-max", "most revisions kept, 0 for all", kind="int", default=10),
        Flag("reset-values", "start from the chart's own values", kind="bool"),
        Flag("reuse-values", "start from the last revision's values", kind="bool"),
        Flag("reset-then-reuse-values", "the chart's own values, then the last revision's", kind="bool"),
    ),
    exclusive=EXCLUSIVE,
)
ROLLBACK = Command(
    "rollback",
    "roll back a release to a previous revision",
    run=f"{_HERE}.releases:rollback",
    args="<RELEASE> [REVISION]",
    min_args=1,
    max_args=-1,
    exclusive=EXCLUSIVE,
    flags=(
        *WRITE,
        *WAIT,
        SERVER_SIDE_AUTO,
        Flag("cleanup-on-fail", "delete what a failed rollback has created", kind="bool"),
        Flag("history-max", "most revisions kept, 0 for all", kind="int", default=10),
    ),
)
UNINSTALL = Command(
    "uninstall",
    "uninstall a release",
    run=f"{_HERE}.releases:uninstall",
    args="RELEASE_NAME [...]",
    min_args=1,
    max_args=-1,
    aliases=("del", "delete", "un"),
    flags=(
        DRY_RUN._replace(kind="bool", default=False, implied="", help="change nothing"),
        Flag("no-hooks", "run no hooks", kind="bool"),
        Flag("keep-history", "keep the record, marked as uninstalled", kind="bool"),
        Flag("ignore-not-found", "a release that is not there is fine", kind="bool"),
        Flag(
            "cascade",
            "how dependents are deleted: background, orphan or foreground",
            default="background",
        ),
        Flag("description", "a description of this revision"),
        *(flag for flag in WAIT if flag.name != "wait-for-jobs"),
    ),
)
TEST = Command(
    "test",
    "run tests for a release",
    run=f"{_HERE}.releases:test",
    args="[RELEASE]",
    min_args=1,
    max_args=1,
    flags=(
        Flag("filter", "name=NAME or !name=NAME (repeatable)", kind="strings"),
        Flag("logs", "print the logs of the tests' pods", kind="bool"),
        Flag("timeout", "time to wait for any one operation", kind="duration", default="5m0s"),
    ),
)
LIST = Command(
    "list",
    "list releases",
    run=f"{_HERE}.reading:listing",
    aliases=("ls",),
    flags=(
        Flag("all-namespaces", "releases of all namespaces", kind="bool", short="A"),
        Flag("all", "", kind="bool", short="a", hidden=True),
        Flag("date", "sort by date", kind="bool", short="d"),
        Flag("reverse", "reverse the order", kind="bool", short="r"),
        Flag("short", "names only", kind="bool", short="q"),
        Flag("no-headers", "no heading line", kind="bool"),
        Flag("filter", "a regular expression that names must match", short="f"),
        Flag("selector", "labels of the release record", short="l"),
        Flag("max", "most releases shown, 0 for all", kind="int", default=256, short="m"),
        Flag("offset", "releases passed over", kind="int"),
        Flag("time-format", "time in Go's layout"),
        *(
            Flag(s, f"show {s} releases", kind="bool")
            for s in ("deployed", "failed", "pending", "superseded", "uninstalled", "uninstalling")
        ),
        OUTPUT,
    ),
)
STATUS = Command(
    "status",
    "display the status of the named release",
    run=f"{_HERE}.reading:status",
    args="RELEASE_NAME",
    min_args=1,
    max_args=1,
    flags=(OUTPUT, REVISION),
)
HISTORY = Command(
    "history",
    "fetch release history",
    run=f"{_HERE}.reading:history",
    args="RELEASE_NAME",
    min_args=1,
    max_args=1,
    aliases=("hist",),
    flags=(
        OUTPUT,
        Flag("max", "most revisions shown", kind="int", default=256),
        Flag("show-rollback-revision", "with the revision that was rolled back to", kind="bool"),
    ),
)


def _get(name: str, short: str, *flags: Flag) -> Command:
    return Command(
        name,
        short,
        run=f"{_HERE}.reading:get_{name}",
        args="RELEASE_NAME",
        min_args=1,
        max_args=1,
        flags=(REVISION, *flags),
    )


GET = Command(
    "get",
    "download extended information of a named release",
    commands=(
        _get("all", "download all information for a named release", not_yet("template")),
        _get("hooks", "download all hooks for a named release"),
        _get("manifest", "download the manifest for a named release"),
        _get("metadata", "This command fetches metadata for a given release", OUTPUT),
        _get("notes", "download the notes for a named release"),
        _get(
            "values",
            "download the values file for a named release",
            OUTPUT,
            Flag("all", "computed values too", kind="bool", short="a"),
        ),
    ),
)
_NO_EFFECT = "this flag has no effect for 'helm template' and will be removed in Helm 5"
TEMPLATE = Command(
    "template",
    "locally render templates",
    run=f"{_HERE}.templating:template",
    args="[NAME] [CHART]",
    min_args=1,
    max_args=-1,
    flags=(
        *VALUES,
        *(flag for flag in RENDER if flag.name != "render-subchart-notes"),
        Flag("render-subchart-notes", "", kind="bool", deprecated=_NO_EFFECT),
        *CHART_NOT_YET,
        *GENERATE,
        not_yet("post-renderer"),
        not_yet("post-renderer-args", "array"),
        DRY_RUN._replace(default="client"),
        Flag("validate", "", kind="bool", deprecated="use '--dry-run=server' instead"),
        Flag("hide-notes", "", kind="bool", deprecated=_NO_EFFECT),
        Flag("take-ownership", "with --dry-run=server, objects may be somebody else's", kind="bool"),
        Flag("api-versions", "API versions that templates see (repeatable)", kind="strings", short="a"),
        Flag("kube-version", "Kubernetes version that templates see"),
        Flag("show-only", "only what comes from these templates (repeatable)", kind="array", short="s"),
        Flag("include-crds", "with what is in crds/", kind="bool"),
        Flag("skip-crds", "without what is in crds/", kind="bool", hidden=True),
        Flag("skip-tests", "without test hooks", kind="bool"),
        Flag("no-hooks", "without hooks", kind="bool"),
        Flag("is-upgrade", "render as for an upgrade", kind="bool"),
        Flag("output-dir", "write files into this folder"),
        Flag("release-name", "with --output-dir, into a folder named like the release", kind="bool"),
    ),
    exclusive=(("validate", "dry-run"),),
)
LINT = Command(
    "lint",
    "examine a chart for possible issues",
    run=f"{_HERE}.charting:lint",
    args="PATH",
    min_args=1,
    max_args=-1,
    flags=(
        *VALUES,
        Flag("strict", "fail on warnings", kind="bool"),
        Flag("quiet", "print only warnings and errors", kind="bool"),
        Flag("with-subcharts", "lint the charts inside as well", kind="bool"),
        Flag("kube-version", "Kubernetes version that templates see"),
        Flag("skip-schema-validation", "do not check values against values.schema.json", kind="bool"),
    ),
)
CREATE = Command(
    "create",
    "create a new chart with the given name",
    run=f"{_HERE}.charting:create",
    args="NAME",
    min_args=1,
    max_args=1,
    flags=(Flag("starter", "path of a starter chart", short="p"),),
)
PACKAGE = Command(
    "package",
    "package a chart directory into a chart archive",
    run=f"{_HERE}.charting:package",
    args="[CHART_PATH] [...]",
    max_args=-1,
    flags=(
        Flag("destination", "folder to write to", short="d", default="."),
        Flag("version", "set the chart's version"),
        Flag("app-version", "set the chart's appVersion"),
        not_yet("sign", "bool"),
        not_yet("key"),
        not_yet("keyring"),
        not_yet("passphrase-file"),
        not_yet("dependency-update", "bool", short="u"),
    ),
)


def _show(name: str, short: str, *flags: Flag) -> Command:
    return Command(
        name,
        short,
        run=f"{_HERE}.charting:show_{name}",
        args="[CHART]",
        min_args=1,
        max_args=1,
        flags=(*CHART_NOT_YET, *flags),
    )


SHOW = Command(
    "show",
    "show information of a chart",
    aliases=("inspect",),
    commands=(
        _show("all", "show all information of the chart"),
        _show("chart", "show the chart's definition"),
        _show("crds", "show the chart's CRDs"),
        _show("readme", "show the chart's README"),
        _show("values", "show the chart's values", not_yet("jsonpath")),
    ),
)
VERSION = Command(
    "version",
    "print the helm version information",
    run=f"{_HERE}.about:version",
    flags=(Flag("short", "only the number", kind="bool"), not_yet("template")),
)
NOT_YET = tuple(
    Command(name, "", run=f"{_HERE}.about:not_yet", hidden=True, passthrough=True)
    for name in (
        "dependency",
        "dep",
        "dependencies",
        "repo",
        "search",
        "pull",
        "fetch",
        "push",
        "registry",
        "plugin",
        "verify",
        "env",
    )
)

ROOT = Command(
    "helm",
    "The Kubernetes package manager",
    persistent=GLOBAL,
    commands=(
        CREATE, GET, HISTORY, INSTALL, LINT, LIST, PACKAGE, ROLLBACK, SHOW, STATUS, TEMPLATE, TEST, UNINSTALL, UPGRADE, VERSION,
        *NOT_YET,
    ),
)  # fmt: skip
