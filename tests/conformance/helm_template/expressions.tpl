### print values
{{ .Values.int }} {{ .Values.neg }} {{ .Values.zero }} {{ .Values.big }} {{ .Values.huge }} {{ .Values.million }} {{ .Values.almost }} {{ .Values.float }} {{ .Values.small }} {{ .Values.exp }} {{ .Values.whole }} {{ .Values.octal }}
### print more values
{{ .Values.yes }} {{ .Values.no_ }} [{{ .Values.nul }}] [{{ .Values.missing }}] {{ .Values.list }} {{ .Values.mixed }} {{ .Values.map }} {{ .Values.elist }} {{ .Values.emap }} {{ .Values.date }} {{ .Values.time }} {{ .Values.true }}
### types
{{ range $k, $v := .Values }}{{ $k }}={{ typeOf $v }}/{{ kindOf $v }} {{ end }}
### literal types
{{ typeOf 1 }} {{ typeOf 1.5 }} {{ typeOf "x" }} {{ typeOf 'a' }} {{ typeOf true }} {{ typeOf nil }} {{ typeOf 0x1F }} {{ typeOf 1e3 }} {{ typeOf (list 1) }} {{ typeOf (dict "a" 1) }} {{ typeOf (add 1 2) }} {{ typeOf (int 3.5) }} {{ typeOf (len "abc") }} {{ typeOf (splitList "," "a,b") }} {{ typeOf (split "," "a,b") }} {{ typeOf (until 3) }} {{ typeOf (float64 3) }} {{ typeOf 1i }}
### literals
{{ 1 }} {{ -1 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 017 }} {{ 1_000 }} {{ 1.5 }} {{ 1e3 }} {{ 'a' }} {{ '\n' }} {{ "a\tb\x41\u00e9\"" }} {{ `raw "x" \n` }} {{ true }} {{ 1i }} {{ 1+2i }} {{ .5 }} {{ 1. }} {{ 0x1p4 }}
### printf verbs ints
{{ printf "%d|%5d|%-5d|%05d|%+d|%x|%X|%#x|%o|%#o|%O|%b|%c|%q|%U|%#U|% d|%3c|" 42 42 42 42 42 255 255 255 8 8 8 5 65 65 65 65 42 65 }}
### printf verbs floats
{{ printf "%f|%.2f|%8.3f|%-8.1f|%08.2f|%e|%E|%g|%G|%+.1f|%v|%6.2f%%|%x|%#g" 3.14159 3.14159 3.14159 3.14159 3.14159 31415.9 31415.9 1e-7 1e21 2.0 1e6 99.5 1.0 1.0 }}
### printf verbs strings
{{ printf "%s|%10s|%-10s|%.2s|%q|%x|%X|% x|%#q|%+q|%v|%5.1s|" "abc" "abc" "abc" "abc" "a\"b" "hi" "hi" "hi" "raw" "é" "v" "xyz" }}
### printf verbs others
{{ printf "%t|%v|%v|%v|%+v|%#v|%T|%T|%v|%d|%s|%#v|%#v|%5t" true nil (list 1 "a" nil) (dict "b" 1 "a" (list 2)) (dict "a" 1) (dict "a" (list 1 "x")) (list) .Values.int (list 1.5) (list 1 2) (list "a" "b") "str" 1.0 true }}
### printf errors
{{ printf "%d" 1.5 }} {{ printf "%s" 1 }} {{ printf "%s" nil }} {{ printf "%z" 1 }} {{ printf "%d %d" 1 }} {{ printf "%d" 1 2 "x" nil }} {{ printf "%!" }} {{ printf "%" }} {{ printf "%[2]d %[1]d" 1 2 }} {{ printf "%[3]d" 1 }} {{ printf "%*d|%-*d|%.*f" 5 42 5 42 2 3.14159 }} {{ printf "%d" "x" }} {{ printf "%t" 1 }} {{ printf "%x" 1.5 }} {{ printf "%s" true }} {{ printf "%5.2v" "abcdef" }} {{ printf "%d" (list "a") }} {{ printf "%[5]d %d" 1 }} {{ printf "%[x]d" 1 }} {{ printf "%.[2]*d" 1 }}
### print and println
{{ print 1 2 "a" "b" 3 nil true }}|{{ println 1 "a" }}|{{ print }}|{{ print 1.0 1e6 }}|{{ print (list 1 2) (dict) }}
### html js urlquery
{{ html "<a href='x'>&\"" }} {{ js "it's <b> \"q\" = \\ \n é \u2028" }} {{ urlquery "a b&c/d?é" "x" }} {{ html nil 1 }} {{ html .Values.nul }}
### comparisons
{{ eq 1 1 }} {{ eq "a" "b" "a" }} {{ ne 1 2 }} {{ lt 1 2 }} {{ le 2 2 }} {{ gt "b" "a" }} {{ ge 1.5 1.5 }} {{ eq .Values.nul nil }} {{ eq .Values.missing "x" }} {{ eq (int .Values.int) 5 }} {{ eq .Values.float 1.5 }} {{ eq (add 1 1) 2 }} {{ lt (int64 1) 2 }} {{ eq true true }} {{ eq nil nil }} {{ ne .Values.nul 1 }}
### logic
{{ and 1 0 2 }} {{ and 1 2 }} {{ or 0 "" "x" }} {{ or 0 "" }} {{ not 0 }} {{ not "x" }} {{ and .Values.nul .Values.nul.x }} {{ or .Values.str .Values.nul.x }} {{ 1 | and 2 }} {{ 0 | or "" }} {{ not .Values.elist }} {{ and true (eq 1 1) | ternary "y" "n" }}
### index slice len
{{ index .Values.list 1 }} {{ index .Values.map "c" "d" }} {{ index .Values.nested "a" "b" "c" 1 "x" }} {{ index "abc" 1 }} {{ index .Values.map "zz" }} {{ len .Values.list }} {{ len "héllo" }} {{ len .Values.map }} {{ slice (list 1 2 3 4) 1 3 }} {{ slice (list 1 2) 1 }} {{ index (split "," "a,b") "_1" }} {{ index (split "," "a") "_9" }} {{ index .Values.list (int 2) }} {{ index .Values }}
### nil safety
[{{ (.Values.missing).sub }}] [{{ ((.Values.missing).sub).x }}] [{{ (.Values.nul).x.y }}] [{{ $x := .Values.missing }}{{ $x.foo }}] [{{ with .Values.missing }}{{ .x }}{{ else }}none{{ end }}] [{{ .Missing }}] [{{ (dict).a }}]
### variables and scope
{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ $x = 3 }}{{ $x }}{{ end }}{{ $x }}{{ if true }}{{ $x = 4 }}{{ end }}{{ $x }}{{ range list 1 2 }}{{ $x = add $x . }}{{ end }}{{ $x }}{{ with $y := 5 }}{{ $y }}{{ . }}{{ end }}{{ $x }}{{ $ | kindOf }}
### range forms
{{ range .Values.list }}{{ . }},{{ end }}|{{ range $i, $v := .Values.list }}{{ $i }}={{ $v }},{{ end }}|{{ range $v := .Values.list }}{{ $v }}{{ end }}|{{ range $k, $v := .Values.map }}{{ $k }}={{ $v }},{{ end }}|{{ range 3 }}{{ . }}{{ end }}|{{ range $i := 2 }}{{ $i }}{{ end }}|{{ range .Values.elist }}x{{ else }}empty{{ end }}|{{ range .Values.nul }}x{{ else }}nil{{ end }}|{{ range $i, $v := (list) }}{{ else }}{{ $v }}{{ end }}|{{ range int64 2 }}{{ typeOf . }}{{ end }}|{{ range 0 }}x{{ else }}zero{{ end }}
### break continue
{{ range $i, $v := list 1 2 3 4 5 }}{{ if eq $v 2 }}{{ continue }}{{ end }}{{ if eq $v 4 }}{{ break }}{{ end }}{{ $v }}{{ end }}
### if chains
{{ range list 1 2 3 4 }}{{ if eq . 1 }}one{{ else if eq . 2 }}two{{ else if eq . 3 }}{{ with "x" }}{{ . }}{{ end }}{{ else }}other{{ end }},{{ end }}
### with chains
{{ with .Values.empty }}a{{ else with .Values.str }}b{{ . }}{{ else }}c{{ end }}{{ with .Values.nul }}a{{ else with .Values.empty }}b{{ else }}c{{ end }}
### define block template
{{ template "probe.inner" .Values.str }}{{ block "probe.block" 7 }}[{{ . }}]{{ end }}{{ include "probe.inner" (list 1 2) }}{{ template "probe.inner" }}{{ include "probe.inner" nil }}
### trim markers
a {{- "b" -}} c   {{- /* comment */ -}}   d
  {{- "e" }}
{{ "f" -}}
g{{ 3 -}} x {{- -3 }}
### pipelines
{{ "abc" | upper | printf "%s-%s" "x" | quote }} {{ 5 | add 1 | mul 2 }} {{ .Values.str | default "d" | trunc 3 }} {{ (("x")) }} {{ "a" | }}
### tpl
{{ tpl .Values.tplstr . }} {{ tpl "{{ define \"t.x\" }}D{{ end }}{{ include \"t.x\" . }}" . }} {{ tpl "plain" . }} {{ tpl "{{ tpl .Values.tplstr . }}!" . }} {{ tpl "[{{ .Values.missing }}]" . }} {{ tpl "{{ .a }}" (dict "a" 1) }} {{ tpl "" . }}|
### defaults
{{ default "d" .Values.nul }} {{ default "d" .Values.zero }} {{ default "d" .Values.no_ }} {{ default "d" .Values.empty }} {{ default "d" .Values.elist }} {{ default "d" .Values.str }} {{ empty .Values.emap }} {{ coalesce nil "" 0 "x" }} {{ coalesce nil "" }} {{ ternary "a" "b" true }} {{ .Values.true | ternary "a" "b" }} {{ all 1 "" }} {{ any 0 "x" }} {{ default 5 0 }} {{ .Values.int | default 7 }}
### quote
{{ quote "a" 1 nil true "b\"c" 1.5 "tab\tnl\n\x00é日" }} {{ squote "a'b" 1 nil }} {{ quote }}|{{ quote nil }}|{{ .Values.list | quote }} {{ .Values.emoji | quote }} {{ quote .Values.huge }}
### strings one
{{ upper "aé" }} {{ lower "AÉ" }} {{ title "hello wORLD o'neil a_b é-x" }} {{ untitle "Hello World" }} {{ trim "  x \n" }} {{ trimAll "$-" "$-x-$" }} {{ trimSuffix "-" "a--" }} {{ trimPrefix "v" "vv1" }} {{ nospace "a b\tc" }} {{ swapcase "aBc dEf" }} {{ initials "Foo bar Baz" }} {{ repeat 3 "ab" }} {{ substr 1 3 "hello" }} {{ substr -1 2 "hello" }} {{ substr 2 -1 "hello" }} {{ trunc 3 "hello" }} {{ trunc -3 "hello" }} {{ trunc 2 "日本" | len }} {{ contains "el" "hello" }} {{ hasPrefix "he" "hello" }} {{ hasSuffix "lo" "hello" }}
### strings two
{{ abbrev 7 "hello world" }} {{ abbrevboth 5 10 "1234 5678 9123" }} {{ wrap 10 "the quick brown fox jumps" | quote }} {{ wrapWith 5 "-" "Hello World longwordhere" }} {{ cat "a" nil 1 "b" }} {{ indent 2 "a\n\nb" | quote }} {{ nindent 2 "a\nb" | quote }} {{ replace "l" "L" "hello" }} {{ plural "one" "many" 1 }} {{ plural "one" "many" 2 }} {{ camelcase "http_server-x y" }} {{ snakecase "FirstName HTTPServer v2beta1" }} {{ kebabcase "HTTP20xOK FooBar3Baz" }} {{ toString 1.5 }} {{ toString (list 1) }} {{ toString nil }} {{ join "," (list 1 nil "a" true) }} {{ join "-" "x" }} {{ splitList "" "abc" }} {{ split "$" "a$b$c" }} {{ (splitn "$" 2 "a$b$c")._1 }} {{ sortAlpha (list "b" "a" 3) }} {{ toStrings (list 1 nil "x") }} {{ sortAlpha 5 }}
### encodings
{{ b64enc "héllo" }} {{ b64dec "aMOpbGxv" }} {{ b64dec "!!" }} {{ b64dec "abc" }} {{ b32enc "abc" }} {{ b32dec "MFRGG===" }} {{ sha1sum "a" }} {{ sha256sum "a" }} {{ sha512sum "a" | trunc 10 }} {{ adler32sum "abc" }}
### numbers
{{ add 1 2 3 }} {{ add "5" 1.9 }} {{ add1 1 }} {{ sub 5 3 }} {{ mul 2 3 4 }} {{ div 7 2 }} {{ div -7 2 }} {{ mod 7 3 }} {{ mod -7 3 }} {{ max 1 5 3 }} {{ min 1 5 3 }} {{ biggest 2 9 }} {{ maxf 1.5 2.5 }} {{ minf 1.5 2 }} {{ floor 1.9 }} {{ ceil 1.1 }} {{ round 1.2345 2 }} {{ round 2.5 0 }} {{ round -1.5 0 }} {{ round 123.5555 3 0.6 }} {{ addf 1.1 2.2 }} {{ subf 3.3 1.1 }} {{ mulf 1.1 3 }} {{ divf 10 4 }} {{ divf 1 3 }} {{ add1f 1.5 }} {{ int "08" }} {{ int "0x1f" }} {{ int "12.0" }} {{ int 1e19 }} {{ int64 "1.9" }} {{ int true }} {{ float64 "1.5" }} {{ atoi "12x" }} {{ atoi "12" }} {{ toDecimal 755 }} {{ int .Values.huge }} {{ add .Values.big 1 }} {{ int nil }} {{ floor -0.5 }}
### sequences
{{ until 3 }} {{ until -3 }} {{ untilStep 1 10 3 }} {{ untilStep 5 1 -2 }} {{ seq 5 }} {{ seq 2 5 }} {{ seq 5 -2 1 }} {{ seq 0 2 6 }} {{ seq -3 }} {{ seq }}|
### lists
{{ first .Values.list }} {{ last .Values.list }} {{ rest .Values.list }} {{ initial .Values.list }} {{ append .Values.list "d" }} {{ prepend .Values.list "z" }} {{ concat .Values.list (list 1) }} {{ reverse .Values.list }} {{ uniq (list 1 1 "a" 1.0 "a") }} {{ without (list 1 2 3) 2 }} {{ has "b" .Values.list }} {{ has 5 (list 5.0) }} {{ has "x" nil }} {{ compact (list 0 1 "" "a" nil) }} {{ slice .Values.list 1 }} {{ chunk 2 (list 1 2 3) }} {{ first (list) }} {{ tuple 1 2 }} {{ mustFirst (list 9) }} {{ push (list 1) 2 }} {{ list | toJson }} {{ rest (list) | toJson }} {{ slice (list) | toJson }} {{ concat (list) (list) | toJson }}
### dicts
{{ $d := dict "a" 1 "b" (dict "c" 2) "odd" }}{{ $d }} {{ get $d "a" }} {{ get $d "zz" }} {{ hasKey $d "a" }} {{ set $d "n" 5 | toJson }} {{ unset $d "a" | toJson }} {{ pick $d "b" "zz" | toJson }} {{ omit $d "b" | toJson }} {{ pluck "a" (dict "a" 1) (dict "b" 2) (dict "a" 3) }} {{ keys $d | sortAlpha }} {{ values (dict "a" 1) }} {{ dig "b" "c" "def" $d }} {{ dig "b" "x" "def" $d }} {{ dig "q" "x" "def" $d }} {{ deepCopy $d | toJson }} {{ dict 1 2 | toJson }}
### merge
{{ $a := dict "x" 1 "n" (dict "a" 1 "z" 0) "e" "" "l" (list) "f" false }}{{ merge $a (dict "x" 2 "n" (dict "a" 5 "b" 6 "z" 7) "e" "full" "l" (list 1) "f" true "new" nil) | toJson }} {{ $b := dict "x" 1 "n" (dict "a" 1) "l" (list 1) "s" "t" }}{{ mergeOverwrite $b (dict "x" 0 "n" (dict "a" nil "b" 2) "l" (list) "s" "" "q" nil) | toJson }} {{ $c := dict "a" (dict) }}{{ merge $c (dict "a" (dict "b" 1)) (dict "a" "scalar") | toJson }} {{ mergeOverwrite (dict "a" (dict "b" 1)) (dict "a" "s") | toJson }} {{ mergeOverwrite (dict "a" "s") (dict "a" (dict "b" 1)) | toJson }}
### typing tests
{{ typeIs "string" "x" }} {{ typeIsLike "string" "x" }} {{ kindIs "map" .Values.map }} {{ kindIs "slice" .Values.list }} {{ kindIs "invalid" .Values.nul }} {{ kindIs "float64" .Values.int }} {{ deepEqual (list 1) (list 1) }} {{ deepEqual 1 1.0 }} {{ typeOf .Values }} {{ typeOf .Chart }} {{ typeOf .Files }} {{ typeOf .Release }} {{ typeOf .Capabilities.APIVersions }} {{ kindOf . }} {{ typeOf . }} {{ kindOf .Values }} {{ typeOf .Values.map }}
### json
{{ toJson .Values.mixed }} {{ toJson (dict "a" "<&>" "b" 1.0 "c" 1e21 "d" 0.0000001 "e" 12345678) }} {{ toRawJson (dict "a" "<&>") }} {{ toPrettyJson (dict "a" (list 1 (dict)) "b" (dict "c" "d:e,{x}")) }} {{ (fromJson "{\"a\": 1}").a }} {{ fromJson "[1]" }} {{ fromJson "{bad" }} {{ fromJsonArray "[1, \"x\"]" }} {{ fromJsonArray "{}" }} {{ mustFromJson "5" | typeOf }} {{ toJson nil }} {{ toJson "é\u2028\x01\t" }} {{ fromJson "null" | toJson }} {{ fromJsonArray "x" }} {{ toJson .Values.huge }}
### yaml scalars
{{ toYaml (list "yes" "no" "on" "off" "y" "n" "Y" "true" "null" "~" "1" "1.0" "0x1" "1e3" "0777" "2020-01-02" "1:30" "12e03" "1_000" ".5" "+1" "0b1" "0o7" ".nan" "" "=" "<<" "NaN" "a,b" "100%" "a\\b" "it's" "a: b" "- a" "#x" " x" "x " "@x" "%x" "!x" "&x" "*x" "'x" "`x" "x:" "?" "-" "{a" "[a" "a #b" "a#b" "a:b" "null " "---" "--- a" "..." "|" ">" "a\tb" "\"q" "x\"y" "- " "-a" "?a" ":a" ":" "a:" ", a" "0" "-0" "0.0" "1." "inf" ".inf" "+.inf" "1__0" "0x" "08" "2020-1-1" "2020-13-01" "2001-12-14t21:59:43.10-05:00" "2001-12-14 21:59:43" "190:20:30" "190:20:30.15" "é" "日本" "😀" "\x7f" "\u00a0" "\u2028" "\ufeffx") }}
### yaml values
{{ toYaml .Values.mixed }}
{{ toYaml .Values.keys }}
{{ toYaml .Values.nested }}
{{ toYaml .Values.emap }} {{ toYaml .Values.elist }} {{ toYaml nil }} {{ toYaml 1.0 }} {{ toYaml 1e6 }} {{ toYaml 1e20 }} {{ toYaml 1.5e300 }} {{ toYaml 0.00001 }} {{ toYaml "x" }} {{ toYaml .Values.huge }} {{ toYaml true }}
### yaml multiline
{{ toYaml (dict "a" "x\ny\n" "b" "x\ny" "c" "x\n\n" "d" " lead\nx" "e" "trail \nx" "f" "\n" "g" "\nx" "h" "tab\there\nx" "i" "x\r\ny" "j" "cr\rx" "k" "x\n y\n\n z\n" "l" (list "a\nb" (dict "m" "n\no\n")) "multi\nkey" 1 "m" "x\n \ny") }}
### yaml folding
{{ toYaml (dict "long" (repeat 30 "word ") "long2" (repeat 12 "quoted: x ") "long3" (repeat 100 "x") "long4" (printf "%s\"q\" é" (repeat 20 "abc def ")) "n" (dict "long5" (repeat 20 "'word' ") "l" (list (repeat 30 "item ")))  "t" (printf "%s\t%s" (repeat 15 "ab cd ") (repeat 15 "ef gh "))) }}
### yaml long keys
{{ toYaml (dict (repeat 140 "k") 1 (repeat 128 "j") (dict "a" 1) (repeat 131 "l") (list 1 2) (repeat 132 "m") (dict "x" (dict "y" 1))) }}
### yaml structures
{{ toYaml (dict "a" (list (list 1 2) (list) (dict "x" (list (dict "y" 1 "z" (list 3)) 4))) "b" (dict "c" (dict) "d" (list (dict))) "e" nil) }}
### yaml pretty
{{ toYamlPretty (dict "a" (list 1 (dict "b" (list 2)) (list 3 4)) "c" (dict "d" 1.5 "e" "yes") "f" (list) "g" (dict) "h" nil "i" "x\ny" "j" 1e6 "k" "2020-01-01" "l" "on" "m" (repeat 30 "word ")) }}
### from yaml
{{ fromYaml "a: 1\nb: [x, y]\nc: yes\nd: 0x10\ne: null" | toJson }} {{ fromYaml "a: b: c" }} {{ fromYaml "- 1" }} {{ fromYamlArray "- 1\n- a: b" | toJson }} {{ fromYamlArray "a: 1" }} {{ fromYaml "" | toJson }} {{ fromYaml "a: 1" | typeOf }} {{ (fromYaml "a: 12").a | typeOf }} {{ fromYaml "x: [" }} {{ fromYaml "a: &x 1\nb: *x" | toJson }} {{ fromYaml "<<: {a: 1}\nb: 2" | toJson }} {{ fromYaml "a: 1\na: 2" | toJson }} {{ fromYamlArray "" | toJson }} {{ fromYaml "5" }} {{ fromYaml "a: !!str 5" | toJson }} {{ fromYaml "a: \"\\q\"" }} {{ fromYaml "\tx: 1" }}
### toml
{{ toToml (dict "a" 1 "b" "x\"y" "c" 1.5 "d" (dict "e" true "f" (dict "g" (list 1 2))) "h" (list "x" "y") "i" (list (dict "j" 1) (dict "k" 2)) "l" 1000000.0 "m" 2.0 "n" nil "o p" 1) }}
### toml nested
{{ toToml (dict "z" (dict "y" (dict "x" (dict "w" 1))) "t" (dict "arr" (list (dict "a" 1 "b" (dict "c" 2)))) "e" (dict) "l" (list) "mixed" (list 1 "a") "inl" (list (list 1 2) (list "a")) "ml" "a\nb") }}|{{ toToml "x" }}|{{ fromToml "a = 1\n[b]\nc = \"x\"\nd = [1, 2.5]" | toJson }} {{ (fromToml "a = 1").a | typeOf }} {{ toToml .Values.map }}
### regex
{{ regexMatch "^[a-z]+$" "abc" }} {{ regexMatch "(" "x" }} {{ regexFind "[0-9]+" "ab12cd34" }} {{ regexFindAll "[0-9]" "1a2b3" -1 }} {{ regexFindAll "[0-9]" "1a2b3" 2 }} {{ regexFindAll "x" "abc" -1 | toJson }} {{ regexReplaceAll "(a)(b)?" "abaa" "<$1-$2>" }} {{ regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W" }} {{ regexReplaceAll "a(x*)b" "-ab-axxb-" "$1W" }} {{ regexReplaceAllLiteral "a(x*)b" "-ab-axxb-" "$1" }} {{ regexSplit "z+" "pizza" -1 }} {{ regexSplit "a" "banana" 2 }} {{ regexQuoteMeta "1.2*[3]" }} {{ regexReplaceAll "(?i)HELLO" "hello Hello" "x" }} {{ regexReplaceAll "\\W+" "a b-c_d é" "_" }} {{ regexMatch "\\p{L}+" "é" }} {{ regexFind "(a|ab)(c|bcd)" "abcd" }} {{ regexFindAll "a*" "baaac" -1 | toJson }} {{ regexReplaceAll "a*" "baaac" "x" }} {{ regexMatch "^(([a-z0-9]+)-?)*$" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!" }} {{ regexFind "[[:alpha:]]+" "12ab" }} {{ regexReplaceAll "^" "ab" "x" }} {{ regexReplaceAll "$" "ab" "x" }} {{ regexReplaceAll "" "abc" "-" }} {{ regexSplit "" "abc" -1 | toJson }} {{ mustRegexMatch "a.c" "a\nc" }} {{ regexMatch "(?s)a.c" "a\nc" }} {{ regexFind "(?U)a+" "aaa" }} {{ regexFind "a{2,3}?" "aaaa" }} {{ regexReplaceAll "(?P<n>b)" "abc" "[${n}]" }} {{ regexMatch "[^\\d\\s]" "5 " }} {{ regexReplaceAll "[^-a-z0-9]" "A-b_c" "." }}
### semver
{{ semverCompare ">=1.2.0" "1.2.3" }} {{ semverCompare "^1.2" "1.9.0" }} {{ semverCompare "~1.2.3" "1.2.9" }} {{ semverCompare "1.2.x" "1.2.5" }} {{ semverCompare ">1.0 <2.0" "1.5" }} {{ semverCompare "1.0 - 2.0" "1.5.0" }} {{ semverCompare "<1.0 || >2.0" "2.1" }} {{ semverCompare ">=1.0" "1.5.0-beta" }} {{ semverCompare ">=1.0-0" "1.5.0-beta" }} {{ semverCompare "!=1.2.3" "1.2.3" }} {{ semverCompare "*" "0.0.1" }} {{ semverCompare "^0.2.3" "0.2.9" }} {{ semverCompare "^0.0.3" "0.0.4" }} {{ semverCompare ">=1.19-0" .Capabilities.KubeVersion.Version }} {{ (semver "1.2.3-beta.1+x").Major }} {{ (semver "v1.2.3-beta.1+x").Prerelease }} {{ (semver "v1.2").Original }} {{ semver "v1.2" }} {{ (semver "1.2.3").Compare (semver "1.3.0") }} {{ (semver "1.2.3") | toJson }} {{ typeOf (semver "1.0.0") }} {{ (semver "1.2.3+b").Metadata }} {{ (semver "1.2.3").Minor | typeOf }} {{ (semver "1.2.3").LessThan (semver "1.3") }}
### dates
{{ date "2006-01-02 15:04:05" 0 }} {{ dateInZone "Mon Jan _2 15:04:05 MST 2006" 1700000000 "America/New_York" }} {{ htmlDate 86400 }} {{ toDate "2006-01-02" "2020-02-30" | date "2006" }} {{ toDate "2006-01-02" "2020-02-03" | date "02 Jan 06 Monday 3PM .000" }} {{ duration "95" }} {{ duration 95 }} {{ duration (int64 3700) }} {{ durationRound "2h10m5s" }} {{ durationRound "2400h10m5s" }} {{ unixEpoch (toDate "2006-01-02" "2020-01-01") }} {{ dateModify "24h" (toDate "2006-01-02" "2020-01-01") | date "2006-01-02" }} {{ (toDate "2006-01-02T15:04:05Z07:00" "2020-01-02T03:04:05+02:00").Unix }} {{ dateInZone "2006-01-02T15:04:05.999Z07:00" (toDate "2006-01-02T15:04:05.000Z07:00" "2020-01-02T03:04:05.120+02:00") "Europe/Berlin" }} {{ (toDate "2006-01-02" "2020-03-04").Year }} {{ toDate "2006-01-02" "2020-03-04" }} {{ date "Jan 2, 2006 at 3:04pm (MST)" 1e9 | len }} {{ dateInZone "2006" 0 "No/Where" }}
### durations
{{ durationSeconds "1m30s" }} {{ durationMinutes "90s" }} {{ durationHours 5400 }} {{ durationMilliseconds "1.5s" }} {{ durationDays "36h" }} {{ durationWeeks "84h" }} {{ durationRoundTo "1h29m" "1h" }} {{ durationTruncateTo "1h59m" "1h" }} {{ mustToDuration "90m" }} {{ durationNanoseconds "1us" }} {{ durationSeconds "x" }} {{ mustToDuration 1.5 }} {{ typeOf (mustToDuration "1s") }} {{ (mustToDuration "90s").Minutes }} {{ durationMicroseconds "2ms" }} {{ mustToDuration "1h" | toJson }} {{ mustToDuration "-1.5h" }} {{ mustToDuration "1us" }} {{ mustToDuration 0 }}
### urls and paths
{{ urlParse "https://u:p@h.com:80/a%20b?x=1#f" | toJson }} {{ urlJoin (dict "scheme" "http" "host" "h:80" "path" "/a b" "query" "q=1" "fragment" "f" "userinfo" "u:p") }} {{ urlParse "mailto:x@y" | toJson }} {{ base "/a/b.c" }} {{ dir "/a/b.c" }} {{ ext "x.tar.gz" }} {{ clean "/a/../b/./c//d" }} {{ isAbs "/a" }} {{ base "" }} {{ dir "x" }} {{ osBase "/a/b" }} {{ clean "../../a" }} {{ urlJoin (dict "path" "a/b") }} {{ urlJoin (dict "host" "h" "path" "p") }}
### crypto
{{ derivePassword 1 "long" "password" "user" "example.com" }} {{ derivePassword 1 "bad" "p" "u" "s" }} {{ encryptAES "key" "text" | decryptAES "key" }} {{ randAlphaNum 5 | len }} {{ uuidv4 | len }} {{ randBytes 6 | len }} {{ randNumeric 3 | regexMatch "^[0-9]{3}$" }} {{ shuffle "aaa" }} {{ genPrivateKey "ecdsa" | regexMatch "BEGIN EC PRIVATE KEY" }} {{ genPrivateKey "x" }} {{ $ca := genCA "ca" 1 }}{{ $c := genSignedCert "cn" (list "127.0.0.1") (list "a.b") 1 $ca }}{{ typeOf $c }} {{ contains "CERTIFICATE" $c.Cert }} {{ contains "RSA PRIVATE" $c.Key }} {{ (buildCustomCert (b64enc $c.Cert) (b64enc $c.Key)).Cert | eq $c.Cert }} {{ htpasswd "a:b" "c" }}
### files
{{ .Files.Get "notes/a.txt" }}|{{ .Files.Get "missing" }}|{{ range $p, $b := .Files.Glob "notes/*" }}{{ $p }}:{{ len $b }} {{ end }}|{{ (.Files.Glob "notes/*.txt").AsConfig }}|{{ (.Files.Glob "notes/**").AsSecrets }}|{{ .Files.Lines "notes/a.txt" }}|{{ range .Files.Lines "notes/b.txt" }}<{{ . }}>{{ end }}|{{ .Files.GetBytes "notes/b.txt" }}|{{ (.Files.Glob "notes/b.txt") | toJson }}|{{ len (.Files.Glob "{notes,x}/[ab].txt") }}|{{ index .Files "notes/b.txt" | toString }}|{{ .Files.Glob "nope/*" | toYaml }}
### builtin objects
{{ .Release.Name }} {{ .Release.Namespace }} {{ .Release.Service }} {{ .Release.IsInstall }} {{ .Release.IsUpgrade }} {{ .Release.Revision }} {{ .Chart.Name }} {{ .Chart.Version }} {{ .Chart.AppVersion }} {{ .Chart.Nope }} {{ .Chart.Annotations.a }} [{{ .Chart.Annotations.zz }}] {{ .Chart.Maintainers }} {{ (index .Chart.Maintainers 0).Email }} {{ .Chart.Keywords }} {{ .Template.Name }} {{ .Template.BasePath }} {{ .Capabilities.KubeVersion }} {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.KubeVersion.Major }}.{{ .Capabilities.KubeVersion.Minor }} {{ .Capabilities.KubeVersion.GitVersion }} {{ .Capabilities.APIVersions.Has "apps/v1" }} {{ .Capabilities.APIVersions.Has "x/v1" }} {{ .Chart.Type }} {{ .Chart.IsRoot }} {{ .Capabilities.HelmVersion.Version }} {{ .Subcharts }} {{ .Chart.Sources | toJson }} {{ .Chart.Dependencies }} {{ printf "%v" .Capabilities.KubeVersion }} {{ lookup "v1" "Pod" "" "x" }} {{ getHostByName "localhost" }}|
### whitespace and text
no actions here { { }} "quotes" 'single' \ backslash	tab
### unicode identifiers
{{ $größe := 5 }}{{ $größe }} {{ (dict "größe" 7).größe }} {{ $日本 := "x" }}{{ $日本 }}
### comments
a{{/* c */}}b{{- /* c
multi */ -}} c d
