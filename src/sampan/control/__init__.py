"""The controller runtime: work queue, reconcile outcomes, plans and their executor, manager, events.

A controller is a `controller.Controller`: what it watches, how a change names the keys to look at, and a `reconcile`
that reads the informers, plans without side effects (`plan`), and lets one executor act (`execute`). `ownership` adopts
and releases, `events` tells users, `leader` elects, `manager` starts everything in order.
What may not be here: any particular controller.
"""
