"""Build hook: makes the compact schema file of the built-in Kubernetes types.

The facts come from the PyPI package kubernetes-validate (its non-strict, self-contained definitions, which keep every
x-kubernetes-* marker), so that nothing of them is copied into this repository. Runs in every build, editable ones too,
and by hand: `python hatch_build.py`.

The file: MAGIC, then three little-endian uint32 lengths, then three blobs.
  index         zlib JSON: {"version", "definitions": [[name, body length], ...], "kinds": {"apps/v1 Deployment": name}}
  bodies        zlib: the definitions' JSON, one after the other, without descriptions
  descriptions  lzma JSON: {name: {"": text of the definition, field: text}}
Equal input gives equal bytes.
"""

from __future__ import annotations

import json
import lzma
import struct
import sys
import zlib
from importlib import metadata
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a plain script
    BuildHookInterface = object

KUBERNETES = "1.37"
SOURCE = "v1.37.0-local"
MAGIC = b"SAMPAN-SCHEMA-1\n"
TARGET = Path("src/sampan/api/schema/data") / f"kubernetes-{KUBERNETES}.bin"

# kubernetes-validate narrows these two fields to the one value that its own check wants; the API knows no such enum.
NARROWED = frozenset({"apiVersion", "kind"})
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"


def locate() -> Path:
    """Where the installed kubernetes-validate keeps the definitions."""
    found = metadata.distribution("kubernetes-validate").locate_file(
        f"kubernetes_validate/kubernetes-json-schema/{SOURCE}/_definitions.json"
    )
    path = Path(str(found))
    if not path.is_file():
        raise FileNotFoundError(f"kubernetes-validate has no definitions for Kubernetes {KUBERNETES}: {path}")
    return path


def cleaned(node: dict[str, Any], *, field: str = "") -> dict[str, Any]:
    """The node as upstream publishes it: no `null` types, no narrowed enums, bare names as references, no descriptions."""
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key == "description":
            continue
        if key == "type":
            out[key] = next(name for name in value if name != "null") if isinstance(value, list) else value
        elif key == "$ref":
            out[key] = value.removeprefix("#/$defs/")
        elif key == "enum" and field in NARROWED:
            continue
        elif key == "properties":
            out[key] = {name: cleaned(child, field=name) for name, child in value.items()}
        elif key in ("items", "additionalProperties"):
            out[key] = cleaned(value)
        else:
            out[key] = value
    return out


def described(definition: dict[str, Any]) -> dict[str, str]:
    texts = {
        name: child["description"]
        for name, child in definition.get("properties", {}).items()
        if "description" in child
    }
    if "description" in definition:
        texts[""] = definition["description"]
    return texts


def special(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The two types that are written as a string or a number."""
    if name == INT_OR_STRING:
        return {"format": "int-or-string"}
    if name == QUANTITY:
        return {"format": "quantity"}
    return body


def compact(definitions: dict[str, dict[str, Any]]) -> bytes:
    names = sorted(definitions)
    bodies, index, kinds = [], [], {}
    for name in names:
        body = special(name, cleaned(definitions[name]))
        text = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        bodies.append(text)
        index.append([name, len(text)])
        gvks = body.get("x-kubernetes-group-version-kind", ())
        for gvk in gvks:
            api_version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
            kinds[f"{api_version} {gvk['kind']}"] = name
    head = {"version": KUBERNETES, "definitions": index, "kinds": kinds}
    texts = {name: described(definitions[name]) for name in names}
    blobs = [
        zlib.compress(json.dumps(head, separators=(",", ":"), sort_keys=True).encode(), 9),
        zlib.compress(b"".join(bodies), 9),
        lzma.compress(
            json.dumps(texts, separators=(",", ":"), sort_keys=True).encode(), preset=9 | lzma.PRESET_EXTREME
        ),
    ]
    return MAGIC + struct.pack("<3I", *map(len, blobs)) + b"".join(blobs)


def write(root: Path) -> Path:
    """Makes the file under `root` (the folder of pyproject.toml) and gives its path."""
    definitions = json.loads(locate().read_bytes())["$defs"]
    target = root / TARGET
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(compact(definitions))
    partial.replace(target)
    return target


class SchemaBuildHook(BuildHookInterface):  # type: ignore[misc,valid-type]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        write(Path(self.root))


if __name__ == "__main__":
    print(write(Path(__file__).resolve().parent), file=sys.stderr)
