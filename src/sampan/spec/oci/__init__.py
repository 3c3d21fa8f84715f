"""OCI image-spec 1.1 and distribution-spec 1.1 as values: references, digests, manifests, configurations. Pure.

`reference` normalises image names as docker and containerd do (distribution/reference), `image` reads manifests,
indexes and configurations, Docker's schema 2 included.
What may not be here: reading files, talking to registries.
"""
