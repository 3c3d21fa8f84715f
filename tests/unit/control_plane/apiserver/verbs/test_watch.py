from __future__ import annotations

import asyncio

from unit.control_plane.apiserver.running import Running, configmap, serve

PATH = "/api/v1/namespaces/default/configmaps"
POD = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def test_a_watch_begins_with_what_is_there_and_goes_on() -> None:
    async def check(server: Running) -> None:
        await server.ok("POST", PATH, configmap("a"))
        watch = await server.watch(f"{PATH}?watch=1")
        assert await watch.take(1) == [("ADDED", "a")]
        await server.ok("POST", PATH, configmap("b"))
        await server.ok(
            "PATCH", f"{PATH}/b", {"data": {"x": "y"}}, content_type="application/merge-patch+json"
        )
        await server.ok("DELETE", f"{PATH}/a")
        assert await watch.take(3) == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "a")]

    serve(check)


def test_a_watch_resumes_after_a_revision() -> None:
    async def check(server: Running) -> None:
        first = await server.ok("POST", PATH, configmap("a"))
        await server.ok("POST", PATH, configmap("b"))
        deleted = await server.ok("DELETE", f"{PATH}/b")
        assert deleted["status"] == "Success"
        watch = await server.watch(f"{PATH}?watch=1&resourceVersion={first['metadata']['resourceVersion']}")
        events = [await watch.next(), await watch.next()]
        assert [event["type"] for event in events] == ["ADDED", "DELETED"]
        revisions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
        assert revisions[0] < revisions[1]

    serve(check)


def test_a_revision_that_is_forgotten_is_expired() -> None:
    async def check(server: Running) -> None:
        from sampan.control_plane.apiserver.cache import table

        kept, table.HISTORY = table.HISTORY, 3  # type: ignore[misc]
        try:
            for number in range(6):
                await server.ok("POST", PATH, configmap(f"cm-{number}"))
        finally:
            table.HISTORY = kept  # type: ignore[misc]
        watch = await server.watch(f"{PATH}?watch=1&resourceVersion=2")
        event = await watch.next()
        assert event["type"] == "ERROR"
        assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
        assert event["object"]["message"].startswith("too old resource version: 2 (")
        assert await watch.next() is None

    serve(check)


def test_initial_events_end_with_a_bookmark() -> None:
    async def check(server: Running) -> None:
        for name in ("a", "b"):
            await server.ok("POST", PATH, configmap(name))
        options = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        watch = await server.watch(f"{PATH}?watch=1&{options}")
        assert await watch.take(2) == [("ADDED", "a"), ("ADDED", "b")]
        mark = await watch.next()
        assert mark["type"] == "BOOKMARK"
        assert mark["object"]["kind"] == "ConfigMap"
        assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        listed = await server.ok("GET", PATH)
        assert mark["object"]["metadata"]["resourceVersion"] == listed["metadata"]["resourceVersion"]

    serve(check)


def test_what_leaves_the_selection_is_deleted_for_it() -> None:
    async def check(server: Running) -> None:
        watch = await server.watch(f"{PATH}?watch=1&labelSelector=on%3Dyes")
        await server.ok("POST", PATH, configmap("other"))
        labelled = configmap("a")
        labelled["metadata"]["labels"] = {"on": "yes"}
        made = await server.ok("POST", PATH, labelled)
        patch = {"metadata": {"labels": {"on": "no"}}}
        left = await server.ok("PATCH", f"{PATH}/a", patch, content_type="application/merge-patch+json")
        patch = {"metadata": {"labels": {"on": "yes"}}}
        await server.ok("PATCH", f"{PATH}/a", patch, content_type="application/merge-patch+json")
        added, gone, back = [await watch.next() for _ in range(3)]
        assert (added["type"], added["object"]) == ("ADDED", made)
        assert gone["type"] == "DELETED"
        # its last state inside, with the revision at which it left
        assert gone["object"]["metadata"]["labels"] == {"on": "yes"}
        assert gone["object"]["metadata"]["resourceVersion"] == left["metadata"]["resourceVersion"]
        assert back["type"] == "ADDED"

    serve(check)


def test_pods_by_their_node() -> None:
    async def check(server: Running) -> None:
        await server.ok(
            "POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}
        )
        watch = await server.watch("/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dn1")
        pods = "/api/v1/namespaces/default/pods"
        for name in ("p", "q"):
            await server.ok("POST", pods, {**POD, "metadata": {"name": name}})
        for name, node in (("q", "n2"), ("p", "n1")):
            binding = {"metadata": {"name": name}, "target": {"kind": "Node", "name": node}}
            await server.ok("POST", f"{pods}/{name}/binding", binding)
        assert await watch.take(1) == [("ADDED", "p")]
        await server.ok("DELETE", f"{pods}/q", {"gracePeriodSeconds": 0})
        await server.ok("DELETE", f"{pods}/p", {"gracePeriodSeconds": 0})
        assert await watch.take(1) == [("DELETED", "p")]
        assert (await server.ok("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1"))["items"] == []

    serve(check)


def test_one_object_by_name() -> None:
    async def check(server: Running) -> None:
        watch = await server.watch(f"{PATH}?watch=1&fieldSelector=metadata.name%3Db")
        for name in ("a", "b", "c"):
            await server.ok("POST", PATH, configmap(name))
        await server.ok("DELETE", f"{PATH}/b")
        assert await watch.take(2) == [("ADDED", "b"), ("DELETED", "b")]

    serve(check)


def test_only_the_first_table_of_a_watch_has_headings() -> None:
    async def check(server: Running) -> None:
        accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
        watch = await server.watch(f"{PATH}?watch=1", accept=accept)
        await server.ok("POST", PATH, configmap("a"))
        await server.ok("POST", PATH, configmap("b"))
        first, second = await watch.next(), await watch.next()
        assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
        assert second["object"]["columnDefinitions"] == []
        assert second["object"]["rows"][0]["cells"][0] == "b"
        assert second["object"]["rows"][0]["object"]["kind"] == "PartialObjectMetadata"

    serve(check)


def test_metadata_only() -> None:
    async def check(server: Running) -> None:
        accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        watch = await server.watch(f"{PATH}?watch=1", accept=accept)
        await server.ok("POST", PATH, configmap("a", k="v"))
        event = await watch.next()
        assert event["object"]["kind"] == "PartialObjectMetadata"
        assert set(event["object"]) == {"kind", "apiVersion", "metadata"}

    serve(check)


def test_a_watch_ends_when_its_time_is_over() -> None:
    async def check(server: Running) -> None:
        watch = await server.watch(f"{PATH}?watch=1&timeoutSeconds=1")
        assert await watch.next() is None

    serve(check)


def test_a_watch_in_the_other_version_of_a_kind() -> None:
    async def check(server: Running) -> None:
        watch = await server.watch("/apis/events.k8s.io/v1/namespaces/default/events?watch=1")
        event = {
            "metadata": {"name": "e.1"},
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
            "reason": "Test",
            "message": "hello",
            "type": "Normal",
        }
        await server.ok("POST", "/api/v1/namespaces/default/events", event)
        seen = (await watch.next())["object"]
        assert (seen["apiVersion"], seen["note"], seen["regarding"]["name"]) == (
            "events.k8s.io/v1",
            "hello",
            "p",
        )

    serve(check)


def test_many_watchers_see_every_change() -> None:
    async def check(server: Running) -> None:
        watches = [await server.watch(f"{PATH}?watch=1&resourceVersion=0") for _ in range(30)]
        for number in range(10):
            await server.ok("POST", PATH, configmap(f"cm-{number}"))
        wanted = [("ADDED", f"cm-{number}") for number in range(10)]
        for seen in await asyncio.gather(*(watch.take(10) for watch in watches)):
            assert seen == wanted

    serve(check)


def test_a_watch_ends_with_its_resource() -> None:
    async def check(server: Running) -> None:
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        crd = {
            "metadata": {"name": "boats.example.dev"},
            "spec": {
                "group": "example.dev",
                "scope": "Cluster",
                "names": {"plural": "boats", "kind": "Boat"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": {"type": "object"}},
                    }
                ],
            },
        }
        await server.ok("POST", crds, crd)
        while (await server.ask("GET", "/apis/example.dev/v1/boats")).status != 200:
            await asyncio.sleep(0.01)
        watch = await server.watch("/apis/example.dev/v1/boats?watch=1")
        await server.ok("POST", "/apis/example.dev/v1/boats", {"kind": "Boat", "metadata": {"name": "b"}})
        assert await watch.take(1) == [("ADDED", "b")]
        await server.ok("DELETE", f"{crds}/boats.example.dev")
        assert await watch.take(1) == [("DELETED", "b")]
        assert await watch.next() is None
        while (await server.ask("GET", "/apis/example.dev/v1/boats")).status != 404:
            await asyncio.sleep(0.01)

    serve(check)
