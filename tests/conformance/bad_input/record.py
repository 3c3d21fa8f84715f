"""Asks a real kube-apiserver: `python -m conformance.bad_input.record APISERVER [ETCD]` from tests/."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path

from conformance.bad_input.cases import CASES
from conformance.bad_input.sender import Asked, Sender

ROOT = Path(__file__).parent.parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "bad_input.json"


def main(apiserver: str, etcd: str = "/usr/bin/etcd") -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    import record_upstream

    with record_upstream.started(Path(apiserver), Path(etcd)) as upstream:
        context = ssl.create_default_context(cafile=str(upstream.ca))
        sender = Sender(upstream.base, Asked(context, upstream.token), context)
        sender.prepare()
        answers = {}
        for case in CASES:
            try:
                answers[case.name] = sender.send(case)
            except OSError as error:
                raise RuntimeError(f"{case.name}: {error!r}") from error
    GOLDEN.write_text(json.dumps(answers, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
