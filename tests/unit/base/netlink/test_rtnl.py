"""Makers of rtnetlink requests refuse what cannot be."""

from __future__ import annotations

import pytest

from sampan.base.netlink import rtnl
from sampan.base.netlink.rtnl import RouteEntry


@pytest.mark.parametrize("name", ["", "x" * 16])
def test_names_of_links_have_a_size(name: str) -> None:
    with pytest.raises(ValueError, match="link name"):
        rtnl.bridge(name)


def test_bad_addresses_are_refused() -> None:
    for make in (
        lambda: rtnl.address_add(1, "10.0.0.1/33"),
        lambda: rtnl.route_add("10.0.0.1/8"),
        lambda: rtnl.route_add("10.0.0.0/8", via="x"),
        lambda: rtnl.neighbour_add(1, "10.0.0", "0a:58:0a:00:00:01"),
    ):
        with pytest.raises(ValueError):
            make()


def test_the_best_default_route_leads_out() -> None:
    routes = [
        RouteEntry("10.0.0.0/8", device=1),
        RouteEntry("0.0.0.0/0", device=2, metric=200),
        RouteEntry("0.0.0.0/0", device=3, metric=100),
        RouteEntry("0.0.0.0/0", kind="unreachable"),
    ]
    assert rtnl.default_device(routes) == 3
    assert rtnl.default_device(routes[:1]) == 0
