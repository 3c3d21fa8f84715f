from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.node.runtime.monitor import logs

AT = b"2026-01-02T03:04:05.000000006Z"


def test_the_time_has_nine_digits() -> None:
    assert logs.stamp(1_767_323_045_000_000_006) == AT
    assert logs.stamp(1_767_323_045_999_999_999).endswith(b".999999999Z")


def test_lines_and_what_waits() -> None:
    out, rest = logs.lines(b"stdout", b"one\ntwo\nthr", b"", AT)
    assert out == AT + b" stdout F one\n" + AT + b" stdout F two\n" and rest == b"thr"
    out, rest = logs.lines(b"stdout", b"ee\n", rest, AT)
    assert out == AT + b" stdout F three\n" and rest == b""
    assert logs.lines(b"stderr", b"\n", b"", AT)[0] == AT + b" stderr F \n"
    assert (
        logs.last(b"stdout", b"end", AT) == AT + b" stdout P end\n" and logs.last(b"stdout", b"", AT) == b""
    )


@given(st.lists(st.binary(max_size=40000).map(lambda b: b.replace(b"\r", b"\n")), max_size=6))
def test_nothing_is_lost_however_it_is_cut(chunks: list[bytes]) -> None:
    rest, out = b"", b""
    for chunk in chunks:
        more, rest = logs.lines(b"stdout", chunk, rest, AT)
        assert len(rest) <= logs.LINE_MAX
        out += more
    out += logs.last(b"stdout", rest, AT)
    found = b""
    for line in out.split(b"\n")[:-1]:
        time, stream, tag, content = line.split(b" ", 3)
        assert (time, stream) == (AT, b"stdout") and len(content) <= logs.LINE_MAX
        found += content + (b"\n" if tag == b"F" else b"")
    assert found == b"".join(chunks)


def test_a_log_file_is_opened_anew_and_survives_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logs.Log(str(tmp_path / "a.log"))
    log.write(b"one\n")
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    log.reopen()
    log.write(b"two\n")
    assert (tmp_path / "a.log.1").read_text() == "one\n" and (tmp_path / "a.log").read_text() == "two\n"

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logs.os, "write", full)
    log.write(b"three\n")
    assert log.lost == 1
    log.close()
    log.write(b"after\n")
    logs.Log("").write(b"nowhere\n")
