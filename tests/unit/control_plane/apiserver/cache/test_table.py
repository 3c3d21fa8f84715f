from __future__ import annotations

import pytest

from sampan.api.selector import fields as field_selectors
from sampan.api.selector import labels as label_selectors
from sampan.control_plane.apiserver.cache import table as table_module
from sampan.control_plane.apiserver.cache.record import Record, encode
from sampan.control_plane.apiserver.cache.table import Table
from sampan.control_plane.apiserver.cache.watcher import Filter, Watcher
from sampan.control_plane.apiserver.registry import fields


class Plain:
    key: object = ""

    def encode(self, record: Record) -> bytes:
        return record.name.encode() + b"@%d" % record.revision

    def bookmark(self, revision: int, *, initial: bool) -> bytes:
        return b"mark%d" % revision


def record(namespace: str, name: str, revision: int, node: str = "", **labels: str) -> Record:
    obj = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels},
        "spec": {"nodeName": node},
    }
    return Record(f"/core/pods/{namespace}/{name}", namespace, name, encode(obj), revision, revision)


@pytest.fixture
def pods() -> Table:
    return Table("", "pods", index=fields.pod_node)


def names(table: Table, wanted: Filter, after: str = "") -> list[str]:
    return [f"{r.namespace}/{r.name}" for r in table.select(wanted, after=after) if wanted.matches(r)]


def test_records_come_in_order_of_their_keys(pods: Table) -> None:
    for revision, (namespace, name) in enumerate([("b", "x"), ("a", "z"), ("a-1", "q"), ("a", "c")], 2):
        pods.put(record(namespace, name, revision))
    assert names(pods, Filter()) == ["a-1/q", "a/c", "a/z", "b/x"]
    assert names(pods, Filter("a")) == ["a/c", "a/z"]
    assert names(pods, Filter(), after="a/c") == ["a/z", "b/x"]
    assert names(pods, Filter(), after="a-1/q") == ["a/c", "a/z", "b/x"]
    assert names(pods, Filter("a"), after="a/c") == ["a/z"]
    assert names(pods, Filter(name="q")) == ["a-1/q"]
    assert names(pods, Filter("b", "q")) == []
    pods.remove("a", "c", 9)
    assert names(pods, Filter("a")) == ["a/z"]
    assert pods.revision == 9
    assert len(pods) == 3


def test_the_index_follows_its_field(pods: Table) -> None:
    pods.put(record("a", "p", 2))
    pods.put(record("a", "q", 3, node="n1"))
    assert names(pods, Filter(indexed="n1")) == ["a/q"]
    pods.put(record("a", "p", 4, node="n1"))
    assert names(pods, Filter(indexed="n1")) == ["a/p", "a/q"]
    pods.put(record("a", "q", 5, node="n2"))
    pods.remove("a", "p", 6)
    assert names(pods, Filter(indexed="n1")) == []
    assert names(pods, Filter(indexed="n2")) == ["a/q"]


class Seen:
    """A watcher that notes what it gets."""

    def __init__(self, table: Table, wanted: Filter, *, patience: int = 10**9) -> None:
        self.lines: list[str] = []
        self.closed = False
        self._patience = patience
        self.watcher = Watcher(
            wanted, Plain(), self._send, self._close, self._close, bookmarks=True, since=table.revision
        )
        table.watch(self.watcher)
        self.watcher.caught_up()

    def _send(self, line: bytes) -> bool:
        kind, _, body = line.decode().strip("\n").partition(',"object":')
        self.lines.append(f"{kind.split(':')[1].strip(chr(34))} {body.rstrip('}')}")
        return len(self.lines) <= self._patience

    def _close(self) -> None:
        self.closed = True


def test_each_watcher_sees_what_it_asked_for(pods: Table) -> None:
    everything = Seen(pods, Filter())
    namespace = Seen(pods, Filter("a"))
    named = Seen(pods, Filter("a", "p"))
    node = Seen(pods, Filter(indexed="n1"))
    labelled = Seen(pods, Filter(labels=label_selectors.parse("x=y")))
    fielded = Seen(
        pods,
        Filter(
            fields=field_selectors.parse("spec.nodeName!=n1"),
            readers={"spec.nodeName": fields.reader("spec.nodeName")},
        ),
    )
    pods.put(record("a", "p", 2))
    pods.put(record("b", "p", 3, x="y"))
    pods.put(record("a", "p", 4, node="n1"))
    pods.put(record("b", "p", 5))
    pods.remove("a", "p", 6)
    assert everything.lines == ["ADDED p@2", "ADDED p@3", "MODIFIED p@4", "MODIFIED p@5", "DELETED p@6"]
    assert namespace.lines == named.lines == ["ADDED p@2", "MODIFIED p@4", "DELETED p@6"]
    assert node.lines == ["ADDED p@4", "DELETED p@6"]
    assert labelled.lines == ["ADDED p@3", "DELETED p@5"]
    assert fielded.lines == ["ADDED p@2", "ADDED p@3", "DELETED p@4", "MODIFIED p@5"]


def test_history_replays_and_forgets(pods: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "HISTORY", 3)
    for revision in range(2, 8):
        pods.put(record("a", f"p{revision}", revision))
    assert pods.horizon == 4
    assert pods.since(3) is None
    assert [change.revision for change in pods.since(4) or ()] == [5, 6, 7]
    assert pods.since(7) == []


def test_big_objects_shorten_the_history(pods: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "HISTORY_BYTES", 400)
    for revision in range(2, 12):
        pods.put(record("a", f"p{revision}", revision))
    kept = pods.since(pods.horizon)
    assert kept is not None
    assert sum(len(change.record.body) for change in kept) <= 400


def test_a_slow_watcher_is_dropped(pods: Table) -> None:
    slow, quick = Seen(pods, Filter(), patience=2), Seen(pods, Filter())
    for revision in range(2, 8):
        pods.put(record("a", f"p{revision}", revision))
    assert slow.closed
    assert len(slow.lines) == 3
    assert len(quick.lines) == 6
    assert list(pods.watchers()) == [quick.watcher]


def test_changes_wait_for_the_initial_events(pods: Table) -> None:
    lines: list[bytes] = []
    watcher = Watcher(
        Filter(),
        Plain(),
        lambda line: lines.append(line) is None,
        lambda: None,
        lambda: None,
        bookmarks=False,
        since=2,
    )
    pods.watch(watcher)
    pods.put(record("a", "p", 3))
    assert lines == []
    assert watcher.caught_up()
    assert len(lines) == 1
    pods.unwatch(watcher)
    pods.unwatch(watcher)
    pods.put(record("a", "q", 4))
    assert len(lines) == 1


def test_dropping_ends_every_watch(pods: Table) -> None:
    watches = [Seen(pods, Filter()), Seen(pods, Filter("a"))]
    pods.drop_watchers()
    assert all(watch.closed for watch in watches)
    assert list(pods.watchers()) == []
