"""Linux from Python: system calls that `os` lacks, mounts, namespaces, cgroups v1 and v2, capabilities, seccomp.

Sources: the man pages of section 2 and 7, and Documentation/admin-guide/cgroup-v1, cgroup-v2.rst of Linux 6.x.
What may not be here: any word of Kubernetes or of a container runtime.
"""
