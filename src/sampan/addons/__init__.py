"""Cluster add-ons: DNS and local-path storage, later Flannel, Calico, kube-router, Dashboard, logging, metrics."""
