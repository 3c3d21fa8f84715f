"""Reading logs in CRI's format."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sampan.node.agent import logs
from sampan.node.agent.logs import Options

LINES = [
    "2026-01-01T00:00:00.000000001Z stdout F one",
    "2026-01-01T00:00:01.000000000Z stderr F two",
    "2026-01-01T00:00:02.500000000Z stdout P thr",
    "2026-01-01T00:00:02.600000000Z stdout F ee",
    "2026-01-01T00:00:03.000000000Z stdout F four",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "0.log"
    target.write_text("\n".join(LINES) + "\n")
    return target


def text(path: Path, options: Options) -> str:
    async def gather() -> bytes:
        return b"".join([piece async for piece in logs.read(path, options, lambda: False)])

    return asyncio.run(gather()).decode()


def test_whole(path: Path) -> None:
    assert text(path, Options()) == "one\ntwo\nthree\nfour\n"


def test_tail_counts_lines_of_the_file(path: Path) -> None:
    assert text(path, Options(tail=1)) == "four\n"
    assert text(path, Options(tail=0)) == ""
    assert text(path, Options(tail=99)) == "one\ntwo\nthree\nfour\n"


def test_since_timestamps_limit_and_stream(path: Path) -> None:
    since = logs.nanoseconds(b"2026-01-01T00:00:02Z")
    assert text(path, Options(since=since)) == "three\nfour\n"
    assert text(path, Options(stream="stderr", timestamps=True)) == "2026-01-01T00:00:01.000000000Z two\n"
    assert text(path, Options(limit=5)) == "one\nt"


def test_a_line_that_is_not_whole_waits(path: Path) -> None:
    with path.open("a") as file:
        file.write("2026-01-01T00:00:04Z stdout F fi")
    assert text(path, Options(tail=-1)).endswith("four\n")


def test_follow_sees_what_comes_and_a_turned_file(path: Path) -> None:
    async def scenario() -> str:
        alive = True
        seen = b""

        async def read() -> None:
            nonlocal seen
            async for piece in logs.read(path, Options(follow=True, tail=1), lambda: alive):
                seen += piece

        task = asyncio.create_task(read())
        while b"four" not in seen:
            await asyncio.sleep(0.005)
        with path.open("a") as file:
            file.write("2026-01-01T00:00:05Z stdout F five\n")
        while b"five" not in seen:
            await asyncio.sleep(0.005)
        path.rename(path.with_suffix(".old"))
        path.write_text("2026-01-01T00:00:06Z stdout F six\n")
        while b"six" not in seen:
            await asyncio.sleep(0.005)
        alive = False
        await task
        return seen.decode()

    assert asyncio.run(asyncio.wait_for(scenario(), 20)) == "four\nfive\nsix\n"


def test_last_lines_for_a_termination_message(path: Path, tmp_path: Path) -> None:
    assert logs.last_lines(path, lines=2) == "ee\nfour\n"
    assert logs.last_lines(path, size=3) == "ur\n"
    assert logs.last_lines(tmp_path / "none") == ""


def test_rotation_keeps_some_files(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert logs.rotate(path) is False
    monkeypatch.setattr(logs, "ROTATE_BYTES", 10)
    for round_number in range(7):
        path.write_text(f"{round_number:020}")
        assert logs.rotate(path) is True
    kept = sorted(p.name for p in path.parent.iterdir())
    assert kept == ["0.log.1", "0.log.2", "0.log.3", "0.log.4"]
    assert path.with_name("0.log.1").read_text() == f"{6:020}"


@pytest.mark.parametrize("raw", [b"", b"torn", b"2026 nope F x", b"2026-01-01T00:00:00Z stdout"])
def test_foreign_lines_are_passed_over(raw: bytes) -> None:
    assert logs.parse(raw) is None
