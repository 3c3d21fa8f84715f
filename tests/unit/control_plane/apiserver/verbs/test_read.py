from __future__ import annotations

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.verbs import read
from unit.control_plane.apiserver.running import Running, configmap, serve

PATH = "/api/v1/namespaces/default/configmaps"


def names(listed: dict) -> list[str]:  # type: ignore[type-arg]
    return [item["metadata"]["name"] for item in listed["items"]]


def test_pages_show_one_revision() -> None:
    async def check(server: Running) -> None:
        for number in range(5):
            await server.ok("POST", PATH, configmap(f"cm-{number}"))
        first = await server.ok("GET", f"{PATH}?limit=2")
        assert names(first) == ["cm-0", "cm-1"]
        assert first["metadata"]["remainingItemCount"] == 3
        # what happens between two pages does not show
        await server.ok("DELETE", f"{PATH}/cm-2")
        await server.ok("POST", PATH, configmap("cm-25"))
        second = await server.ok("GET", f"{PATH}?limit=2&continue={first['metadata']['continue']}")
        assert names(second) == ["cm-2", "cm-3"]
        assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        third = await server.ok("GET", f"{PATH}?limit=2&continue={second['metadata']['continue']}")
        assert names(third) == ["cm-4"]
        assert "continue" not in third["metadata"]
        now = await server.ok("GET", PATH)
        assert names(now) == ["cm-0", "cm-1", "cm-25", "cm-3", "cm-4"]

    serve(check)


def test_pages_over_all_namespaces_have_no_gap() -> None:
    async def check(server: Running) -> None:
        # in the order of keys "a-b/x" comes before "a/x"
        for namespace in ("a", "a-b", "a.b".replace(".", "0")):
            await server.ok("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            for name in ("x", "y"):
                await server.ok(
                    "POST", f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": name}}
                )
        whole = await server.ok("GET", "/api/v1/secrets")
        seen, resume = [], ""
        while True:
            page = await server.ok("GET", f"/api/v1/secrets?limit=1&continue={resume}")
            seen += page["items"]
            resume = page["metadata"].get("continue", "")
            if not resume:
                break
        assert [item["metadata"]["uid"] for item in seen] == [
            item["metadata"]["uid"] for item in whole["items"]
        ]
        assert len(seen) == 6

    serve(check)


def test_pages_of_a_selection_count_nothing() -> None:
    async def check(server: Running) -> None:
        for number in range(6):
            labelled = configmap(f"cm-{number}")
            labelled["metadata"]["labels"] = {"even": "yes" if number % 2 == 0 else "no"}
            await server.ok("POST", PATH, labelled)
        first = await server.ok("GET", f"{PATH}?limit=2&labelSelector=even%3Dyes")
        assert names(first) == ["cm-0", "cm-2"]
        assert "remainingItemCount" not in first["metadata"]
        rest = await server.ok(
            "GET", f"{PATH}?limit=2&labelSelector=even%3Dyes&continue={first['metadata']['continue']}"
        )
        assert names(rest) == ["cm-4"]

    serve(check)


def test_lists_at_a_revision() -> None:
    async def check(server: Running) -> None:
        first = await server.ok("POST", PATH, configmap("a"))
        then = first["metadata"]["resourceVersion"]
        await server.ok("POST", PATH, configmap("b"))
        exact = await server.ok("GET", f"{PATH}?resourceVersion={then}&resourceVersionMatch=Exact")
        assert names(exact) == ["a"]
        assert exact["metadata"]["resourceVersion"] == then
        assert names(await server.ok("GET", f"{PATH}?resourceVersion={then}")) == ["a", "b"]
        assert names(await server.ok("GET", f"{PATH}?resourceVersion=0")) == ["a", "b"]
        assert (await server.ok("GET", f"{PATH}/a?resourceVersion=0"))["metadata"]["name"] == "a"

    serve(check)


def test_a_revision_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "WAIT", 0.05)

    async def check(server: Running) -> None:
        for path in (f"{PATH}?resourceVersion=999999", f"{PATH}/a?resourceVersion=999999"):
            late = await server.ask("GET", path)
            assert late.status == 504
            assert late.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
            assert late.json["message"].startswith("Timeout: Too large resource version: 999999, current: ")

    serve(check)


def test_a_big_list_comes_in_pieces_and_whole() -> None:
    async def check(server: Running) -> None:
        for number in range(60):
            await server.ok("POST", PATH, configmap(f"cm-{number:02}", data="x" * 5000))
        answer = await server.ask("GET", PATH)
        assert answer.headers["transfer-encoding"] == "chunked"
        assert names(answer.json) == [f"cm-{number:02}" for number in range(60)]
        table = await server.ok("GET", PATH, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        assert len(table["rows"]) == 60

    serve(check)


@pytest.mark.parametrize("text", ["", "nonsense", read.encode_token(read.Token(1, "a"))[:-4], "e30"])
def test_a_bad_token_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        read.decode_token(text)
    assert caught.value.code == 400
    assert "continue key is not valid" in caught.value.message


def test_tokens_come_back() -> None:
    token = read.Token(42, "namespace/näme")
    assert read.decode_token(read.encode_token(token)) == token


def test_a_table_of_classes_names_the_default_one() -> None:
    async def check(server: Running) -> None:
        path = "/apis/storage.k8s.io/v1/storageclasses"
        mark = {"storageclass.kubernetes.io/is-default-class": "true"}
        for name, marks in (("a", {}), ("b", mark)):
            metadata = {"name": name, "annotations": marks}
            await server.ok("POST", path, {"metadata": metadata, "provisioner": "example.dev/none"})
        table = await server.ok("GET", path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        assert [row["cells"][0] for row in table["rows"]] == ["a", "b (default)"]
        assert [row["object"]["metadata"]["name"] for row in table["rows"]] == ["a", "b"]

    serve(check)
