"""Sampan: Kubernetes' plugin layer in one Python package.

The tiers, upper may import lower and never the reverse (pyproject.toml, import-linter):

cli, cluster, apps | addons | node | control_plane, control, client, charts | dataplane, api, spec, base.

docs/architecture.md says what each room holds and where the seams are.
"""

__version__ = "0.1.0"
