"""Ranges are held by open sockets, so that two clusters never have the same."""

from __future__ import annotations

import os

from sampan.cluster import reservations


def test_a_range_is_held_once_until_it_is_let_go() -> None:
    mine, other = f"test-{os.getpid()}-a", f"test-{os.getpid()}-b"
    first = reservations.hold([mine, other])
    assert first is not None
    assert {mine, other} <= set(reservations.held())
    assert reservations.hold([mine]) is None
    assert reservations.hold([f"{mine}-free", other]) is None
    assert f"{mine}-free" not in reservations.held()
    for one in first:
        one.close()
    assert not {mine, other} & set(reservations.held())
