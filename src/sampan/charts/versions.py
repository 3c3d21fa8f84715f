"""The versions that this chart engine stands for, alone in a module so that `version` prints them at once."""

HELM_VERSION = "v4.3.1"
KUBE_VERSION = "v1.37.0"
"""Of the client library that this Helm was built with: what a chart sees without a cluster."""
