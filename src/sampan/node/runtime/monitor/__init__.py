"""The container monitor: two small processes per node that outlive everything else of ours.

`holder` is the upper one. It only reaps: when the monitor below it crashes, the containers become its children,
it starts the monitor again and hands over the exit statuses meanwhile. `main` is the monitor: it starts the OCI
runtime, copies output into CRI logs (`logs`), writes exit files and serves the runtime over a unix socket
(`protocol`). `launch` starts both from outside.

All but `launch` run under `python -I -S` and import nothing but light modules of the standard library and
sampan.base.linux.syscalls: their memory is there once per node for as long as a container lives.
What may not be here: Kubernetes, images, networks.
"""
