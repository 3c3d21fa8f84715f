"""Applications over any Kubernetes API: Helm, later the mesh and federation. No Linux-only imports."""
