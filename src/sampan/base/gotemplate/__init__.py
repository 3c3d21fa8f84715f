"""Go's text/template in Python, with the types, verbs and error texts that templates can see.

Specification: Go 1.26 (text/template, fmt, strconv, encoding/json, time, regexp) and sprig 3.3. A template becomes
the source of one Python function and is compiled once; where an error happened is read off the traceback.

| module | what |
|---|---|
| `template` | `Environment` (functions, methods, cache), `TemplateSet`, `Execution` |
| `lexer`, `numbers`, `parser`, `nodes` | text to tree, with Go's parse errors |
| `codegen`, `runtime`, `builtins` | tree to Python; what the generated code calls; the built-in functions |
| `gotypes` | how Go's types are written in Python, and `Func`: a function with a Go signature |
| `gofmt`, `strconv`, `gojson`, `gotime`, `semver` | Go's printing, numbers, JSON, dates; versions as Masterminds reads them |
| `re2` | regular expressions in linear time |
| `sprig` | the function library that charts use |

What may not be here: charts, Helm, Kubernetes, YAML.
"""
