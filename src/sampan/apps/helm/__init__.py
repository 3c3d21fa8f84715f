"""Helm over any Kubernetes API: releases of charts, their storage, hooks and waiting, and the command line.

`kube` puts manifests into a cluster and waits for them, `storage` keeps release records, `actions` are the verbs
(install, upgrade, rollback, uninstall, test, list, get ...), `cli` is the command. Helm 4.3 is the model: names, texts,
exit codes and stored records are its own, so that the real helm and this one take turns on the same releases.
What may not be here: rendering and the chart model (a tier below); anything of one particular cluster.
"""
