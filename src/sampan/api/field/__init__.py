"""Errors about one field of an object, and the rules that texts in objects follow.

Here: `error` (makes the Causes of a Status, worded as upstream words them) and `content` (DNS labels and subdomains,
label keys and values, port names ...). Not here: what any kind's fields must be.
Source: k8s.io/apimachinery v0.37.2 pkg/util/validation, pkg/api/validate/content.
"""
