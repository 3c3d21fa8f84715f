### missing sub
a: 1
b: {{ .Values.missing.sub }}
### sub of string
b: {{ .Values.str.sub }}
### sub of int in var
{{ $x := .Values.str }}
b: é {{ $x.foo.bar }}
### paren sub of string
b: {{ (.Values.str).x }}
### eq types
b: {{ if eq .Values.int 1 }}x{{ end }}
### eq list
b: {{ eq .Values.list .Values.list }}
### lt nil
b: {{ lt .Values.nul 1 }}
### lt types
b: {{ lt "a" 1 }}
### eq missing arg
b: {{ eq 1 }}
### index out of range
b: {{ index .Values.list 5 }}
### index of nil
b: {{ index .Values.missing "k" }}
### index nil deeper
b: {{ index .Values "missing" "k" }}
### index with float
b: {{ index .Values.list .Values.int }}
### index map with int
b: {{ index .Values.map 1 }}
### index a number
b: {{ index .Values.int 1 }}
### index untyped nil
b: {{ index nil 1 }}
### len of nil
b: {{ len .Values.missing }}
### len of nil pipe
b: {{ .Values.missing | len }}
### len of int
b: {{ len 5 }}
### wrong type string nil
b: {{ upper .Values.nul }}
### wrong type string literal
b: {{ upper 1 }}
### wrong type string pipe nil
b: {{ .Values.nul | upper }}
### wrong type string pipe after arg
b: {{ .Values.nul | trunc 5 }}
### wrong type string pipe number
b: {{ .Values.int | upper }}
### wrong type int
b: {{ until .Values.int }}
### wrong type int literal
b: {{ until "x" }}
### wrong type bool
b: {{ ternary 1 2 .Values.str }}
### bool literal
b: {{ ternary 1 2 "x" }}
### wrong type map
b: {{ hasKey .Values.str "x" }}
### map nil element
b: {{ hasKey .Values.nul "x" }}
### wrong number fixed
b: {{ upper "a" "b" }}
### wrong number variadic
b: {{ printf }}
### wrong number none
b: {{ trunc 5 }}
### method arity
b: {{ .Files.Get }}
### method wrong type
b: {{ .Files.Get 5 }}
### map with args
b: {{ .Values.str "x" }}
### arguments to value
b: {{ 1 2 }}
### pipe into value
b: {{ 1 | .Values.str }}
### nil command
b: {{ nil }}
### nil to string
b: {{ upper nil }}
### nil chain
b: {{ (nil).x }}
### range over string
b: {{ range .Values.str }}{{ end }}
### range over float
b: {{ range .Values.int }}{{ end }}
### range int two vars
b: {{ range $a, $b := 3 }}{{ end }}
### required
b: {{ required "need it" .Values.nul }}
### required multi line
b: {{ .Values.empty | required "need\nit: %s" }}
### fail
b: {{ fail "boom: x" }}
### include unknown
b: {{ include "nope" . }}
### template unknown
b: {{ template "nope" . }}
### include chain
{{ define "f.a" }}
x {{ .Values.missing.deep }}{{ end }}{{ define "f.b" }}y
  {{ include "f.a" . | nindent 2 }}{{ end }}
b: {{ include "f.b" . | quote }}
### template chain
{{ define "f.c" }}x {{ .Values.missing.deep }}{{ end }}
b: {{ template "f.c" . }}
### include function error
{{ define "f.d" }}{{ div 1 0 }}{{ end }}
b: {{ include "f.d" . }}
### required in include
{{ define "f.e" }}{{ required "inner" .Values.nul }}{{ end }}
b: {{ include "f.e" . }}
### tpl failure
b: {{ tpl "{{ .Values.missing.x }}" . }}
### tpl parse failure
b: {{ tpl "{{ .Values." . }}
### tpl function unknown
b: {{ tpl "{{ nofunc }}" . }}
### include recursion
{{ define "f.r" }}{{ include "f.r" . }}{{ end }}
b: {{ include "f.r" . }}
### div by zero
b: {{ div 1 0 }}
### mod by zero
b: {{ mod 1 0 }}
### bad regex
b: {{ regexFind "(" "x" }}
### must regex
b: {{ mustRegexMatch "(" "x" }}
### bad semver
b: {{ semverCompare ">=x" "1.0" }}
### bad version
b: {{ semverCompare ">=1.0" "abc" }}
### dig values
b: {{ dig "a" "b" "c" .Values }}
### dig few
b: {{ dig "a" (dict) }}
### dig not map
b: {{ dig "str" "b" "c" (dict "str" "x") }}
### first of string
b: {{ first "abc" }}
### append to nil
b: {{ append nil 1 }}
### concat scalar
b: {{ concat "a" }}
### has string
b: {{ has "a" "abc" }}
### set on string
b: {{ set "x" "a" 1 }}
### slice bounds
b: {{ slice (list 1 2) 1 5 }}
### substr bounds
b: {{ substr 3 1 "hello" }}
### repeat negative
b: {{ repeat -1 "x" }}
### must from json
b: {{ mustFromJson "{x" }}
### must to date
b: {{ mustToDate "2006-01-02" "xx" }}
### date modify wrong type
b: {{ dateModify "1h" "x" }}
### must duration
b: {{ mustToDuration "x" }}
### url parse
b: {{ urlParse "http://[::1" }}
### gen cert bad ip
b: {{ genSelfSignedCert "a" (list "x") (list) 1 }}
### call non function
b: {{ call .Values.str }}
### nil data key in range
{{ range .Values.mixed }}{{ .k }}{{ end }}
### with then field
{{ with .Values.str }}{{ .foo }}{{ end }}
### undefined function
b: {{ nofunc 1 }}
### undefined variable
b: {{ $nope }}
### unclosed action
b: {{ .Values.str
### unclosed paren
b: {{ (upper "x" }}
### extra paren
b: {{ upper "x") }}
### unexpected end
b: {{ end }}
### missing end
{{ if true }}
b: 1
### missing value
b: {{ if }}{{ end }}
### empty action
b: {{ }}
### bad character
b: {{ .Values.a-b }}
### bad character two
b: {{ 1 % 2 }}
### unterminated string
b: {{ "abc }}
### unterminated raw
b: {{ `abc }}
### bad number
b: {{ 12abc }}
### integer overflow
b: {{ 99999999999999999999 }}
### overflows int
b: {{ 9223372036854775808 }}
### else twice
b: {{ if 1 }}a{{ else }}b{{ else }}c{{ end }}
### break outside
b: {{ break }}
### non executable
b: {{ "x" | 1 }}
### define twice
{{ define "t.a" }}1{{ end }}{{ define "t.a" }}2{{ end }}
### define inside
{{ if true }}{{ define "x.y" }}{{ end }}{{ end }}
### range three
{{ range $a, $b, $c := .Values.list }}{{ end }}
### unclosed comment
b: {{/* x
### comment gap
b: {{/* x */ }}
### spaced comment
b: {{ /* x */ }}
### dot after string
b: {{ "x".y }}
### template no name
b: {{ template foo }}
### action over lines
b: {{ upper
  (index .Values.list
     7) }}
### unexpected token
b: {{ upper "x" = }}
### else if error
{{ if false }}{{ else if .Values.missing.x }}{{ end }}
### percent in source
b: {{ printf "%d%s" 1 | nofield.x }}
### bad escape
b: {{ "\q" }}
### bad char constant
b: {{ 'ab' }}
### yaml error
a: b: c
### yaml error later
a: 1
b: [1, 2
c: 3
### yaml tab
a:
	b: 1
### yaml not a map
- 1
- 2
### yaml scalar
just text
### yaml kind list
kind: [x]
### yaml annotations number
kind: X
metadata:
  annotations: 5
### yaml annotation nested
kind: X
metadata:
  annotations:
    a: {b: c}
### yaml name number
kind: 5
metadata:
  name: 5.50
  annotations:
    helm.sh/hook: test
    x: true
### unknown hook
kind: X
metadata:
  name: a
  annotations:
    helm.sh/hook: crd-install
### yaml unknown anchor
a: *nope
### yaml control
a: "{{ "\x01" }}"
### yaml dup key
a: 1
a: 2
### yaml metadata number
metadata: 5
### define in list
{{ if true }}{{ define "probe.x" }}{{ end }}{{ end }}
### dot at the end
b: {{ .Values. }}
### trailing field dot
b: {{ .Values.
### file in fields
b: {{ .Files.Get (list 1) }}
### default alone
b: {{ default "d" }}
### default without values
b: {{ default }}
### call a literal
b: {{ call 5 }}
### nested parens
b: {{ ((upper (index .Values.list 9))) }}
### chain on function
b: {{ dict.x.y }}
### pipe into parens
b: {{ 1 | (upper "x") }}
### and with error
b: {{ and true (upper 5) }}
### set on nil map
b: {{ set .Values.nul "a" 1 }}
### set on missing pipe
b: {{ set nil "a" 1 }}
### split then field
b: {{ (split "," "a,b")._0.x }}
### capability field
b: {{ .Capabilities.KubeVersion.Nope }}
### chart map deep
b: {{ .Chart.Annotations.a.b }}
### with nil error
b: {{ with .Values.missing.x }}{{ end }}
### assign undeclared later
{{ if false }}{{ $q := 1 }}{{ else }}{{ $q }}{{ end }}
