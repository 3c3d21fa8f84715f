"""The Pod Security Standards as checks: what a pod at level baseline or restricted may not do.

k8s.io/pod-security-admission policy/check_*.go, at their newest versions (1.37). Each check gives "" for a good pod, else
its reason and, in parentheses, its detail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

PRIVILEGED: Final = "privileged"
BASELINE: Final = "baseline"
RESTRICTED: Final = "restricted"
LEVELS: Final = (PRIVILEGED, BASELINE, RESTRICTED)

Object = Mapping[str, Any]


class Pod(NamedTuple):
    """metadata and spec of a pod or a template; containers of all three kinds in upstream's order."""

    metadata: Object
    spec: Object
    containers: Sequence[Object]

    @property
    def context(self) -> Object:
        return self.spec.get("securityContext") or {}

    @property
    def is_windows(self) -> bool:
        return (self.spec.get("os") or {}).get("name") == "windows"

    @property
    def has_users_of_its_own(self) -> bool:
        return self.spec.get("hostUsers") is False


def pod_of(metadata: Object, spec: Object) -> Pod:
    kinds = ("initContainers", "containers", "ephemeralContainers")
    return Pod(metadata, spec, [container for kind in kinds for container in spec.get(kind) or ()])


class Finding(NamedTuple):
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


Check = Callable[[Pod], Finding | None]


def evaluate(level: str, pod: Pod) -> list[Finding]:
    """Everything in which the pod is not what the level asks for, in upstream's order."""
    checks = {BASELINE: _BASELINE, RESTRICTED: _RESTRICTED}.get(level, ())
    return [finding for check in checks if (finding := check(pod)) is not None]


def _context(container: Object) -> Object:
    return container.get("securityContext") or {}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _plural(word: str, items: Sequence[object]) -> str:
    return word if len(items) == 1 else f"{word}s"


def _containers(names: Sequence[str]) -> str:
    return f"{_plural('container', names)} {_quoted(names)}"


def _names(pod: Pod, bad: Callable[[Object], object]) -> list[str]:
    return [str(container.get("name") or "") for container in pod.containers if bad(container)]


def _setters(pod_is_bad: bool, containers: Sequence[str]) -> str:
    parts = (["pod"] if pod_is_bad else []) + ([_containers(containers)] if containers else [])
    return " and ".join(parts)


def _escalation(pod: Pod) -> Finding | None:
    bad = _names(pod, lambda c: _context(c).get("allowPrivilegeEscalation") is not False)
    if not bad or pod.is_windows:
        return None
    detail = f"{_containers(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Finding("allowPrivilegeEscalation != false", detail)


_APPARMOR_ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"


def _apparmor(pod: Pod) -> Finding | None:
    def profile(context: Object) -> str:
        return str((context.get("appArmorProfile") or {}).get("type") or "")

    allowed = ("", "RuntimeDefault", "Localhost")
    bad = _names(pod, lambda c: profile(_context(c)) not in allowed)
    pod_is_bad = profile(pod.context) not in allowed
    profiles = {profile(pod.context), *(profile(_context(c)) for c in pod.containers)} - set(allowed)
    annotations = sorted(
        f'{key}="{value}"'
        for key, value in (pod.metadata.get("annotations") or {}).items()
        if key.startswith(_APPARMOR_ANNOTATION)
        and value not in ("", "runtime/default")
        and not value.startswith("localhost/")
    )
    setters = [_setters(pod_is_bad, bad)] if pod_is_bad or bad else []
    if annotations:
        setters.append(_plural("annotation", annotations))
    if not setters:
        return None
    values = [*sorted(profiles), *annotations]
    # Upstream joins quotes around annotations that hold quotes already.
    detail = f"{' and '.join(setters)} must not set AppArmor profile type to {_quoted(values)}"
    return Finding(_plural("forbidden AppArmor profile", values), detail)


_DEFAULT_CAPABILITIES: Final = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)


def _added(container: Object) -> set[str]:
    return set((_context(container).get("capabilities") or {}).get("add") or ())


def _capabilities_baseline(pod: Pod) -> Finding | None:
    return _capabilities(pod, _DEFAULT_CAPABILITIES, "non-default capabilities")


def _capabilities(pod: Pod, allowed: frozenset[str], reason: str) -> Finding | None:
    bad = _names(pod, lambda c: _added(c) - allowed)
    if not bad:
        return None
    capabilities = sorted(set().union(*(_added(c) for c in pod.containers)) - allowed)
    detail = (
        f"{_containers(bad)} must not include {_quoted(capabilities)} in securityContext.capabilities.add"
    )
    return Finding(reason, detail)


def _capabilities_restricted(pod: Pod) -> Finding | None:
    if pod.is_windows:
        return None
    reason = "unrestricted capabilities"
    keeping = _names(pod, lambda c: "ALL" not in ((_context(c).get("capabilities") or {}).get("drop") or ()))
    adding = _capabilities(pod, frozenset({"NET_BIND_SERVICE"}), reason)
    details = (
        [f'{_containers(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    )
    if adding is not None:
        details.append(adding.detail)
    return Finding(reason, "; ".join(details)) if details else None


def _host_namespaces(pod: Pod) -> Finding | None:
    shared = [f"{key}=true" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(key)]
    return Finding("host namespaces", ", ".join(shared)) if shared else None


def _host_path(pod: Pod) -> Finding | None:
    bad = [str(v.get("name")) for v in pod.spec.get("volumes") or () if v.get("hostPath") is not None]
    return Finding("hostPath volumes", f"{_plural('volume', bad)} {_quoted(bad)}") if bad else None


def _host_ports(pod: Pod) -> Finding | None:
    def ports(container: Object) -> set[str]:
        return {str(p["hostPort"]) for p in container.get("ports") or () if p.get("hostPort")}

    bad = _names(pod, ports)
    if not bad:
        return None
    listed = sorted(set().union(*(ports(c) for c in pod.containers)))
    verb = "uses" if len(bad) == 1 else "use"
    return Finding("hostPort", f"{_containers(bad)} {verb} {_plural('hostPort', listed)} {', '.join(listed)}")


def _probe_hosts(container: Object) -> set[str]:
    lifecycle = container.get("lifecycle") or {}
    handlers = [container.get(key) for key in ("livenessProbe", "readinessProbe", "startupProbe")]
    handlers += [lifecycle.get(key) for key in ("postStart", "preStop")]
    actions = [(handler or {}).get(key) or {} for handler in handlers for key in ("httpGet", "tcpSocket")]
    return {str(action["host"]) for action in actions if action.get("host")}


def _host_probes(pod: Pod) -> Finding | None:
    bad = sorted(set(_names(pod, _probe_hosts)))
    if not bad:
        return None
    hosts = sorted(set().union(*(_probe_hosts(c) for c in pod.containers)))
    verb = "uses" if len(bad) == 1 else "use"
    what = _plural("probe or lifecycle host", hosts)
    return Finding("probe or lifecycle host", f"{_containers(bad)} {verb} {what} {_quoted(hosts)}")


def _privileged(pod: Pod) -> Finding | None:
    bad = _names(pod, lambda c: _context(c).get("privileged"))
    if not bad:
        return None
    return Finding("privileged", f"{_containers(bad)} must not set securityContext.privileged=true")


def _proc_mount(pod: Pod) -> Finding | None:
    def mount(container: Object) -> str:
        return str(_context(container).get("procMount") or "Default")

    bad = _names(pod, lambda c: mount(c) != "Default")
    if not bad:
        return None
    kinds = sorted({mount(c) for c in pod.containers} - {"Default"})
    return Finding(
        "procMount", f"{_containers(bad)} must not set securityContext.procMount to {_quoted(kinds)}"
    )


def _proc_mount_baseline(pod: Pod) -> Finding | None:
    return None if pod.has_users_of_its_own else _proc_mount(pod)


_FREE_VOLUMES: Final = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)


def _volumes(pod: Pod) -> Finding | None:
    bad = [
        v for v in pod.spec.get("volumes") or () if not any(v.get(kind) is not None for kind in _FREE_VOLUMES)
    ]
    if not bad:
        return None
    kinds = sorted({next((key for key in volume if key != "name"), "unknown") for volume in bad})
    verb = "uses" if len(bad) == 1 else "use"
    named = f"{_plural('volume', bad)} {_quoted(str(v.get('name')) for v in bad)}"
    what = _plural("restricted volume type", kinds)
    return Finding("restricted volume types", f"{named} {verb} {what} {_quoted(kinds)}")


def _non_root(pod: Pod) -> Finding | None:
    if pod.has_users_of_its_own:
        return None
    said = pod.context.get("runAsNonRoot")
    explicit = _names(pod, lambda c: _context(c).get("runAsNonRoot") is False)
    reason = "runAsNonRoot != true"
    if said is False or explicit:
        return Finding(
            reason, f"{_setters(said is False, explicit)} must not set securityContext.runAsNonRoot=false"
        )
    silent = _names(pod, lambda c: _context(c).get("runAsNonRoot") is None)
    if said or not silent:
        return None
    return Finding(reason, f"pod or {_containers(silent)} must set securityContext.runAsNonRoot=true")


def _user(pod: Pod) -> Finding | None:
    if pod.has_users_of_its_own:
        return None
    bad = _names(pod, lambda c: _context(c).get("runAsUser") == 0)
    pod_is_bad = pod.context.get("runAsUser") == 0
    if not bad and not pod_is_bad:
        return None
    return Finding("runAsUser=0", f"{_setters(pod_is_bad, bad)} must not set runAsUser=0")


_SELINUX_TYPES: Final = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


def _selinux(pod: Pod) -> Finding | None:
    def options(context: Object) -> Object:
        return context.get("seLinuxOptions") or {}

    def is_bad(context: Object) -> bool:
        o = options(context)
        return (o.get("type") or "") not in _SELINUX_TYPES or bool(o.get("user")) or bool(o.get("role"))

    bad, pod_is_bad = _names(pod, lambda c: is_bad(_context(c))), is_bad(pod.context)
    if not bad and not pod_is_bad:
        return None
    every = [options(pod.context), *(options(_context(c)) for c in pod.containers)]
    types = sorted({str(o.get("type") or "") for o in every} - set(_SELINUX_TYPES))
    data = [f"{_plural('type', types)} {_quoted(types)}"] if types else []
    data += [f"{key} may not be set" for key in ("user", "role") if any(o.get(key) for o in every)]
    text = f"{_setters(pod_is_bad, bad)} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}"
    return Finding("seLinuxOptions", text)


_SECCOMP: Final = ("RuntimeDefault", "Localhost")


def _seccomp_type(context: Object) -> str | None:
    profile = context.get("seccompProfile")
    return None if profile is None else str(profile.get("type") or "")


def _seccomp_baseline(pod: Pod) -> Finding | None:
    allowed = (None, *_SECCOMP)
    bad = _names(pod, lambda c: _seccomp_type(_context(c)) not in allowed)
    pod_is_bad = _seccomp_type(pod.context) not in allowed
    if not bad and not pod_is_bad:
        return None
    every = [_seccomp_type(pod.context), *(_seccomp_type(_context(c)) for c in pod.containers)]
    values = sorted({value for value in every if value is not None} - set(_SECCOMP))
    text = (
        f"{_setters(pod_is_bad, bad)} must not set securityContext.seccompProfile.type to {_quoted(values)}"
    )
    return Finding("seccompProfile", text)


def _seccomp_restricted(pod: Pod) -> Finding | None:
    if pod.is_windows:
        return None
    explicit = _seccomp_baseline(pod)
    if explicit is not None:
        return explicit
    silent = _names(pod, lambda c: _seccomp_type(_context(c)) is None)
    if _seccomp_type(pod.context) in _SECCOMP or not silent:
        return None
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Finding("seccompProfile", f"pod or {_containers(silent)} {must}")


_SYSCTLS: Final = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_notsent_lowat",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_slow_start_after_idle",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ]
)


def _sysctls(pod: Pod) -> Finding | None:
    bad = [str(s.get("name")) for s in pod.context.get("sysctls") or () if s.get("name") not in _SYSCTLS]
    return Finding("forbidden sysctls", ", ".join(bad)) if bad else None


def _host_process(pod: Pod) -> Finding | None:
    def asks(context: Object) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    bad, pod_is_bad = _names(pod, lambda c: asks(_context(c))), asks(pod.context)
    if not bad and not pod_is_bad:
        return None
    text = f"{_setters(pod_is_bad, bad)} must not set securityContext.windowsOptions.hostProcess=true"
    return Finding("hostProcess", text)


# Upstream's identifiers; its checks run in their order. A restricted check stands in for the baseline one named.
_CHECKS: Final[tuple[tuple[str, Check, str, str], ...]] = (
    ("allowPrivilegeEscalation", _escalation, RESTRICTED, ""),
    ("appArmorProfile", _apparmor, BASELINE, ""),
    ("capabilities_baseline", _capabilities_baseline, BASELINE, ""),
    ("capabilities_restricted", _capabilities_restricted, RESTRICTED, "capabilities_baseline"),
    ("hostNamespaces", _host_namespaces, BASELINE, ""),
    ("hostPathVolumes", _host_path, BASELINE, ""),
    ("hostPorts", _host_ports, BASELINE, ""),
    ("hostProbesAndHostLifecycle", _host_probes, BASELINE, ""),
    ("privileged", _privileged, BASELINE, ""),
    ("procMount", _proc_mount_baseline, BASELINE, ""),
    ("procMount_restricted", _proc_mount, RESTRICTED, "procMount"),
    ("restrictedVolumes", _volumes, RESTRICTED, "hostPathVolumes"),
    ("runAsNonRoot", _non_root, RESTRICTED, ""),
    ("runAsUser", _user, RESTRICTED, ""),
    ("seLinuxOptions", _selinux, BASELINE, ""),
    ("seccompProfile_baseline", _seccomp_baseline, BASELINE, ""),
    ("seccompProfile_restricted", _seccomp_restricted, RESTRICTED, "seccompProfile_baseline"),
    ("sysctls", _sysctls, BASELINE, ""),
    ("windowsHostProcess", _host_process, BASELINE, ""),
)


def _restricted() -> Iterator[Check]:
    replaced = {instead for _, _, _, instead in _CHECKS}
    # What baseline asks for comes first, as in upstream's registry.
    for level in (BASELINE, RESTRICTED):
        yield from (check for name, check, of, _ in _CHECKS if of == level and name not in replaced)


_BASELINE: Final = tuple(check for _, check, level, _ in _CHECKS if level == BASELINE)
_RESTRICTED: Final = tuple(_restricted())
