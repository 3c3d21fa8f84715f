"""The scheduler: gives each pod without a node the best node that fits.

`model` reads pods and nodes into values that are quick to compare, `cluster` holds what runs where (with pods that are
assumed to be bound), `framework` is the gate that every plug-in passes, `plugins` the explicit list of ours, `queue` the
pods that wait, `cycle` decides one pod, `preemption` makes room, `run` connects all that with the API.
Behaviour, weights and texts: k8s.io/kubernetes pkg/scheduler, 1.37. What may not be here: I/O outside `run`.
"""
