"""Streams of a container, over real pipes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sampan.node.runtime.monitor.container import Container, Poll, Sink, start_time, write_json


def record(folder: Path, **more: Any) -> dict[str, Any]:
    for name in ("stdout", "stderr"):
        os.mkfifo(folder / name)
    paths = {name: str(folder / name) for name in ("stdout", "stderr", "log", "exit", "oom")}
    return {"cid": "c", "stdin": "", "stdin_once": False, **paths, **more}


def test_output_goes_to_the_log_and_to_who_is_attached(tmp_path: Path) -> None:
    poll = Poll()
    container = Container(poll, record(tmp_path))
    theirs = container.stdio()
    reader, writer = os.pipe()
    container.streams[b"stdout"].attach(writer)
    os.write(theirs[1], b"hello\nwor")
    os.write(theirs[2], b"bad\n")
    for _ in range(4):
        poll.turn(0.1)
    assert os.read(reader, 100) == b"hello\nwor"
    os.write(theirs[1], b"ld\n")
    for fd in theirs:
        os.close(fd)
    container.finish({"code": 0})
    text = (tmp_path / "log").read_text()
    assert "stdout F hello\n" in text and "stderr F bad\n" in text and "stdout F world\n" in text
    assert os.read(reader, 100) == b"ld\n" and os.read(reader, 100) == b""
    assert (tmp_path / "exit").read_text() == '{"code": 0}'
    container.close()
    os.close(reader)


def test_a_full_sink_stops_the_stream_until_it_is_read(tmp_path: Path) -> None:
    poll = Poll()
    container = Container(poll, record(tmp_path))
    theirs = container.stdio()
    reader, writer = os.pipe()
    container.streams[b"stdout"].attach(writer)
    os.set_blocking(theirs[1], False)
    os.set_blocking(reader, False)
    sent = 0
    try:
        while sent < 4_000_000:
            sent += os.write(theirs[1], b"x" * 1000)
            poll.turn(0)
    except BlockingIOError:
        pass
    assert 65536 < sent < 4_000_000
    got = 0
    while got < sent:
        poll.turn(0.05)
        try:
            got += len(os.read(reader, 65536))
        except BlockingIOError:
            continue
    assert got == sent
    container.close()
    for fd in (*theirs, reader):
        os.close(fd)


def test_a_sink_whose_reader_left_is_dropped() -> None:
    poll = Poll()
    reader, writer = os.pipe()
    called = []
    sink = Sink(poll, writer, lambda: called.append(1))
    os.close(reader)
    poll.turn(0.1)
    assert sink.fd == -1 and called
    sink.feed(b"late")


def test_oom_is_read_from_the_cgroups_file(tmp_path: Path) -> None:
    container = Container(Poll(), record(tmp_path))
    assert not container.oom()
    (tmp_path / "oom").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    assert container.oom()
    (tmp_path / "oom").write_text("oom 2\noom_kill 0\n")
    assert not container.oom()


def test_small_things(tmp_path: Path) -> None:
    assert start_time(os.getpid()) > 0 and start_time(2**22 + 1) == 0
    write_json(str(tmp_path / "x"), {"a": 1})
    assert (tmp_path / "x").read_text() == '{"a": 1}' and len(list(tmp_path.iterdir())) == 1
