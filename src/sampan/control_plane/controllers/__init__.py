"""The controllers of a cluster, one module each: a pure plan and a CONTROLLER.

`run` starts them in order. A module reads the informers into a view, plans without side effects, and lets the executor
act; names, conditions, reasons and events are upstream's (k8s.io/kubernetes pkg/controller, 1.37).
`pods`, `conditions`, `hashing`, `amounts` hold what several of them know about pods and statuses.
What may not be here: anything that needs the API server's process or a node.
"""
