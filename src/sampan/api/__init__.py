"""The Kubernetes object model: kinds, schema, codecs, patch, selectors, quantities, status. Pure: no I/O.

Objects are the plain JSON dicts that the wire carries. What may not be here: sockets, clocks, storage.
"""
