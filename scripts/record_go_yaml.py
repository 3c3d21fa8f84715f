"""Records what sigs.k8s.io/yaml makes of awkward YAML, as golden data: python scripts/record_go_yaml.py (needs Go).

Each case keeps the JSON that Go converts it to, or its error; the error of the strict reading; and what Go writes for
the value again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "tests" / "golden" / "go-yaml.json"
MODULE = """module recorder
go 1.26
require sigs.k8s.io/yaml v1.6.0
"""
PROGRAM = """package main

import (
	"bufio"
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

type answer struct {
	Text   string `json:"text"`
	JSON   string `json:"json,omitempty"`
	Error  string `json:"error,omitempty"`
	Strict string `json:"strict,omitempty"`
	YAML   string `json:"yaml,omitempty"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for in.Scan() {
		var got answer
		if err := json.Unmarshal(in.Bytes(), &got.Text); err != nil {
			panic(err)
		}
		if found, err := yaml.YAMLToJSON([]byte(got.Text)); err != nil {
			got.Error = err.Error()
		} else {
			got.JSON = string(found)
			var value interface{}
			if yaml.Unmarshal([]byte(got.Text), &value) == nil {
				if written, err := yaml.Marshal(value); err == nil {
					got.YAML = string(written)
				}
			}
		}
		if _, err := yaml.YAMLToJSONStrict([]byte(got.Text)); err != nil {
			got.Strict = err.Error()
		}
		out.Encode(got)
	}
}
"""

SCALARS = (
    "y Y yes Yes YES n N no No NO on On ON off Off OFF true True TRUE false False FALSE null Null NULL ~ yEs nO tRue "
    "0777 0o777 0O17 0b101 0x1F 08 09 018 1_000 1__0 _1 1_ 0_7 0x_1 1e3 1E3 1e+3 1.5e-3 .5 5. -.5 +.5 .5e3 +1 -1 -0 +0 "
    "-0777 -0b11 -0o7 - + . .. ... .inf -.inf +.inf .Inf .NaN .nan nan inf 1:30 1:30:45 190:20:30 2001-01-01 "
    "2001-12-14t21:59:43.10-05:00 2001-1-1 9223372036854775807 -9223372036854775808 1e400 1e20 1.0 1.10 100m 1Gi 0.1 "
    "1e-7 0.000001 << = a:b a#b -a 0x 0b 0o 0b2 0o8 00 000 0_0 1.e3 1.2.3 1e 1e+ e3 +e3 0e0 -0.0 -0x1 +0x1 +0b1 0b_1 "
    "._5 .5_5 .5_ 1,000 0.1_1 12e03 0xg 0777777777777777777777777 ∞ é"
)
FORMS = (
    "{}",
    "a: {}\n",
    "- {}\n",
    "{}: b\n",
    "a: '{}'\n",
    "a: !!str {}\n",
    "a: !!int {}\n",
    "a: !!float {}\n",
    "a: !x {}\n",
)
DOCUMENTS = (
    "", "# c\n", "---\n", "--- a\n--- b\n",
    "a: &x {b: 1}\nc: *x\n", "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n", "a: &x {b: 1}\nc:\n  b: 3\n  <<: *x\n",
    "x: &x {b: 1, z: 2}\ny: &y {b: 2, w: 1}\nc:\n  <<: [*x, *y]\n  b: 9\n", "c:\n  <<: 3\n", "c:\n  <<: [1]\n",
    "'<<': {x: 1}\n", "!!merge <<: {x: 1}\n", "a:\n  <<: {x: 1}\n  <<: {y: 2}\n",
    "a: 1\na: 2\n", "? [a]\n: b\n", "? {a: b}\n: c\n", "null: 1\n", "1.5: 1\n", "1e10: 2\n", "1e6: 2\n",
    "123456.7: 1\n", "0.00001: 2\n", "true: 2\n", "18446744073709551615: 1\n",
    "a: |\n  x\n  y\n", "a: >-\n  x\n  y\n", "a: |+\n  x\n\n\n", "a: |2\n    x\n",
    "a: &a [*a]\n", "a: *b\n", "a: !!binary aGVsbG8=\n", "a: !!binary '***'\n", "a: !!timestamp 2001-01-01\n",
    "a: !!timestamp x\n", "a: !!null ''\n", "a: !!null x\n", "a: !!bool x\n", "a: !!set {x, y}\n",
    "a: b: c\n", "a:\n\tb: 1\n", "a: [1, 2\n", 'a: "\\u0041\\x42\\U0001F600"\n', "a: '''q'''\n", "a: x\n  y\n",
    "- - 1\n  - 2\n", "a: {b: [1, {c: d}]}\n", "\ufeffa: 1\n", "a: 'b' c\n", "- a\nb: c\n", "a: []\nb: {}\nc: [[], {}]\n",
    "a2: 1\na10: 1\na1: 1\nB: 1\nb: 1\n_: 1\n'0': 1\n'00': 1\na-b: 1\na.b: 1\nab: 1\nx01: 1\nx1: 1\nx001: 1\nx10: 1\n",
    "a: 'x: y'\nb: 'x #y'\nc: '#x'\nd: '-'\ne: '- a'\nf: 'a\\nb'\ng: \"a\\nb\"\nh: \"a\\tb\"\ni: \"\\ta\"\n"
    "j: \" a\\n b\\n\"\nk: \"a \\n\"\nl: \"\\n\"\nm: \"a\\n\\n\"\no: '*a'\np: '&a'\nq: '!a'\nr: '%a'\ns: '{a'\nt: 'a]'\n"
    "u: '>'\nv: '|'\nw: '?'\nx: '? a'\nz: ':'\naa: ': a'\nbb: 'a:'\ncc: '\"a'\ndd: \"'a\"\nee: 'é😀'\n"
    "ff: \" \\u2028\"\ngg: ' '\nhh: \"\\r\\n x\"\n",
    "a: " + "long words " * 30 + "\n",
)  # fmt: skip


def main() -> int:
    texts = [form.format(scalar) for scalar in SCALARS.split() for form in FORMS] + list(DOCUMENTS)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "go.mod").write_text(MODULE)
        (Path(folder) / "main.go").write_text(PROGRAM)
        subprocess.run(["go", "mod", "tidy"], cwd=folder, check=True, capture_output=True)
        asked = "\n".join(json.dumps(text) for text in texts)
        done = subprocess.run(
            ["go", "run", "."], cwd=folder, input=asked.encode(), capture_output=True, check=True
        )
    answers = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
    if len(answers) != len(texts):
        raise RuntimeError(f"asked {len(texts)} questions, got {len(answers)} answers")
    lines = ",\n".join(json.dumps(answer, ensure_ascii=True) for answer in answers)
    TARGET.write_text(f"[\n{lines}\n]\n")
    print(f"{TARGET}: {len(answers)} cases", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
