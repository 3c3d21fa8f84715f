"""A container runtime in process: CRI over crun or runc with overlayfs, its images, and a simulated filling."""
