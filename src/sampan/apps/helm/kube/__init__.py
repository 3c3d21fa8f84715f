"""A release's manifests in a cluster: `objects` finds their resources, `apply` writes and deletes them, `ownership` says
whose they are, `readiness` computes whether an object is ready (pure), `waiting` follows them until they are.
"""
