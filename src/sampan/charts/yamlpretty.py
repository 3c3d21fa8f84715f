"""`toYamlPretty`: go-yaml v3 on the values themselves, sequences indented, no folding.

Source of behaviour: sigs.k8s.io/yaml/goyaml.v3 (encode.go, emitterc.go) with an indent of 2.
"""

from __future__ import annotations

from typing import Any

from sampan.base.gotemplate.gotypes import Duration, Struct, is_nil
from sampan.base.gotemplate.strconv import format_float
from sampan.charts import yamlout


class _Pretty(yamlout.Emitter):
    """Sequences inside mappings stand two columns in; lines are not folded."""

    width = 1 << 30

    def child(self, item: Any, indent: int) -> None:
        if isinstance(item, list) and item:
            self.line(indent + 2)
            self.sequence(item, indent + 2, True)
            return
        super().child(item, indent)

    def scalar(self, value: Any, indent: int, *, key: bool) -> None:
        if type(value) is float:
            self.put(format_float(value))
        elif isinstance(value, Duration):
            from sampan.base.gotemplate.gotime import duration_text

            self.text(duration_text(value), indent, key)
        elif isinstance(value, list) and not value:
            self.put("[]")
        elif isinstance(value, dict) and not value:
            self.put("{}")
        elif isinstance(value, Struct) and is_nil(value):
            self.put("null")
        else:
            super().scalar(value, indent, key=key)


def dump(value: Any) -> str:
    """The document. Raises gojson.JSONError."""
    out = _Pretty()
    out.root(value)
    return "".join(out.parts) + "\n"
