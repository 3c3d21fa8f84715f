"""Tokens from a file that somebody wrote: `token,user,uid,"group1,group2"`, one a line.

k8s.io/apiserver pkg/authentication/token/tokenfile/tokenfile.go. Such tokens never expire and are meant for every
audience; they are for tests and for the first steps of a cluster.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence

from sampan.control_plane.apiserver.authn.authenticator import with_authenticated
from sampan.control_plane.apiserver.authn.model import User
from sampan.control_plane.apiserver.authn.tokens import Verified


class StaticTokens:
    def __init__(self, users: dict[bytes, User]) -> None:
        self._users = users

    @classmethod
    def parse(cls, text: str) -> StaticTokens:
        """Raises ValueError that names every bad line, and never shows a token."""
        users: dict[bytes, User] = {}
        wrong: list[str] = []
        for number, row in enumerate(csv.reader(io.StringIO(text), skipinitialspace=True), 1):
            if not row:
                continue
            if len(row) < 3:
                wrong.append(f"line {number}: {len(row)} columns, expected token, user, uid and maybe groups")
            elif not row[0] or _digest(row[0]) in users:
                wrong.append(f"line {number}: the token is {'given twice' if row[0] else 'empty'}")
            else:
                groups = [g.strip() for g in row[3].split(",") if g.strip()] if len(row) > 3 else []
                users[_digest(row[0])] = User(row[1], with_authenticated(groups), row[2])
        if wrong:
            raise ValueError("bad token file: " + "; ".join(wrong))
        return cls(users)

    def authenticate(self, token: str, audiences: Sequence[str], /) -> Verified | None:
        user = self._users.get(_digest(token))
        return None if user is None else Verified(user, tuple(audiences))


def _digest(token: str) -> bytes:
    # Looked up by digest, so that the time of a look-up tells nothing of a token.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
