"""Who a container runs as: numbers from names, by the image's own /etc/passwd and /etc/group."""

from __future__ import annotations

from typing import NamedTuple


class User(NamedTuple):
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"
    name: str = ""


class UnknownUser(ValueError):
    """A name that the image does not have."""


class _Entry(NamedTuple):
    name: str
    uid: int
    gid: int
    home: str


def _passwd(text: str) -> list[_Entry]:
    found = []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and fields[2].isdigit() and fields[3].isdigit():
            found.append(_Entry(fields[0], int(fields[2]), int(fields[3]), fields[5]))
    return found


def _group(text: str) -> list[tuple[str, int, tuple[str, ...]]]:
    found = []
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) >= 4 and fields[2].isdigit():
            found.append((fields[0], int(fields[2]), tuple(name for name in fields[3].split(",") if name)))
    return found


def resolve(
    user: str,
    passwd: str,
    group: str,
    *,
    run_as_group: int | None = None,
    supplemental: tuple[int, ...] = (),
    merge: bool = True,
) -> User:
    """`user` is "", a name, a number, or either with `:group`. Raises UnknownUser.

    A number need not be in passwd; its group is then 0. With `merge` the groups that /etc/group lists for the
    user are added to `supplemental` (SupplementalGroupsPolicy Merge); the own group is always among them.
    """
    wanted, _, wanted_group = user.partition(":")
    wanted = wanted or "0"
    entries = _passwd(passwd)
    if wanted.isdigit():
        entry = next((entry for entry in entries if entry.uid == int(wanted)), None)
        entry = entry or _Entry("", int(wanted), 0, "/")
    else:
        named = next((entry for entry in entries if entry.name == wanted), None)
        if named is None:
            raise UnknownUser(f"user {wanted!r} is not in the image's /etc/passwd")
        entry = named
    groups = _group(group)
    gid = entry.gid
    if run_as_group is not None:
        gid = run_as_group
    elif wanted_group.isdigit():
        gid = int(wanted_group)
    elif wanted_group:
        numbers = [number for name, number, _ in groups if name == wanted_group]
        if not numbers:
            raise UnknownUser(f"group {wanted_group!r} is not in the image's /etc/group")
        gid = numbers[0]
    members = [number for _, number, names in groups if merge and entry.name and entry.name in names]
    everything = dict.fromkeys((gid, *members, *supplemental))
    return User(entry.uid, gid, tuple(everything), entry.home or "/", entry.name)
