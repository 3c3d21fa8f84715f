"""Log lines as Go's text handler writes them."""

from __future__ import annotations

import pytest

from sampan.apps.helm import slog


@pytest.mark.parametrize(
    ("message", "attributes", "line"),
    [
        ("plain", {}, "level=WARN msg=plain"),
        ("two words", {}, 'level=WARN msg="two words"'),
        ("", {}, 'level=WARN msg=""'),
        ("x", {"error": 'a "quoted" one'}, r'level=WARN msg=x error="a \"quoted\" one"'),
        ("x", {"a": "b=c", "n": 3}, 'level=WARN msg=x a="b=c" n=3'),
        ("x", {"path": r"C:\a"}, r"level=WARN msg=x path=C:\a"),
        ("x", {"text": "a\nb"}, r'level=WARN msg=x text="a\nb"'),
        ("x", {"message": "y"}, "level=WARN msg=x message=y"),
    ],
)
def test_lines(message: str, attributes: dict[str, object], line: str) -> None:
    assert slog.line(slog.WARN, message, **attributes) == line
