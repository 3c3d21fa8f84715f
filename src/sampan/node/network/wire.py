"""CNI's JSON: results and errors as plug-ins print them (specification 1.1.0, section 5; 0.3.0 to 1.1.0). Pure."""

from __future__ import annotations

from typing import Any

from sampan.spec.cni import Address, CniError, Dns, Interface, Result, Route

VERSION = "1.1.0"
SUPPORTED = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")


def result_to_json(result: Result, version: str = VERSION) -> dict[str, Any]:
    """The result in the shape of a version: before 1.0.0 an address says its family."""
    old = version.startswith("0.")
    interfaces = [
        {
            "name": i.name,
            **({"mac": i.mac} if i.mac else {}),
            **({"mtu": i.mtu} if i.mtu and version == VERSION else {}),
            **({"sandbox": i.sandbox} if i.sandbox else {}),
        }
        for i in result.interfaces
    ]
    ips = [
        {
            **({"version": "6" if ":" in a.address else "4"} if old else {}),
            "address": a.address,
            **({"gateway": a.gateway} if a.gateway else {}),
            **({"interface": a.interface} if a.interface >= 0 else {}),
        }
        for a in result.ips
    ]
    out: dict[str, Any] = {"cniVersion": version, "interfaces": interfaces, "ips": ips}
    if result.routes:
        out["routes"] = [{"dst": r.dst, **({"gw": r.gw} if r.gw else {})} for r in result.routes]
    dns = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in result.dns._asdict().items()
        if value
    }
    out["dns"] = dns
    return out


def result_from_json(data: Any) -> Result:
    """Raises CniError 6 for what is no result."""
    try:
        dns = data.get("dns") or {}
        return Result(
            tuple(
                Interface(str(i["name"]), i.get("mac", ""), int(i.get("mtu") or 0), i.get("sandbox", ""))
                for i in data.get("interfaces") or ()
            ),
            tuple(
                Address(
                    str(a["address"]),
                    a.get("gateway") or "",
                    -1 if a.get("interface") is None else int(a["interface"]),
                )
                for a in data.get("ips") or ()
            ),
            tuple(Route(str(r["dst"]), r.get("gw") or "") for r in data.get("routes") or ()),
            Dns(
                tuple(dns.get("nameservers") or ()),
                dns.get("domain") or "",
                tuple(dns.get("search") or ()),
                tuple(dns.get("options") or ()),
            ),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CniError(6, "result of a plug-in cannot be read", repr(error)) from error


def error_from_json(data: Any, plugin: str) -> CniError:
    """The error that a plug-in printed; code 100 when it gave none."""
    if not isinstance(data, dict):
        return CniError(100, f"plug-in {plugin!r} failed", repr(data)[:200])
    try:
        code = int(data.get("code") or 100)
    except (TypeError, ValueError):
        code = 100
    msg = str(data.get("msg") or f"plug-in {plugin!r} failed")
    return CniError(code, f"plug-in {plugin!r}: {msg}", str(data.get("details") or ""))
