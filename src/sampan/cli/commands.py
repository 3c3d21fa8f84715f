"""Every command as data: names, flags, help. `main` finds the one that is meant and calls it."""

from __future__ import annotations

from sampan.base.command.model import Command, Flag

NAME = Flag("name", "name of the cluster", default="sampan", short="")
DATA = Flag(
    "data-dir",
    "data folder (default: /var/lib/sampan/NAME, without root ~/.local/share/sampan/NAME)",
    metavar="path",
)
OUTPUT = Flag("output", "output form: json or yaml", short="o", choices=("json", "yaml"))
CLUSTER = (NAME, DATA)

UP = Command(
    "up",
    "Start a cluster, or make sure that it runs",
    run="sampan.cli.cluster:up",
    long="""\
Start a cluster in the background, or make sure that it runs.

The first run makes certificates and the data folder; the next ones take what is there. A cluster that runs already is
left alone; one of another build of sampan gets new processes and keeps its pods. The context "sampan" (or
"sampan-NAME") is written into your kubeconfig.""",
    example="""\
  # a cluster with real pods (needs root and crun or runc)
  sudo sampan up

  # API, controllers, scheduler and simulated pods, without root
  sampan up --runtime simulated

  # a second cluster beside the first
  sudo sampan up --name blue""",
    flags=(
        *CLUSTER,
        OUTPUT,
        Flag("foreground", "stay in the foreground and stop the cluster on ctrl-c", kind="bool", short="f"),
        Flag("bind", "address that the API listens on (default 127.0.0.1)", metavar="address"),
        Flag("api-port", "port of the API (default: the first free one from 6443)", kind="int"),
        Flag("pod-cidr", "address range of pods (default: a free one, 10.42.0.0/16 first)", metavar="range"),
        Flag(
            "service-cidr",
            "address range of services (default: a free one, 10.43.0.0/16 first)",
            metavar="range",
        ),
        Flag("runtime", "what pods run on: oci (crun or runc) or simulated", choices=("oci", "simulated")),
        Flag("node-name", "name of the node (default: the host's name)"),
        Flag(
            "disable",
            "component to leave out, for one of your own: controllers, scheduler, node, network, proxy,\n"
            "dns, localpath, servicelb (repeatable)",
            kind="strings",
            metavar="component",
        ),
        Flag(
            "kubeconfig",
            "kubeconfig to write the context into (default: $KUBECONFIG or ~/.kube/config)",
            metavar="path",
        ),
        Flag("no-kubeconfig", "write no kubeconfig", kind="bool"),
    ),
)

IMAGE = Command(
    "image",
    "Images on the node",
    commands=(
        Command(
            "import",
            "Import docker or OCI archives",
            run="sampan.cli.image:load",
            args="FILE|-",
            min_args=1,
            max_args=-1,
            flags=CLUSTER,
            example="""\
  docker save my/app:1.0 | sampan image import -
  sampan image import app.tar""",
        ),
        Command(
            "list", "List images", run="sampan.cli.image:listing", aliases=("ls",), flags=(*CLUSTER, OUTPUT)
        ),
        Command(
            "remove",
            "Remove images",
            run="sampan.cli.image:remove",
            args="IMAGE...",
            min_args=1,
            max_args=-1,
            aliases=("rm",),
            flags=CLUSTER,
        ),
    ),
)

ROOT = Command(
    "sampan",
    "Kubernetes' plugin layer in one Python package: a real cluster in about a second",
    commands=(
        UP,
        Command("down", "Stop a cluster; its data stays", run="sampan.cli.cluster:down", flags=CLUSTER),
        Command(
            "delete",
            "Stop a cluster and remove its data",
            run="sampan.cli.cluster:delete",
            flags=(*CLUSTER, Flag("kubeconfig", "kubeconfig to take the context out of", metavar="path")),
        ),
        Command(
            "status",
            "Show the components of a cluster",
            run="sampan.cli.cluster:status",
            flags=(*CLUSTER, OUTPUT),
            long="Show the components of a cluster.\n\nExit code 0: all run; 1: something is sick; 3: the cluster does not run.",
        ),
        Command(
            "kubeconfig",
            "Print a kubeconfig of a cluster",
            run="sampan.cli.cluster:kubeconfig",
            flags=CLUSTER,
            example="  sampan kubeconfig > ~/blue.yaml",
        ),
        Command(
            "logs",
            "Print logs of sampan's components",
            run="sampan.cli.logs:logs",
            args="[COMPONENT]",
            max_args=1,
            flags=(
                *CLUSTER,
                Flag("follow", "print new lines as they are written", kind="bool", short="f"),
                Flag("tail", "lines to begin with (-1: all)", kind="int", default=100),
            ),
        ),
        IMAGE,
        Command(
            "helm",
            "Helm: charts and releases",
            run="sampan.cli.handover:helm",
            passthrough=True,
            args="COMMAND [flags]",
        ),
        Command(
            "kubectl",
            "The kubectl on PATH, or that of the extra sampan[kubectl], on this cluster",
            run="sampan.cli.handover:kubectl",
            passthrough=True,
            args="COMMAND [flags]",
        ),
        Command("version", "Print the version", run="sampan.cli.version:version", flags=(OUTPUT,)),
        Command(
            "completion",
            "Print a completion script for a shell",
            run="sampan.cli.version:completion",
            args="bash|zsh|fish",
            min_args=1,
            max_args=1,
            example="  source <(sampan completion bash)",
        ),
        Command("__complete", "", run="sampan.cli.version:complete", passthrough=True, hidden=True),
    ),
)
