"""Selectors as queries and objects carry them.

Here: `labels` (the text syntax and LabelSelector objects, compiled to predicates) and `fields` (field selectors).
Not here: which fields of a kind may be selected by. Source: k8s.io/apimachinery v0.37.2 pkg/labels, pkg/fields.
"""
