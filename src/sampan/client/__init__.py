"""A Kubernetes API client: REST verbs, watch, informer cache, kubeconfig, streams.

It runs against any conformant cluster. What may not be here: global state, a default kubeconfig.
"""
