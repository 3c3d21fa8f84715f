"""The watch cache: every object as encoded bytes, with the indexes and the history that LIST and WATCH need.

`record` is one object (bytes, decoded lazily), `table` one resource with its indexes, history and watchers, `watcher` one
WATCH, `cache` all tables kept in step with the store; it is the `View` that authorization and admission read.
What may not be here: HTTP, kinds, schemas. What an object looks like to a client is passed in as a Representation.
k8s.io/apiserver pkg/storage/cacher is the model of the semantics, not of the structure.
"""
