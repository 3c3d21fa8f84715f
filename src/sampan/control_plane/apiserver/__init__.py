"""The API server: HTTP in, objects in a log of revisions, watches out.

Order of a request: listener or TLS -> authn -> authz -> handler -> admission -> registry -> storage -> watch cache.
What may not be here: controllers, anything that acts on an object after it is stored.
"""
