"""Schemas made by hand, with every way in which a list or map may be owned."""

from __future__ import annotations

from sampan.api.schema.model import Schema


def scalar(kind: str = "string") -> Schema:
    return Schema(kind)


def array(items: Schema, list_type: str = "", keys: tuple[str, ...] = ()) -> Schema:
    made = Schema("array")
    made.items, made.list_type, made.list_map_keys = items, list_type, keys
    return made


def obj(map_type: str = "", **properties: Schema) -> Schema:
    made = Schema("object")
    made.properties, made.map_type = properties, map_type
    return made


def mapping(values: Schema) -> Schema:
    made = Schema("object")
    made.additional = values
    return made


def port() -> Schema:
    protocol = scalar()
    protocol.default = "TCP"
    return obj(port=scalar("integer"), protocol=protocol, name=scalar())


ROOT = obj(
    apiVersion=scalar(),
    kind=scalar(),
    metadata=obj(name=scalar(), labels=mapping(scalar()), finalizers=array(scalar(), "set")),
    spec=obj(
        replicas=scalar("integer"),
        text=scalar(),
        ports=array(port(), "map", ("port", "protocol")),
        atom=array(scalar()),
        block=obj("atomic", a=scalar(), b=scalar()),
        nested=obj(inner=mapping(scalar())),
        free=Schema(""),
    ),
)
