"""Makes src/sampan/api/codec/protobuf_table.txt: the field numbers of Kubernetes' protobuf messages.

    python scripts/make_protobuf_table.py        needs Go, for its module downloads

OpenAPI does not tell field numbers. They are read from the generated.proto files of the published Go modules, and from
the struct tags beside them: which JSON name a field has, whether Go embeds it (a message of its own in protobuf, but
inline in JSON) and whether JSON leaves its zero value out. Facts only: no comments, no code.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

VERSION = "v0.37.2"
TARGET = Path(__file__).resolve().parent.parent / "src/sampan/api/codec/protobuf_table.txt"
# module: the folders of the packages whose kinds are served or appear in them
PACKAGES = {
    "k8s.io/api": (
        "admissionregistration/v1", "apps/v1", "authentication/v1", "authorization/v1", "autoscaling/v1",
        "autoscaling/v2", "batch/v1", "certificates/v1", "coordination/v1", "core/v1", "discovery/v1", "events/v1",
        "flowcontrol/v1", "networking/v1", "node/v1", "policy/v1", "rbac/v1", "resource/v1", "scheduling/v1",
        "storage/v1", "storagemigration/v1",
    ),
    "k8s.io/apimachinery": (
        "pkg/api/resource", "pkg/apis/meta/v1", "pkg/runtime", "pkg/runtime/schema", "pkg/util/intstr",
    ),
    "k8s.io/apiextensions-apiserver": ("pkg/apis/apiextensions/v1",),
    "k8s.io/kube-aggregator": ("pkg/apis/apiregistration/v1",),
    "k8s.io/metrics": ("pkg/apis/metrics/v1beta1",),
}  # fmt: skip
SCALARS = {"string": "s", "bool": "b", "int32": "i", "int64": "l", "double": "d", "bytes": "y"}

MESSAGE = re.compile(r"^message (\w+) \{")
FIELD = re.compile(r"^\s+(optional |repeated )?(map<string, ([\w.]+)>|[\w.]+) (\w+) = (\d+);")
STRUCT = re.compile(r"^type (\w+) struct \{")
LIST = re.compile(r"^type (\w+) \[\]", re.MULTILINE)
GO_FIELD = re.compile(r'^\s+(?:\w+\s+)?(\*?)[^\s`]+\s+`.*?json:"([^"]*)".*?protobuf:"[^",]*,(\d+),')


class GoField(NamedTuple):
    name: str
    inline: bool
    omitempty: bool  # of a scalar that is no pointer
    omitzero: bool


def module_folder(module: str) -> Path:
    # Outside of any module, or Go would look at the versions of one around.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["go", "mod", "download", "-json", f"{module}@{VERSION}"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return Path(json.loads(done.stdout)["Dir"])


def go_fields(folder: Path) -> tuple[dict[str, dict[int, GoField]], set[str]]:
    """Per struct its fields by number; and the names of the types that are plain lists."""
    structs: dict[str, dict[int, GoField]] = {}
    lists: set[str] = set()
    for path in sorted(folder.glob("*.go")):
        if path.name.startswith(("zz_", "generated")) or path.name.endswith("_test.go"):
            continue
        text = path.read_text()
        lists.update(LIST.findall(text))
        current: dict[int, GoField] | None = None
        for line in text.splitlines():
            if start := STRUCT.match(line):
                current = structs.setdefault(start[1], {})
            elif line.startswith("}"):
                current = None
            elif current is not None and (field := GO_FIELD.match(line)):
                pointer, tag, number = field.groups()
                name, *options = tag.split(",")
                omitempty = "omitempty" in options and not pointer
                current[int(number)] = GoField(name, not name, omitempty, "omitzero" in options)
    return structs, lists


def field_text(package: str, line: re.Match[str], go: GoField | None) -> str:
    label, kind, map_value, proto_name, number = line.groups()
    value = map_value or kind
    shown = SCALARS.get(value) or value.removeprefix(".").removeprefix(package + ".")
    name = proto_name if go is None else go.name
    flags = "%" if map_value else "*" if label == "repeated " else ""
    if go is not None and go.inline:
        flags += ">"
    elif go is not None and not flags and (go.omitzero or (go.omitempty and value in SCALARS)):
        flags += "?"
    return f"{number}={name}:{shown}{flags}"


def package_lines(folder: Path) -> list[str]:
    text = (folder / "generated.proto").read_text()
    found = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{folder} names no package")
    package = found[1]
    structs, lists = go_fields(folder)
    lines = [f"@{package}"]
    name, fields = "", []
    for line in text.splitlines():
        if start := MESSAGE.match(line):
            name, fields = start[1], []
        elif line.startswith("}"):
            lines.append(" ".join([name + ("[]" if name in lists else ""), *fields]))
        elif field := FIELD.match(line):
            fields.append(field_text(package, field, structs.get(name, {}).get(int(field[5]))))
    return lines


def main() -> int:
    lines = [
        f"# {', '.join(PACKAGES)} {VERSION}, made by scripts/make_protobuf_table.py",
        "# @package; then a message a line: name (with [] if its JSON form is the list it wraps) and its fields:",
        "# number=JSON name:type; type s string, b bool, i int32, l int64, d double, y bytes, or a message;",
        "# flags: * repeated, % map from string, > inline in JSON, ? left out of JSON when zero",
    ]
    for module, packages in PACKAGES.items():
        root = module_folder(module)
        for package in packages:
            lines += package_lines(root / package)
    TARGET.write_text("\n".join(lines) + "\n")
    print(f"{TARGET}: {len(lines)} lines", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
