"""Volumes of pods: what files they hold (`payload`, pure), how they are written (`atomic`), where they lie and how
containers see them (`volumes`, `mounts`).

Here: emptyDir, configMap, secret, downwardAPI, projected, hostPath, local, image and claims bound to hostPath or local
volumes. What may not be here: CSI and network file systems; a pod that asks for them is told so by name.
"""
