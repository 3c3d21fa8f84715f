"""What hangs below a resource: status, scale, binding, eviction, token, finalize, approval, log, exec, proxy.

`objects` are those that are another way to write the object itself, `scale` the numbers of scalable kinds, `pods`
binding and eviction, `accounts` tokens, `connect` everything that is carried on to a node, a pod or a service.
What may not be here: the way to storage (that is the registry's).
"""
