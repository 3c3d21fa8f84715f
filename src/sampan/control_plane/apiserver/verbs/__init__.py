"""The verbs over HTTP: get, list, watch, create, update, patch, delete, deletecollection; one module each.

What may not be here: rules of kinds; the store's own affairs.
k8s.io/apiserver pkg/endpoints/handlers.
"""
