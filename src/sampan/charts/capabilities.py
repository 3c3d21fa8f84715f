"""`.Capabilities`: the versions that a chart may count on. Source: helm 4.3 pkg/chart/common/capabilities.go."""

from __future__ import annotations

import re
from typing import Any, ClassVar, NamedTuple

from sampan.base.gotemplate.gotypes import Func, Strings, Struct
from sampan.base.gotemplate.strconv import quote
from sampan.charts.errors import ChartError
from sampan.charts.versions import HELM_VERSION, KUBE_VERSION

# client-go 1.37's scheme, in its order; what a chart sees without a cluster.
DEFAULT_API_VERSIONS = (
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
)


class KubeVersion(Struct):
    """`Version` as it was given, `normal` without suffixes (what constraints are checked against)."""

    go_type = "common.KubeVersion"
    fields = ("Version", "Major", "Minor")
    printed = ("Version", "normal", "Major", "Minor")
    methods: ClassVar[dict[str, Func]] = {}

    def __init__(self, version: str, normal: str, major: str, minor: str) -> None:
        self.Version, self.normal, self.Major, self.Minor = version, normal, major, minor

    def shown(self) -> str:
        return self.normal or self.Version


KubeVersion.methods.update(
    {
        "String": Func(KubeVersion.shown, (), False, "string"),
        "GitVersion": Func(lambda v: v.Version, (), False, "string"),
    }
)

_GENERIC = re.compile(r"\s*v?([0-9]+(?:\.[0-9]+)*)(.*)\Z", re.DOTALL)


def parse_kube_version(text: str) -> KubeVersion:
    """A version as `--kube-version` takes it. Raises ChartError."""
    match = _GENERIC.match(text)
    if match is None:
        raise ChartError(f"could not parse {quote(text)} as version")
    parts = match[1].split(".")
    if len(parts) < 2:
        raise ChartError(f"illegal version string {quote(text)}")
    for part in parts:
        if len(part) > 1 and part.startswith("0"):
            raise ChartError(f"illegal zero-prefixed version component {quote(part)} in {quote(text)}")
        if int(part) >= 1 << 64:
            raise ChartError(f"could not parse {quote(text)} as version")
    while len(parts) < 3:
        parts.append("0")
    given = text if text.startswith("v") else "v" + text
    return KubeVersion(given, "v" + ".".join(parts), parts[0], parts[1])


class BuildInfo(Struct):
    """`.Capabilities.HelmVersion`"""

    go_type = "version.BuildInfo"
    fields = ("Version", "GitCommit", "GitTreeState", "GoVersion", "KubeClientVersion")

    def __init__(self) -> None:
        self.Version, self.GitCommit, self.GitTreeState = HELM_VERSION, "", "clean"
        self.GoVersion, self.KubeClientVersion = "go1.27.2", "v1.37"

    def json_value(self) -> dict[str, Any]:
        pairs = (
            ("version", self.Version), ("git_commit", self.GitCommit), ("git_tree_state", self.GitTreeState),
            ("go_version", self.GoVersion),
        )  # fmt: skip
        return {**{k: v for k, v in pairs if v}, "kube_client_version": self.KubeClientVersion}


class VersionSet(Strings):
    """`.Capabilities.APIVersions`"""

    go_type = "common.VersionSet"
    methods: ClassVar[dict[str, Func]] = {
        "Has": Func(lambda versions, one: one in versions, ("string",), False, "bool")
    }


class Capabilities(Struct):
    """What templates see as `.Capabilities`."""

    go_type = "*common.Capabilities"
    go_kind = "ptr"
    fields = ("KubeVersion", "APIVersions", "HelmVersion")

    def __init__(self, kube_version: KubeVersion, api_versions: VersionSet) -> None:
        self.KubeVersion, self.APIVersions, self.HelmVersion = kube_version, api_versions, BuildInfo()


class Versions(NamedTuple):
    """Capabilities as plain values: the cluster's version and the `group/version` (and `group/version/Kind`) names."""

    kube_version: str = KUBE_VERSION
    api_versions: tuple[str, ...] = DEFAULT_API_VERSIONS

    def build(self) -> Capabilities:
        """Raises ChartError for a version that is none."""
        return Capabilities(parse_kube_version(self.kube_version), VersionSet(self.api_versions))
