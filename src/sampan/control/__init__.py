"""The controller runtime: work queue, reconcile outcomes, manager, events.

What may not be here: any particular controller.
"""
