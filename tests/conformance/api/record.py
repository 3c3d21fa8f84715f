"""Asks a real kube-apiserver and keeps its answers: `python -m conformance.api.record SERVER TOKEN` from tests/."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from conformance.api.player import Player

GOLDEN = Path(__file__).parent.parent.parent / "golden" / "exchanges.json"


def main(server: str, token: str) -> None:
    answers = {case.name: seen for case, seen in Player(server, token=token).play()}
    GOLDEN.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
