"""Plug-ins that run in the host's process: bridge, host-local, loopback, portmap.

Each takes the configuration that the plug-in of that name takes on the wire, and refuses by name what it does not do.
`model` is what a plug-in is. What may not be here: the order in which plug-ins run.
"""
