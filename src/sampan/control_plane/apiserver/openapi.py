"""/openapi/v3: the index and one document for every group and version. Documents are made on demand and kept.

k8s.io/kube-openapi pkg/handler3. /openapi/v2 is a document without definitions: kubectl asks for it when it is given a
`kind: List`, and takes a kind that it does not find there as valid; the server checks it in any case.
"""

from __future__ import annotations

import email.utils
import time
from typing import Any, Final

import orjson

from sampan.api.kinds import GroupVersion, Resource
from sampan.api.schema import openapi
from sampan.base.http.model import Request, Response
from sampan.control_plane.apiserver.registry.resources import Resources
from sampan.control_plane.apiserver.wire import answer

ROOT: Final = "/openapi/v3"
V2: Final = "/openapi/v2"
V2_PROTOBUF: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
V2_PROTOBUF_TYPE: Final = (
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"  # a content type has no @
)
# openapi.v2.Document of github.com/google/gnostic: swagger (1), info (2: title 1, version 2), paths (8)
_V2_DOCUMENT: Final = b"\x0a\x032.0\x12\x13\x0a\x0aKubernetes\x12\x05v1.37\x42\x00"
_V2_JSON: Final = b'{"swagger":"2.0","info":{"title":"Kubernetes","version":"v1.37"},"paths":{}}'
Schemas = dict[str, Any]


class OpenApi:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._documents: dict[str, bytes] = {}  # by fingerprint
        self._index: bytes | None = None
        self._marks: dict[str, tuple[GroupVersion, str]] = {}
        resources.on_change(self._changed)

    def answer(self, request: Request) -> Response | None:
        """None for other paths."""
        if request.path == V2:
            if V2_PROTOBUF in request.headers.get("accept", ""):
                return Response(200, _V2_DOCUMENT, V2_PROTOBUF_TYPE)
            return Response(200, _V2_JSON, answer.JSON)
        if not request.path.startswith(ROOT):
            return None
        name = request.path[len(ROOT) :].strip("/")
        if self._index is None:
            self._make_index()
        if not name:
            return Response(200, self._index or b"", answer.JSON, (answer.NO_CACHE,))
        found = self._marks.get(name)
        if found is None:
            return None
        group_version, mark = found
        etag = f'"{mark}"'
        headers = [("Etag", etag), ("Vary", "Accept")]
        asked = request.argument("hash")
        if asked == mark:
            # the address names the content, so it may be kept for good
            until = email.utils.formatdate(time.time() + 365 * 24 * 3600, usegmt=True)
            headers += [("Cache-Control", "public, immutable"), ("Expires", until)]
        else:
            headers.append(answer.NO_CACHE)
        if request.headers.get("if-none-match") == etag:
            return Response(304, b"", answer.JSON, headers)
        return Response(200, self._document(group_version, mark), answer.JSON, headers)

    def _changed(self) -> None:
        self._index = None

    def _make_index(self) -> None:
        marks: dict[GroupVersion, str] = {}
        for group_version, resources in self._grouped().items():
            marks[group_version] = openapi.fingerprint(resources, self._schemas(group_version))
        self._marks = {openapi.location(found): (found, mark) for found, mark in marks.items()}
        kept = set(marks.values())
        self._documents = {mark: made for mark, made in self._documents.items() if mark in kept}
        self._index = orjson.dumps(openapi.index(marks))

    def _document(self, group_version: GroupVersion, mark: str) -> bytes:
        made = self._documents.get(mark)
        if made is None:
            resources = self._grouped()[group_version]
            document = openapi.document(group_version, resources, self._schemas(group_version))
            made = self._documents[mark] = orjson.dumps(document)
        return made

    def _grouped(self) -> dict[GroupVersion, list[Resource]]:
        grouped: dict[GroupVersion, list[Resource]] = {}
        for served in self._resources.all():
            grouped.setdefault(served.resource.group_version, []).append(served.resource)
        return grouped

    def _schemas(self, group_version: GroupVersion) -> Schemas:
        """The schemas of custom kinds, by kind."""
        return {
            served.kind: served.custom.raw_schema
            for served in self._resources.custom()
            if served.custom is not None and served.resource.group_version == group_version
        }
