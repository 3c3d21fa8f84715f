"""sprig 3.3's functions for templates: `FUNCTIONS`, by name, with their Go signatures.

One module per family; each function takes and returns the values of `gotypes`. `env` and `expandenv` read the
process's environment and are kept in `ENVIRONMENT`, apart. Nothing here knows of charts.
"""

from __future__ import annotations

from sampan.base.gotemplate.sprig.table import ENVIRONMENT, FUNCTIONS

__all__ = ["ENVIRONMENT", "FUNCTIONS"]
