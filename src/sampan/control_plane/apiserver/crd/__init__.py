"""Custom resources: what a CustomResourceDefinition may say, and what its objects may be.

Here: `definition` (defaults and validation of a CRD), `status` (names, conditions, stored versions), `custom` (one
served version: its Resource, schema, columns, subresources; prune, default and validate an object), `registry` (all of
them, kept in step with the stored CRDs). Not here: storage, and no webhook: conversion strategy Webhook is refused.
Spec: kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions, v1.37.
"""
