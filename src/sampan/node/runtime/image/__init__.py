"""Images: a store on disk, archives, registries, and the built-in image of this machine.

`store` keeps names, manifests and unpacked layers; `layers` unpacks one; `archive` reads docker-save and OCI
tars; `registry` speaks the distribution API; `host` is sampan.local/host; `service` is the CRI filling over all
of them, and adds archives to it.
What may not be here: containers, networks, when an image ought to be pulled.
"""
