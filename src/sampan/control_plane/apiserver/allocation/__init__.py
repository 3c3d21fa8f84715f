"""Addresses and node ports of Services: given out, kept apart, taken back.

`addresses` and `ports` are pools over a range, `services` decides what a Service needs and is the registry's hook.
What is taken is read from the stored Services themselves, so there is no second truth that could differ.
k8s.io/kubernetes pkg/registry/core/service/{ipallocator,portallocator,storage/alloc.go}.
"""
