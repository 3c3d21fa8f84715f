"""Resource quantities: 100m, 1.5Gi, 12e6.

Here: parsing, exact arithmetic and comparison, the canonical form. Not here: which resources exist and what they mean.
Source: k8s.io/apimachinery v0.37.2 pkg/api/resource.
"""

from __future__ import annotations

from sampan.api.quantity.model import Quantity, QuantityError, canonical, parse

__all__ = ["Quantity", "QuantityError", "canonical", "parse"]
