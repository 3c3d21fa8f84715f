"""URLs and paths. Source of behaviour: sprig 3.3 url.go, Go 1.26 net/url and path."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import quote as percent
from urllib.parse import unquote_to_bytes

from sampan.base.gotemplate.gotypes import GoError, GoPanic, kind_of
from sampan.base.gotemplate.strconv import decode, encode, quote


class URL(NamedTuple):
    scheme: str = ""
    opaque: str = ""
    user: str | None = None
    host: str = ""
    path: str = ""
    raw_query: str = ""
    force_query: bool = False
    fragment: str = ""

    def hostname(self) -> str:
        host = self.host
        if host.startswith("["):
            return host[1:].partition("]")[0]
        head, colon, port = host.rpartition(":")
        return head if colon and (not port or port.isdecimal()) else host

    def text(self) -> str:
        """`URL.String()`."""
        out = self.scheme + ":" if self.scheme else ""
        if self.opaque:
            out += self.opaque
        else:
            if self.scheme or self.host or self.user is not None:
                if self.host or self.path or self.user is not None:
                    if not (
                        self.scheme and not self.host and self.user is None and not self.path.startswith("/")
                    ):
                        out += (
                            "//"
                            if (
                                self.host
                                or self.user is not None
                                or self.path.startswith("//")
                                or self.scheme
                            )
                            else ""
                        )
                if self.user is not None:
                    out += self.user + "@"
                out += escape(self.host, "host")
            path = escape(self.path, "path")
            if path and not path.startswith("/") and self.host:
                out += "/"
            if not out and ":" in path.partition("/")[0]:
                out += "./"
            out += path
        if self.force_query or self.raw_query:
            out += "?" + self.raw_query
        if self.fragment:
            out += "#" + escape(self.fragment, "fragment")
        return out


_SAFE = {
    "path": "$&+,/:;=@-_.~!'()*[]",
    "host": "!$&'()*+,;=:[]<>\"-_.~",
    "fragment": "$&+,/:;=?@-_.~!()*'",
    "user": "$&+,;=-_.~!'()*",
}
_SAFE["path"] = "$&+,/:;=@-_.~"
_SAFE["fragment"] = "$&+,/:;=?@-_.~!()*"
_SAFE["user"] = "$&+,;=-_.~"


def escape(text: str, mode: str) -> str:
    return percent(encode(text), safe=_SAFE[mode])


_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})(.{0,2})", re.DOTALL)


def unescape(text: str) -> str:
    bad = _BAD_ESCAPE.search(text)
    if bad is not None:
        raise GoError(f"invalid URL escape {quote(bad[0])}")
    return decode(unquote_to_bytes(encode(text))) if "%" in text else text


def parse(text: str) -> URL:
    """`url.Parse`. Raises GoError `parse "...": ...`."""
    body, _, fragment = text.partition("#")
    try:
        if any(c < " " or c == "\x7f" for c in text):
            raise GoError("net/url: invalid control character in URL")
        url = _parse(body)
        return url._replace(fragment=unescape(fragment)) if fragment else url
    except GoError as problem:
        raise GoError(f"parse {quote(text)}: {problem}") from None


def _parse(text: str) -> URL:
    if text == "*":
        return URL(path="*")
    scheme, rest = _scheme(text)
    force = rest.endswith("?") and rest.count("?") == 1
    if force:
        rest, query = rest[:-1], ""
    else:
        rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return URL(scheme, opaque=rest, raw_query=query, force_query=force)
        if ":" in rest.partition("/")[0]:
            raise GoError("first path segment in URL cannot contain colon")
    user, host = None, ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, host = _authority(authority)
    return URL(scheme, "", user, host, unescape(rest), query, force)


def _scheme(text: str) -> tuple[str, str]:
    for place, char in enumerate(text):
        if char.isascii() and char.isalpha():
            continue
        if (char.isascii() and char.isdigit()) or char in "+-.":
            if place == 0:
                return "", text
        elif char == ":":
            if place == 0:
                raise GoError("missing protocol scheme")
            return text[:place].lower(), text[place + 1 :]
        else:
            return "", text
    return "", text


def _authority(authority: str) -> tuple[str | None, str]:
    info, at, host = authority.rpartition("@")
    if host.startswith("["):
        if "]" not in host:
            raise GoError("missing ']' in host")
        port = host.partition("]")[2]
    else:
        port = host[host.rindex(":") :] if ":" in host else ""
    if port and (port[0] != ":" or not (port[1:] == "" or port[1:].isdecimal())):
        raise GoError(f"invalid port {quote(port)} after host")
    for char in host:
        if char in ' "\\^`{|}' and char != '"':
            raise GoError(f"invalid character {quote(char)} in host name")
    if not at:
        return None, unescape(host)
    if any(c in info for c in ' "<>[]\\^`{|}/?#@'):
        raise GoError("net/url: invalid userinfo")
    name, colon, word = info.partition(":")
    user = escape(unescape(name), "user")
    return user + (":" + escape(unescape(word), "user") if colon else ""), unescape(host)


def url_parse(text: str) -> dict[str, Any]:
    try:
        url = parse(text)
    except GoError as problem:
        raise GoPanic(f"unable to parse url: {problem}") from None
    return {
        "scheme": url.scheme,
        "host": url.host,
        "hostname": url.hostname(),
        "path": url.path,
        "query": url.raw_query,
        "opaque": url.opaque,
        "fragment": url.fragment,
        "userinfo": url.user or "",
    }


def url_join(parts: dict[str, Any]) -> str:
    found: dict[str, str] = {}
    for key in ("scheme", "host", "path", "query", "opaque", "fragment", "userinfo"):
        value = parts.get(key, "")
        if value is None:
            raise GoPanic("runtime error: invalid memory address or nil pointer dereference")
        if not isinstance(value, str):
            raise GoPanic(f"unable to parse {key} key, must be of type string, but {kind_of(value)} found")
        found[key] = value
    user = None
    if found["userinfo"]:
        try:
            user = parse(f"proto://{found['userinfo']}@host").user
        except GoError as problem:
            raise GoPanic(f"unable to parse userinfo in dict: {problem}") from None
    return URL(
        found["scheme"],
        found["opaque"],
        user,
        found["host"],
        found["path"],
        found["query"],
        False,
        found["fragment"],
    ).text()


# ---------------------------------------------------------------- paths


def clean(path: str) -> str:
    """`path.Clean`."""
    if not path:
        return "."
    rooted = path.startswith("/")
    out: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if out and out[-1] != "..":
                out.pop()
            elif not rooted:
                out.append(part)
        else:
            out.append(part)
    joined = "/".join(out)
    return "/" + joined if rooted else joined or "."


def base(path: str) -> str:
    if not path:
        return "."
    path = path.rstrip("/")
    return path.rpartition("/")[2] if path else "/"


def dir_(path: str) -> str:
    return clean(path[: path.rfind("/") + 1])


def ext(path: str) -> str:
    name = path.rpartition("/")[2]
    return name[name.rindex(".") :] if "." in name else ""


def is_abs(path: str) -> bool:
    return path.startswith("/")
