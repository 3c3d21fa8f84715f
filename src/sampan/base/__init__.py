"""Foundations that know nothing of Kubernetes: tasks, HTTP, certificates, SQL, Linux, netlink, Go templates.

What may not be here: any Kubernetes word, any import from another tier.
"""
