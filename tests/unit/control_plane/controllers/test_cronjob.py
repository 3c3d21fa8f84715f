"""CronJobs: schedules against a brute-force reading of them, and plan tables."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampan.control.plan import Create
from sampan.control.timestamps import parse, stamp
from sampan.control_plane.controllers.cron import CronError, Schedule
from sampan.control_plane.controllers.cronjob import SCHEDULED_AT, View, due, plan
from workloads import meta, said

Object = dict[str, Any]


def times(text: str, start: str, count: int, zone: str = "") -> list[str]:
    schedule, now = Schedule(text, zone), parse(start)
    found = []
    for _ in range(count):
        following = schedule.next(now)
        assert following is not None
        now = following
        found.append(stamp(now))
    return found


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("*/15 * * * *", "2026-01-01T00:01:00Z", ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]),
        ("30 6 * * *", "2026-01-01T06:30:00Z", ["2026-01-02T06:30:00Z"]),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00Z"]),
        ("0 9 * * mon-fri", "2026-01-02T09:00:00Z", ["2026-01-05T09:00:00Z"]),
        ("0 9 * * 7", "2026-01-02T09:00:00Z", ["2026-01-04T09:00:00Z"]),
        # a day of the month and a day of the week: either is enough
        ("0 0 13 * fri", "2026-02-01T00:00:00Z", ["2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z"]),
        # a star with a step is no star: both must hold no more
        ("0 0 */10 * sun", "2026-02-01T00:00:00Z", ["2026-02-08T00:00:00Z", "2026-02-11T00:00:00Z"]),
        ("0 0 1 jan,jul ?", "2026-01-01T00:00:00Z", ["2026-07-01T00:00:00Z"]),
        ("5/20 * * * *", "2026-01-01T00:00:00Z", ["2026-01-01T00:05:00Z", "2026-01-01T00:25:00Z"]),
        ("@hourly", "2026-01-01T00:00:00Z", ["2026-01-01T01:00:00Z"]),
        ("@weekly", "2026-01-01T00:00:00Z", ["2026-01-04T00:00:00Z"]),
        ("@every 1h30m", "2026-01-01T00:00:00Z", ["2026-01-01T01:30:00Z"]),
    ],
)
def test_schedules(text: str, start: str, expected: list[str]) -> None:
    assert times(text, start, len(expected)) == expected


def test_a_time_that_never_comes() -> None:
    assert Schedule("0 0 30 2 *").next(0) is None


def test_time_zones_and_summer_time() -> None:
    berlin = "Europe/Berlin"
    # 02:30 does not exist on the last Sunday of March, and 02:30 comes twice on that of October
    assert times("30 2 * * *", "2026-03-28T12:00:00Z", 1, berlin) == ["2026-03-30T00:30:00Z"]
    autumn = times("30 2 * * *", "2026-10-24T12:00:00Z", 2, berlin)
    assert autumn == ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    hourly = times("0 * * * *", "2026-10-24T23:30:00Z", 4, berlin)
    assert hourly == [f"2026-10-25T0{hour}:00:00Z" for hour in range(4)]


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("* * * *", "", "4 fields"),
        ("60 * * * *", "", "minute: '60' is out of range, expected 0-59"),
        ("* * 0 * *", "", "day of month"),
        ("* * * foo *", "", "'foo' is not a number"),
        ("*/0 * * * *", "", "step"),
        ("5-1 * * * *", "", "out of range"),
        ("@every 5", "", "not a duration"),
        ("@every 0s", "", "not a duration"),
        ("* * * * *", "Mars/Phobos", "unknown time zone 'Mars/Phobos'"),
        ("* * * * *", "../../etc/passwd", "unknown time zone"),
    ],
)
def test_schedules_that_cannot_be_read(text: str, zone: str, words: str) -> None:
    with pytest.raises(CronError, match=words):
        Schedule(text, zone)


fields = st.tuples(
    st.sampled_from(["*", "0", "*/7", "1,30-33"]),
    st.sampled_from(["*", "3", "*/5", "22-23"]),
    st.sampled_from(["*", "1", "31", "*/9"]),
    st.sampled_from(["*", "2", "jan-mar"]),
    st.sampled_from(["*", "sun", "1-3"]),
)


@settings(max_examples=60, deadline=None)
@given(fields, st.integers(1_700_000_000, 1_800_000_000))
def test_the_next_time_is_the_first_that_matches(parts: tuple[str, ...], start: int) -> None:
    """No minute between the start and the answer matches (looked at for two days)."""
    schedule = Schedule(" ".join(parts))
    following = schedule.next(start)
    minute = start - start % 60 + 60
    while minute < start + 2 * 86400 and (following is None or minute < following):
        time = datetime.datetime.fromtimestamp(minute, datetime.UTC)
        day = schedule._matches(time.date())
        assert not (day and time.hour in schedule._hour.values and time.minute in schedule._minute.values)
        minute += 60


# --- CronJobs

NOW = parse("2026-01-01T10:02:30Z")


def cronjob(status: Object | None = None, **spec: Any) -> Object:
    body = {"schedule": "*/5 * * * *", "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"x": 1}}}
    made = meta("cj") | {"creationTimestamp": "2026-01-01T09:58:00Z"}
    return {"metadata": made, "spec": body | spec, "status": status or {}}


def job(name: str, kind: str = "", start: str = "", **status: Any) -> Object:
    made: Object = dict(status)
    if kind:
        made["conditions"] = [{"type": kind, "status": "True"}]
    if start:
        made["startTime"] = start
    return {"metadata": meta(name), "spec": {}, "status": made}


def step(owner: Object, *jobs: Object, now: float = NOW) -> Any:
    return plan(View(owner, jobs, now), Schedule(owner["spec"]["schedule"]))


def test_a_time_that_has_come_makes_a_job() -> None:
    made = step(cronjob())
    (action,) = made.actions
    assert isinstance(action, Create)
    minutes = int(parse("2026-01-01T10:00:00Z")) // 60
    assert action.obj["metadata"]["name"] == f"cj-{minutes}"
    assert action.obj["metadata"]["annotations"] == {SCHEDULED_AT: "2026-01-01T10:00:00Z"}
    assert action.obj["metadata"]["labels"] == {"a": "b"}
    assert made.status["lastScheduleTime"] == "2026-01-01T10:00:00Z"
    assert round(made.wait, 3) == 150.1


def test_nothing_is_due_yet() -> None:
    made = step(cronjob({"lastScheduleTime": "2026-01-01T10:00:00Z"}))
    assert (made.actions, round(made.wait, 3)) == ((), 150.1)


def test_the_annotation_is_in_the_schedules_zone() -> None:
    owner = cronjob(timeZone="Asia/Shanghai")
    (action,) = plan(View(owner, (), NOW), Schedule("*/5 * * * *", "Asia/Shanghai")).actions
    assert action.obj["metadata"]["annotations"][SCHEDULED_AT] == "2026-01-01T18:00:00+08:00"
    assert zoneinfo.ZoneInfo("Asia/Shanghai")


RUNNING = {"active": [{"name": "old", "uid": "u-old"}]}


@pytest.mark.parametrize(
    ("spec", "status", "jobs", "expected"),
    [
        ({"suspend": True}, {}, [], []),
        ({"startingDeadlineSeconds": 60}, {}, [], []),
        ({"concurrencyPolicy": "Forbid"}, RUNNING, [job("old")], ["tell JobAlreadyActive"]),
        (
            {"concurrencyPolicy": "Replace"},
            RUNNING,
            [job("old")],
            ["delete jobs old", "create jobs cj-29454360"],
        ),
        ({}, RUNNING, [job("old")], ["create jobs cj-29454360"]),
        ({}, RUNNING, [job("old", "Complete")], ["tell SawCompletedJob", "create jobs cj-29454360"]),
        ({}, RUNNING, [], ["tell MissingJob", "create jobs cj-29454360"]),
        ({}, {}, [job("cj-29454360")], []),
    ],
)
def test_policies(spec: Object, status: Object, jobs: list[Object], expected: list[str]) -> None:
    assert said(step(cronjob(status, **spec), *jobs).actions) == expected


def test_the_status_names_what_runs_and_the_last_success() -> None:
    done = job("old", "Complete", completionTime="2026-01-01T10:01:00Z")
    made = step(cronjob(RUNNING | {"lastScheduleTime": "2026-01-01T10:00:00Z"}), done, job("new"))
    assert [ref["name"] for ref in made.status["active"]] == ["new"]
    assert made.status["lastSuccessfulTime"] == "2026-01-01T10:01:00Z"


def test_finished_jobs_beyond_the_limits() -> None:
    owner = cronjob(
        {"lastScheduleTime": "2026-01-01T10:00:00Z"}, successfulJobsHistoryLimit=1, failedJobsHistoryLimit=0
    )
    jobs = [job("b", "Complete", "2026-01-01T02:00:00Z"), job("a", "Complete", "2026-01-01T03:00:00Z")]
    assert said(step(owner, *jobs, job("f", "Failed")).actions) == ["delete jobs b", "delete jobs f"]


def test_many_missed_times_are_one_job_and_a_warning() -> None:
    owner = cronjob({"lastScheduleTime": "2025-12-01T00:00:00Z"})
    found = due(View(owner, (), NOW), Schedule("*/5 * * * *"))
    assert stamp(found.time or 0) == "2026-01-01T10:00:00Z"
    assert stamp(found.next or 0) == "2026-01-01T10:05:00Z"
    assert said(step(owner).actions) == ["tell TooManyMissedTimes", "create jobs cj-29454360"]
