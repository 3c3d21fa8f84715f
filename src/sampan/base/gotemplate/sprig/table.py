"""The table of functions: name, code, Go signature (`params -> result`, `...` before a variadic one)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from sampan.base.gotemplate.gotypes import Func, GoPanic
from sampan.base.gotemplate.semver import matches
from sampan.base.gotemplate.semver import parse as parse_semver
from sampan.base.gotemplate.sprig import (
    cast,
    codecs,
    crypto,
    dates,
    dicts,
    lists,
    maths,
    patterns,
    reflection,
    strings,
    urls,
    words,
)

_TYPES = {
    "any": "interface {}",
    "map": "map[string]interface {}",
    "list": "[]interface {}",
    "time": "time.Time",
    "cert": "sprig.certificate",
}


def func(code: Callable[..., Any], signature: str, *, stateful: bool = False) -> Func:
    """A Func from a signature such as `string, ...any -> string`."""
    left, _, right = signature.partition("->")
    names = [n.strip() for n in left.split(",") if n.strip()]
    variadic = bool(names) and names[-1].startswith("...")
    params = tuple(_TYPES.get(n.removeprefix("..."), n.removeprefix("...")) for n in names)
    result = right.strip()
    return Func(code, params, variadic, _TYPES.get(result, result), stateful)


def host_by_name(name: str) -> str:
    """`getHostByName`: the first address. A name without one panics, as sprig does."""
    import socket

    try:
        return str(socket.getaddrinfo(name, None)[0][4][0])
    except OSError:
        raise GoPanic("invalid argument to Intn") from None


def _expand(text: str) -> str:
    return re.sub(r"\$(?:\{([^}]*)\}|(\w+))", lambda m: os.environ.get(m[1] or m[2], ""), text)


FUNCTIONS: dict[str, Func] = {
    "hello": func(lambda: "Hello!", "-> string"),
    # dates
    "ago": func(dates.ago, "any -> string"),
    "date": func(dates.date, "string, any -> string"),
    "dateInZone": func(dates.date_in_zone, "string, any, string -> string"),
    "date_in_zone": func(dates.date_in_zone, "string, any, string -> string"),
    "dateModify": func(dates.date_modify, "string, time -> time"),
    "date_modify": func(dates.date_modify, "string, time -> time"),
    "duration": func(dates.duration, "any -> string"),
    "durationRound": func(dates.round_duration, "any -> string"),
    "htmlDate": func(dates.html_date, "any -> string"),
    "htmlDateInZone": func(dates.html_date_in_zone, "any, string -> string"),
    "mustDateModify": func(dates.must_date_modify, "string, time -> time"),
    "must_date_modify": func(dates.must_date_modify, "string, time -> time"),
    "mustToDate": func(dates.must_to_date, "string, string -> time"),
    "now": func(dates.now, "-> time"),
    "toDate": func(dates.to_date, "string, string -> time"),
    "unixEpoch": func(dates.unix_epoch, "time -> string"),
    # strings
    "abbrev": func(strings.abbrev, "int, string -> string"),
    "abbrevboth": func(strings.abbrevboth, "int, int, string -> string"),
    "trunc": func(strings.trunc, "int, string -> string"),
    "trim": func(strings.trim, "string -> string"),
    "upper": func(strings.upper, "string -> string"),
    "lower": func(strings.lower, "string -> string"),
    "title": func(strings.title, "string -> string"),
    "untitle": func(strings.untitle, "string -> string"),
    "substr": func(strings.substr, "int, int, string -> string"),
    "repeat": func(strings.repeat, "int, string -> string"),
    "trimall": func(lambda a, b: b.strip(a) if a else b, "string, string -> string"),
    "trimAll": func(lambda a, b: b.strip(a) if a else b, "string, string -> string"),
    "trimSuffix": func(lambda a, b: b.removesuffix(a), "string, string -> string"),
    "trimPrefix": func(lambda a, b: b.removeprefix(a), "string, string -> string"),
    "nospace": func(strings.nospace, "string -> string"),
    "initials": func(strings.initials, "string -> string"),
    "randAlphaNum": func(crypto.rand_alpha_num, "int -> string"),
    "randAlpha": func(crypto.rand_alpha, "int -> string"),
    "randAscii": func(crypto.rand_ascii, "int -> string"),
    "randNumeric": func(crypto.rand_numeric, "int -> string"),
    "swapcase": func(strings.swapcase, "string -> string"),
    "shuffle": func(crypto.shuffle, "string -> string"),
    "snakecase": func(words.snake_case, "string -> string"),
    "camelcase": func(words.pascal_case, "string -> string"),
    "kebabcase": func(words.kebab_case, "string -> string"),
    "wrap": func(strings.wrap, "int, string -> string"),
    "wrapWith": func(strings.wrap_with, "int, string, string -> string"),
    "contains": func(strings.contains, "string, string -> bool"),
    "hasPrefix": func(lambda a, b: b.startswith(a), "string, string -> bool"),
    "hasSuffix": func(lambda a, b: b.endswith(a), "string, string -> bool"),
    "quote": func(strings.quote_all, "...any -> string"),
    "squote": func(strings.squote, "...any -> string"),
    "cat": func(strings.cat, "...any -> string"),
    "indent": func(strings.indent, "int, string -> string"),
    "nindent": func(strings.nindent, "int, string -> string"),
    "replace": func(strings.replace, "string, string, string -> string"),
    "plural": func(strings.plural, "string, string, int -> string"),
    "sha1sum": func(strings.sha1sum, "string -> string"),
    "sha256sum": func(strings.sha256sum, "string -> string"),
    "sha512sum": func(strings.sha512sum, "string -> string"),
    "adler32sum": func(strings.adler32sum, "string -> string"),
    "toString": func(cast.strval, "any -> string"),
    # numbers
    "atoi": func(strings.atoi, "string -> int"),
    "int64": func(maths.int64, "any -> int64"),
    "int": func(maths.int_, "any -> int"),
    "float64": func(cast.to_float, "any -> float64"),
    "seq": func(maths.seq, "...int -> string"),
    "toDecimal": func(maths.to_decimal, "any -> int64"),
    "until": func(maths.until, "int -> []int"),
    "untilStep": func(maths.until_step, "int, int, int -> []int"),
    "add1": func(maths.add1, "any -> int64"),
    "add": func(maths.add, "...any -> int64"),
    "sub": func(maths.sub, "any, any -> int64"),
    "div": func(maths.div, "any, any -> int64"),
    "mod": func(maths.mod, "any, any -> int64"),
    "mul": func(maths.mul, "any, ...any -> int64"),
    "randInt": func(maths.rand_int, "int, int -> int"),
    "add1f": func(maths.add1f, "any -> float64"),
    "addf": func(maths.addf, "...any -> float64"),
    "subf": func(maths.subf, "any, ...any -> float64"),
    "divf": func(maths.divf, "any, ...any -> float64"),
    "mulf": func(maths.mulf, "any, ...any -> float64"),
    "biggest": func(maths.max_, "any, ...any -> int64"),
    "max": func(maths.max_, "any, ...any -> int64"),
    "min": func(maths.min_, "any, ...any -> int64"),
    "maxf": func(maths.maxf, "any, ...any -> float64"),
    "minf": func(maths.minf, "any, ...any -> float64"),
    "ceil": func(maths.ceil, "any -> float64"),
    "floor": func(maths.floor, "any -> float64"),
    "round": func(maths.round_, "any, int, ...float64 -> float64"),
    # lists of strings
    "split": func(strings.split, "string, string -> map[string]string"),
    "splitList": func(strings.split_list, "string, string -> []string"),
    "splitn": func(strings.splitn, "string, int, string -> map[string]string"),
    "toStrings": func(strings.strslice, "any -> []string"),
    "join": func(strings.join, "string, any -> string"),
    "sortAlpha": func(strings.sort_alpha, "any -> []string"),
    # defaults
    "default": func(reflection.default, "any, ...any -> any"),
    "empty": func(reflection.empty, "any -> bool"),
    "coalesce": func(reflection.coalesce, "...any -> any"),
    "all": func(reflection.all_, "...any -> bool"),
    "any": func(reflection.any_, "...any -> bool"),
    "ternary": func(reflection.ternary, "any, any, bool -> any"),
    "fail": func(reflection.fail, "string -> string"),
    "fromJson": func(codecs.from_json, "string -> any"),
    "toJson": func(codecs.to_json, "any -> string"),
    "toPrettyJson": func(codecs.to_pretty_json, "any -> string"),
    "toRawJson": func(codecs.to_raw_json, "any -> string"),
    "mustFromJson": func(codecs.must_from_json, "string -> any"),
    "mustToJson": func(codecs.must_to_json, "any -> string"),
    "mustToPrettyJson": func(codecs.must_to_pretty_json, "any -> string"),
    "mustToRawJson": func(codecs.must_to_raw_json, "any -> string"),
    "deepCopy": func(dicts.deep_copy, "any -> any"),
    "mustDeepCopy": func(dicts.deep_copy, "any -> any"),
    # reflection
    "typeOf": func(reflection.type_of, "any -> string"),
    "typeIs": func(reflection.type_is, "string, any -> bool"),
    "typeIsLike": func(reflection.type_is_like, "string, any -> bool"),
    "kindOf": func(reflection.kind_of, "any -> string"),
    "kindIs": func(reflection.kind_is, "string, any -> bool"),
    "deepEqual": func(cast.deep_equal, "any, any -> bool"),
    # network, paths
    "getHostByName": func(host_by_name, "string -> string"),
    "base": func(urls.base, "string -> string"),
    "dir": func(urls.dir_, "string -> string"),
    "clean": func(urls.clean, "string -> string"),
    "ext": func(urls.ext, "string -> string"),
    "isAbs": func(urls.is_abs, "string -> bool"),
    "osBase": func(urls.base, "string -> string"),
    "osDir": func(urls.dir_, "string -> string"),
    "osClean": func(urls.clean, "string -> string"),
    "osExt": func(urls.ext, "string -> string"),
    "osIsAbs": func(urls.is_abs, "string -> bool"),
    # encodings
    "b64enc": func(strings.b64enc, "string -> string"),
    "b64dec": func(strings.b64dec, "string -> string"),
    "b32enc": func(strings.b32enc, "string -> string"),
    "b32dec": func(strings.b32dec, "string -> string"),
    # dictionaries
    "tuple": func(lists.make, "...any -> list"),
    "list": func(lists.make, "...any -> list"),
    "dict": func(dicts.make, "...any -> map"),
    "get": func(dicts.get, "map, string -> any"),
    "set": func(dicts.set_, "map, string, any -> map"),
    "unset": func(dicts.unset, "map, string -> map"),
    "hasKey": func(dicts.has_key, "map, string -> bool"),
    "pluck": func(dicts.pluck, "string, ...map -> list"),
    "keys": func(dicts.keys, "...map -> []string"),
    "pick": func(dicts.pick, "map, ...string -> map"),
    "omit": func(dicts.omit, "map, ...string -> map"),
    "merge": func(dicts.merge, "map, ...map -> any"),
    "mergeOverwrite": func(dicts.merge_overwrite, "map, ...map -> any"),
    "mustMerge": func(dicts.merge, "map, ...map -> any"),
    "mustMergeOverwrite": func(dicts.merge_overwrite, "map, ...map -> any"),
    "values": func(dicts.values, "map -> list"),
    "dig": func(dicts.dig, "...any -> any"),
    # lists
    "append": func(lists.push, "any, any -> list"),
    "push": func(lists.push, "any, any -> list"),
    "mustAppend": func(lists.push, "any, any -> list"),
    "mustPush": func(lists.push, "any, any -> list"),
    "prepend": func(lists.prepend, "any, any -> list"),
    "mustPrepend": func(lists.prepend, "any, any -> list"),
    "first": func(lists.first, "any -> any"),
    "mustFirst": func(lists.first, "any -> any"),
    "rest": func(lists.rest, "any -> list"),
    "mustRest": func(lists.rest, "any -> list"),
    "last": func(lists.last, "any -> any"),
    "mustLast": func(lists.last, "any -> any"),
    "initial": func(lists.initial, "any -> list"),
    "mustInitial": func(lists.initial, "any -> list"),
    "reverse": func(lists.reverse, "any -> list"),
    "mustReverse": func(lists.reverse, "any -> list"),
    "compact": func(lists.compact, "any -> list"),
    "mustCompact": func(lists.compact, "any -> list"),
    "uniq": func(lists.uniq, "any -> list"),
    "mustUniq": func(lists.uniq, "any -> list"),
    "without": func(lists.without, "any, ...any -> list"),
    "mustWithout": func(lists.without, "any, ...any -> list"),
    "has": func(lists.has, "any, any -> bool"),
    "mustHas": func(lists.has, "any, any -> bool"),
    "slice": func(lists.slice_, "any, ...any -> any"),
    "mustSlice": func(lists.slice_, "any, ...any -> any"),
    "concat": func(lists.concat, "...any -> any"),
    "chunk": func(lists.chunk, "int, any -> [][]interface {}"),
    "mustChunk": func(lists.chunk, "int, any -> [][]interface {}"),
    # crypto
    "bcrypt": func(crypto.bcrypt, "string -> string"),
    "htpasswd": func(crypto.htpasswd, "string, string -> string"),
    "genPrivateKey": func(crypto.gen_private_key, "string -> string"),
    "derivePassword": func(crypto.derive_password, "uint32, string, string, string, string -> string"),
    "buildCustomCert": func(crypto.build_custom_cert, "string, string -> cert"),
    "genCA": func(crypto.gen_ca, "string, int -> cert"),
    "genCAWithKey": func(crypto.gen_ca_with_key, "string, int, string -> cert"),
    "genSelfSignedCert": func(crypto.gen_self_signed, "string, list, list, int -> cert"),
    "genSelfSignedCertWithKey": func(
        crypto.gen_self_signed_with_key, "string, list, list, int, string -> cert"
    ),
    "genSignedCert": func(crypto.gen_signed, "string, list, list, int, cert -> cert"),
    "genSignedCertWithKey": func(crypto.gen_signed_with_key, "string, list, list, int, cert, string -> cert"),
    "encryptAES": func(crypto.encrypt_aes, "string, string -> string"),
    "decryptAES": func(crypto.decrypt_aes, "string, string -> string"),
    "randBytes": func(crypto.rand_bytes, "int -> string"),
    "uuidv4": func(crypto.uuidv4, "-> string"),
    # versions
    "semver": func(parse_semver, "string -> *semver.Version"),
    "semverCompare": func(matches, "string, string -> bool"),
    # regexes
    "regexMatch": func(patterns.match, "string, string -> bool"),
    "mustRegexMatch": func(patterns.must_match, "string, string -> bool"),
    "regexFindAll": func(patterns.find_all, "string, string, int -> []string"),
    "mustRegexFindAll": func(patterns.must_find_all, "string, string, int -> []string"),
    "regexFind": func(patterns.find, "string, string -> string"),
    "mustRegexFind": func(patterns.must_find, "string, string -> string"),
    "regexReplaceAll": func(patterns.replace, "string, string, string -> string"),
    "mustRegexReplaceAll": func(patterns.must_replace, "string, string, string -> string"),
    "regexReplaceAllLiteral": func(patterns.replace_literal, "string, string, string -> string"),
    "mustRegexReplaceAllLiteral": func(patterns.must_replace_literal, "string, string, string -> string"),
    "regexSplit": func(patterns.split, "string, string, int -> []string"),
    "mustRegexSplit": func(patterns.must_split, "string, string, int -> []string"),
    "regexQuoteMeta": func(patterns.quote_meta, "string -> string"),
    # URLs
    "urlParse": func(urls.url_parse, "string -> map"),
    "urlJoin": func(urls.url_join, "map -> string"),
}

ENVIRONMENT: dict[str, Func] = {
    "env": func(lambda name: os.environ.get(name, ""), "string -> string"),
    "expandenv": func(_expand, "string -> string"),
}
