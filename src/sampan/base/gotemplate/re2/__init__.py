"""Regular expressions with RE2's syntax, semantics and bound on time, as Go's `regexp` has them.

`regex.compile` gives a `Regex` (find, replace, split with Go's rules); `syntax` parses, `classes` knows sets of
characters, `translate` hands harmless patterns to Python's `re`, `pike` runs all others in linear time. No
look-around and no back-references: that is the language. Source: Go 1.26 regexp and regexp/syntax.
"""
