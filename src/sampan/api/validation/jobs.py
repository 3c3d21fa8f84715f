"""Job and CronJob. Source: pkg/apis/batch/validation/validation.go."""

from __future__ import annotations

from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import cron, job_policies, pods, rules
from sampan.api.validation.rules import Causes, Object

_MAX_INDEXED_PARALLELISM: Final = 100_000
_MAX_CRON_JOB_NAME: Final = 52  # a Job's name gets 11 characters behind it
_MANY_INDEXES: Final = 100_000
_MOST_AT_ONCE: Final = 10_000
_MAX_MANAGER: Final = 63
_UID_LABELS: Final = ("controller-uid", "batch.kubernetes.io/controller-uid")
_NAME_LABELS: Final = ("job-name", "batch.kubernetes.io/job-name")


def job(obj: Object) -> Causes:
    yield from _generated_selector(obj)
    spec = obj.get("spec") or {}
    yield from _job_spec(spec, "spec")
    yield from _job_selector(spec)
    completions = spec.get("completions")
    if spec.get("completionMode") == "Indexed" and completions:
        host = f"{(obj.get('metadata') or {}).get('name', '')}-{completions - 1}"
        for wrong in content.dns_label(host):
            yield error.invalid(
                "metadata.name",
                (obj.get("metadata") or {}).get("name"),
                f"will not able to create pod with invalid DNS hostname: {host}: {wrong}",
            )


def _job_selector(spec: Object) -> Causes:
    selector = spec.get("selector")
    if selector is None:
        yield error.required("spec.selector")
        return
    yield from rules.label_selector("spec.selector", selector)
    found = rules.compiled(selector)
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if found is not None and not found.matches(labels):
        yield error.invalid(
            "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
        )


def _generated_selector(obj: Object) -> Causes:
    spec, metadata = obj.get("spec") or {}, obj.get("metadata") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    if spec["selector"] != {"matchLabels": {_UID_LABELS[1]: metadata.get("uid")}}:
        yield error.invalid("spec.selector", spec["selector"], "`selector` not auto-generated")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    expected = [(label, metadata.get("uid")) for label in _UID_LABELS]
    expected += [(label, metadata.get("name")) for label in _NAME_LABELS]
    for label, value in expected:
        if labels.get(label) != value:
            yield error.invalid(
                f"spec.template.metadata.labels[{label}]"
                if label in labels
                else "spec.template.metadata.labels",
                labels,
                f"must be '{value}'",
            )


def _job_spec(spec: Object, path: str) -> Causes:
    yield from rules.nonnegatives(
        path,
        spec,
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    )
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield error.required(error.child(path, "backoffLimitPerIndex"), "when maxFailedIndexes is specified")
    if spec.get("managedBy") is not None:
        at = error.child(path, "managedBy")
        yield from rules.domain_prefixed_path(at, spec["managedBy"])
        if len(spec["managedBy"]) > _MAX_MANAGER:
            yield error.too_long(at, _MAX_MANAGER)
    yield from _completion_mode(spec, path)
    yield from _policies(spec, path)
    template = spec.get("template") or {}
    yield from pods.template(template, error.child(path, "template"))
    restart = (template.get("spec") or {}).get("restartPolicy", "")
    at = error.child(path, "template", "spec", "restartPolicy")
    if restart in ("Always", ""):
        yield error.required(at, 'valid values: "OnFailure", "Never"')
    elif restart not in ("OnFailure", "Never"):
        yield error.not_supported(at, restart, ("OnFailure", "Never"))
    elif spec.get("podFailurePolicy") is not None and restart != "Never":
        yield error.invalid(at, restart, 'only "Never" is supported when podFailurePolicy is specified')


def _completion_mode(spec: Object, path: str) -> Causes:
    mode = spec.get("completionMode")
    if mode is not None and mode not in ("NonIndexed", "Indexed"):
        yield error.not_supported(error.child(path, "completionMode"), mode, ("NonIndexed", "Indexed"))
    if mode == "Indexed":
        if spec.get("completions") is None:
            yield error.required(error.child(path, "completions"), "when completion mode is Indexed")
        parallelism = spec.get("parallelism")
        if parallelism is not None and parallelism > _MAX_INDEXED_PARALLELISM:
            yield error.invalid(
                error.child(path, "parallelism"),
                parallelism,
                f"must be less than or equal to {_MAX_INDEXED_PARALLELISM} when completion mode is Indexed",
            )
        yield from _failed_indexes(spec, path)
        return
    for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
        if spec.get(name) is not None:
            yield error.invalid(error.child(path, name), spec[name], "requires indexed completion mode")


def _failed_indexes(spec: Object, path: str) -> Causes:
    failed, completions = spec.get("maxFailedIndexes"), spec.get("completions")
    at = error.child(path, "maxFailedIndexes")
    if failed is not None and completions is not None and failed > completions:
        yield error.invalid(at, failed, "must be less than or equal to completions")
    if failed is not None and failed > _MANY_INDEXES:
        yield error.invalid(at, failed, f"must be less than or equal to {_MANY_INDEXES}")
    if completions is None or completions <= _MANY_INDEXES or spec.get("backoffLimitPerIndex") is None:
        return
    if failed is None:
        yield error.required(at, f"must be specified when completions is above {_MANY_INDEXES}")
    for name in ("parallelism", "maxFailedIndexes"):
        if spec.get(name) is not None and spec[name] > _MOST_AT_ONCE:
            text = (
                f"must be less than or equal to {_MOST_AT_ONCE} when completions are above {_MANY_INDEXES} and used with "
                "backoff limit per index"
            )
            yield error.invalid(error.child(path, name), spec[name], text)


def _policies(spec: Object, path: str) -> Causes:
    if spec.get("podFailurePolicy") is not None:
        yield from job_policies.failure(spec, error.child(path, "podFailurePolicy"))
    if spec.get("successPolicy") is not None:
        at = error.child(path, "successPolicy")
        if spec.get("completionMode") == "Indexed":
            yield from job_policies.success(spec, at)
        else:
            yield error.invalid(at, spec["successPolicy"], "requires indexed completion mode")
    replacement = spec.get("podReplacementPolicy")
    supported = ("Failed",) if spec.get("podFailurePolicy") is not None else ("Failed", "TerminatingOrFailed")
    if replacement is not None and replacement not in supported:
        yield error.not_supported(error.child(path, "podReplacementPolicy"), replacement, supported)


def job_update(obj: Object, old: Object) -> Causes:
    spec, before = obj["spec"], old["spec"]
    yield from _job_spec(spec, "spec")
    yield from _job_selector(spec)
    if spec.get("completionMode") != "Indexed":
        yield from rules.immutables("spec", spec, before, "completions")
    elif spec.get("completions") not in (before.get("completions"), None, spec.get("parallelism")):
        yield error.invalid(
            "spec.completions", spec["completions"], "can only be modified in tandem with spec.parallelism"
        )
    yield from rules.immutables("spec", spec, before, "selector")
    yield from _template_update(spec, before, old)
    yield from rules.immutables(
        "spec",
        spec,
        before,
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    )


def _template_update(spec: Object, before: Object, old: Object) -> Causes:
    """The template is fixed; a suspended Job that has not started may still be placed elsewhere."""
    template, past = spec.get("template") or {}, before.get("template") or {}
    if before.get("suspend") and not (old.get("status") or {}).get("startTime"):
        template, past = _unplaced(template), _unplaced(past)
    yield from rules.immutable("spec.template", template, past)


def _unplaced(template: Object) -> Object:
    spec = {
        key: value
        for key, value in (template.get("spec") or {}).items()
        if key not in ("nodeSelector", "tolerations", "schedulingGates", "affinity")
    }
    metadata = {
        key: value
        for key, value in (template.get("metadata") or {}).items()
        if key not in ("labels", "annotations")
    }
    return {"metadata": metadata, "spec": spec}


def cron_job(obj: Object) -> Causes:
    yield from _cron_job_spec(obj.get("spec") or {}, None)
    name = (obj.get("metadata") or {}).get("name") or ""
    if len(name) > _MAX_CRON_JOB_NAME:
        yield error.invalid("metadata.name", name, f"must be no more than {_MAX_CRON_JOB_NAME} characters")


def cron_job_update(obj: Object, old: Object) -> Causes:
    yield from _cron_job_spec(obj.get("spec") or {}, old.get("spec") or {})


def _cron_job_spec(spec: Object, before: Object | None) -> Causes:
    schedule = spec.get("schedule") or ""
    if not schedule:
        yield error.required("spec.schedule")
    else:
        wrong = cron.problem(schedule)
        if wrong:
            yield error.invalid("spec.schedule", schedule, wrong)
        had_zone = before is not None and "TZ" in (before.get("schedule") or "")
        if "TZ" in schedule and not had_zone:
            yield error.invalid(
                "spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
            )
        elif "TZ" in schedule and spec.get("timeZone") is not None:
            yield error.invalid(
                "spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"
            )
    yield from rules.nonnegatives("spec", spec, "startingDeadlineSeconds")
    if before is None or spec.get("timeZone") != before.get("timeZone"):
        yield from _time_zone(spec.get("timeZone"))
    yield from rules.one_of(
        "spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace")
    )
    inner = (spec.get("jobTemplate") or {}).get("spec") or {}
    yield from _job_spec(inner, "spec.jobTemplate.spec")
    if inner.get("selector") is not None:
        yield error.invalid(
            "spec.jobTemplate.spec.selector", inner["selector"], "`selector` will be auto-generated"
        )
    if inner.get("manualSelector"):
        yield error.not_supported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false"))
    yield from rules.nonnegatives("spec", spec, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def _time_zone(zone: str | None) -> Causes:
    if zone is None:
        return
    at = "spec.timeZone"
    if not zone:
        yield error.invalid(at, zone, "timeZone must be nil or non-empty string")
        return
    if zone.lower() == "local":
        yield error.invalid(
            at, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        return
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # costs a millisecond, and few objects have a zone

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield error.invalid(at, zone, f"unknown time zone {zone}")
