"""values.schema.json (placeholder until the validator is here)."""

from __future__ import annotations

from typing import Any

from sampan.charts.model import Chart


def validate_chart(chart: Chart, values: dict[str, Any]) -> None:
    """Check the values of a chart and of the charts in it."""
