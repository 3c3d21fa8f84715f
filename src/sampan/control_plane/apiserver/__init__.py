"""The API server: HTTP in, objects in a log of revisions, watches out.

Order of a request: listener or TLS -> authn -> authz -> handler -> verb or subresource -> admission -> registry ->
storage -> watch cache. `run` constructs it all, `handler` is the first half of that order, `registry/store` the second.
`config` is what it needs to know, `routing` reads paths, `discovery`, `health`, `metrics`, `version`, `virtual` and
`bootstrap` are what they are called. What may not be here: controllers, anything that acts on an object after it is stored.
"""
