"""Which releases list shows, and in which order."""

from __future__ import annotations

import pytest

from sampan.apps.helm.cli import reading
from sampan.apps.helm.cli.commands import ROOT
from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import Invocation, parse
from sampan.charts.release import Info, Release
from unit.apps.helm.fakes import chart


def one(name: str, version: int, status: str, day: int = 1, **labels: str) -> Release:
    info = Info(last_deployed=f"2026-01-{day:02d}T00:00:00Z", status=status)
    return Release(name, "default", version, info, chart({}), {}, labels=labels)


KEPT = [
    one("a", 1, "superseded"),
    one("a", 2, "deployed", 5),
    one("b", 1, "failed", 2, team="blue"),
    one("c", 3, "pending-upgrade", 3),
    one("d", 1, "uninstalled", 4),
]


def call(*words: str) -> Invocation:
    return parse(ROOT, ["list", *words])


def listed(*words: str) -> list[str]:
    found = reading.page(call(*words), reading.wanted(call(*words), KEPT))
    return [f"{release.name}{release.version}" for release in found]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), ["a2", "b1", "c3", "d1"]),
        (("--deployed",), ["a2"]),
        (("--failed", "--uninstalled"), ["b1", "d1"]),
        (("--pending",), ["c3"]),
        (("--superseded",), ["a1"]),
        (("--superseded", "--deployed"), ["a2"]),
        (("-r",), ["d1", "c3", "b1", "a2"]),
        (("-d",), ["b1", "c3", "d1", "a2"]),
        (("-d", "-r"), ["a2", "d1", "c3", "b1"]),
        (("-m", "2"), ["a2", "b1"]),
        (("-m", "2", "--offset", "3"), ["d1"]),
        (("-m", "0"), ["a2", "b1", "c3", "d1"]),
        (("--offset", "9"), []),
        (("-f", "^[ab]"), ["a2", "b1"]),
        (("-l", "team=blue"), ["b1"]),
    ],
)
def test_lists(words: tuple[str, ...], names: list[str]) -> None:
    assert listed(*words) == names


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-f", "a("), "error parsing regexp: missing closing"),
        (("-l", "a in ("), "unable to parse requirement"),
    ],
)
def test_bad_filters(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(HelmError, match=message):
        listed(*words)


def test_a_record_as_json_keeps_its_order() -> None:
    shown = reading.as_json(one("a", 1, "deployed")._replace(config={"z": 1.0, "a": 1.0}, apply_method="ssa"))
    assert list(shown)[:3] == ["name", "info", "chart"]
    assert list(shown)[-1] == "apply_method"
    assert list(shown["config"]) == ["a", "z"]


def test_values_of_a_release() -> None:
    found = one("a", 1, "deployed")
    assert reading.values_of(found) == "USER-SUPPLIED VALUES:\nnull\n\nCOMPUTED VALUES:\n{}\n\n"
