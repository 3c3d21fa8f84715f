"""Helm's flags, in the groups in which its commands share them."""

from __future__ import annotations

from sampan.base.command.model import Flag

NOT_YET = "is not supported yet by this helm"


def not_yet(name: str, kind: str = "string", short: str = "") -> Flag:
    """A flag of Helm that asks for what is not there yet: refused by name, not taken for a typing error."""
    return Flag(name, "", kind=kind, short=short, hidden=True, refusal=NOT_YET)


OUTPUT = Flag(
    "output",
    "print the output as table, json or yaml",
    short="o",
    default="table",
    choices=("table", "json", "yaml"),
    metavar="format",
    refusal="invalid format type",
)

GLOBAL = (
    Flag("namespace", "namespace of the release", short="n"),
    Flag("kubeconfig", "path of the kubeconfig"),
    Flag("kube-context", "context of the kubeconfig to use"),
    Flag("kube-apiserver", "address of the API server, instead of the kubeconfig's"),
    Flag("kube-token", "bearer token, instead of the kubeconfig's credentials"),
    Flag("kube-ca-file", "CA certificates of the API server"),
    Flag("kube-insecure-skip-tls-verify", "do not verify the API server's certificate", kind="bool"),
    Flag("kube-tls-server-name", "name that the API server's certificate is checked against"),
    Flag("kube-as-user", "user to impersonate"),
    Flag("kube-as-group", "group to impersonate (repeatable)", kind="array"),
    Flag("debug", "print more of what is done", kind="bool"),
    Flag("color", "never or auto, which mean the same here", default="auto", choices=("never", "auto")),
    *(
        not_yet(name)
        for name in (
            "burst-limit",
            "qps",
            "registry-config",
            "repository-config",
            "repository-cache",
            "content-cache",
        )
    ),
)

VALUES = (
    Flag("values", "values from a YAML file (repeatable)", kind="strings", short="f"),
    Flag("set", "set values: key1=val1,key2=val2 (repeatable)", kind="array"),
    Flag("set-string", "set values as strings (repeatable)", kind="array"),
    Flag("set-file", "set values from the contents of files: key=path (repeatable)", kind="array"),
    Flag("set-json", "set values as JSON: key=json, or one object (repeatable)", kind="array"),
    Flag("set-literal", "set a value literally: key=value (repeatable)", kind="array"),
)

CHART_NOT_YET = (
    not_yet("repo"),
    not_yet("version"),
    not_yet("devel", "bool"),
    not_yet("verify", "bool"),
    not_yet("keyring"),
    not_yet("username"),
    not_yet("password"),
    not_yet("ca-file"),
    not_yet("cert-file"),
    not_yet("key-file"),
    not_yet("insecure-skip-tls-verify", "bool"),
    not_yet("pass-credentials", "bool"),
    not_yet("plain-http", "bool"),
    not_yet("dependency-update", "bool"),
)
RENDER_NOT_YET = (
    not_yet("post-renderer"),
    not_yet("post-renderer-args", "array"),
)

WAIT = (
    Flag(
        "wait",
        "wait until resources are ready, up to --timeout: watcher, legacy, or hookOnly (default hookOnly)",
        kind="optional",
        default="hookOnly",
        implied="watcher",
        metavar="WaitStrategy",
        choices=("watcher", "legacy", "hookOnly", "true", "false"),
        refusal='invalid wait input "{}". Valid inputs are watcher, hookOnly, and legacy',
    ),
    Flag("wait-for-jobs", "with --wait, wait until all Jobs are complete", kind="bool"),
    Flag("timeout", "time to wait for any one operation", kind="duration", default="5m0s"),
)
DRY_RUN = Flag(
    "dry-run",
    "change nothing: client renders here, server asks the cluster as well (default none)",
    kind="optional",
    default="none",
    implied="unset",
)
WRITE = (
    DRY_RUN,
    Flag("no-hooks", "run no hooks", kind="bool"),
    Flag("force-conflicts", "take fields over from other managers", kind="bool"),
    Flag("force-replace", "replace whole objects", kind="bool"),
    Flag("force", "", kind="bool", deprecated="use --force-replace instead"),
    Flag("description", "a description of this revision"),
)
RENDER = (
    Flag("enable-dns", "let templates look names up", kind="bool"),
    Flag("skip-schema-validation", "do not check values against values.schema.json", kind="bool"),
    # What it turns off is Helm's check before a server that cannot check; every server of today can.
    Flag("disable-openapi-validation", "", kind="bool", hidden=True),
    Flag("render-subchart-notes", "show the notes of charts inside as well", kind="bool"),
)
RELEASE = (
    *VALUES,
    *WRITE,
    *RENDER,
    *WAIT,
    OUTPUT,
    *CHART_NOT_YET,
    *RENDER_NOT_YET,
    Flag("create-namespace", "make the release's namespace if it is not there", kind="bool"),
    Flag("hide-notes", "do not show the notes", kind="bool"),
    Flag("hide-secret", "hide Secrets in a dry run", kind="bool"),
    Flag(
        "labels",
        "labels of the release record: key=value,key=value",
        kind="strings",
        short="l",
        metavar="stringToString",
    ),
    Flag("rollback-on-failure", "undo it when it fails; waits as with --wait", kind="bool"),
    Flag("atomic", "", kind="bool", deprecated="use --rollback-on-failure instead"),
    Flag("skip-crds", "do not create what is in crds/", kind="bool"),
    Flag("take-ownership", "adopt existing objects that are not this release's", kind="bool"),
)
REVISION = Flag("revision", "revision of the release (default: the last)", kind="int")
EXCLUSIVE = (("force-replace", "force-conflicts"), ("force", "force-conflicts"))
