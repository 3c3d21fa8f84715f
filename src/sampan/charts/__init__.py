"""The chart model: loading, values, rendering, manifests, the release record. Pure: bytes in, values out.

What may not be here: a cluster, a network, a home folder.
"""
