from __future__ import annotations

from typing import Any

import pytest

from sampan.node.runtime.users import UnknownUser, User, resolve

PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:w:/srv:/bin/sh\nbroken\nodd:x:no:1:::\n"
GROUP = "root:x:0:\nstaff:x:50:web,root\naudio:x:60:other\ndisk:x:70:web\n"


@pytest.mark.parametrize(
    ("user", "more", "expected"),
    [
        ("", {}, User(0, 0, (0, 50), "/root", "root")),
        ("web", {}, User(33, 44, (44, 50, 70), "/srv", "web")),
        ("33", {}, User(33, 44, (44, 50, 70), "/srv", "web")),
        ("web:staff", {}, User(33, 50, (50, 70), "/srv", "web")),
        ("web:99", {}, User(33, 99, (99, 50, 70), "/srv", "web")),
        ("1234", {}, User(1234, 0, (0,), "/", "")),
        ("1234:5", {}, User(1234, 5, (5,), "/", "")),
        ("web", {"run_as_group": 7, "supplemental": (8, 50)}, User(33, 7, (7, 50, 70, 8), "/srv", "web")),
        ("web", {"merge": False, "supplemental": (8,)}, User(33, 44, (44, 8), "/srv", "web")),
    ],
)
def test_who(user: str, more: dict[str, Any], expected: User) -> None:
    assert resolve(user, PASSWD, GROUP, **more) == expected


def test_names_that_the_image_lacks() -> None:
    with pytest.raises(UnknownUser, match="'ghost'"):
        resolve("ghost", PASSWD, GROUP)
    with pytest.raises(UnknownUser, match="'nogroup'"):
        resolve("web:nogroup", PASSWD, GROUP)
    assert resolve("", "", "") == User(0, 0, (0,), "/", "")
