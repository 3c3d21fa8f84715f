from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from sampan.charts import archive, load
from sampan.charts.errors import ChartError
from sampan.charts.ignore import PatternError, Rules, match
from sampan.charts.loader import load_files, load_values, merge_maps
from sampan.charts.metadata import Metadata
from sampan.charts.model import File
from unit.charts.made import chart, child


def tgz(entries: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size, info.type = len(data) if kind == tarfile.REGTYPE else 0, kind
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


HEAD = b"apiVersion: v2\nname: c\nversion: 1.0.0\n"


def test_files_go_where_they_belong() -> None:
    one = chart(
        {
            "values.yaml": "a: 1\n---\nb: 2\n",
            "values.schema.json": "{}",
            "templates/a.yaml": "x",
            "templates/_h.tpl": "h",
            "crds/x.yaml": "kind: X",
            "README.md": "r",
            "Chart.lock": "generated: 2020-01-01T00:00:00Z\ndigest: d\ndependencies: []\n",
            **child("kid", {"values.yaml": "k: 1"}),
            "charts/_ignored/Chart.yaml": "x",
            "charts/x.tgz.prov": "p",
        }
    )
    assert one.values == {"a": 1.0, "b": 2.0}
    assert one.schema == b"{}"
    assert [t.name for t in one.templates] == ["templates/a.yaml", "templates/_h.tpl"]
    assert [f.name for f in one.files] == ["crds/x.yaml", "README.md", "charts/x.tgz.prov"]
    assert [c.path for c in one.crds()] == ["c/crds/x.yaml"]
    assert [d.full_path for d in one.dependencies] == ["c/charts/kid"]
    assert one.lock is not None
    assert one.lock.digest == "d"


def test_version_one_keeps_requirements_apart() -> None:
    one = load_files(
        [
            File("Chart.yaml", b"name: c\nversion: 1.0.0\n"),
            File("requirements.yaml", b"dependencies: [{name: kid, version: 1.x.x, repository: r}]"),
        ]
    )
    assert one.metadata.api_version == "v1"
    assert [d.name for d in one.metadata.dependencies] == ["kid"]
    assert [f.name for f in one.files] == ["requirements.yaml"]


def test_numbers_are_taken_as_text() -> None:
    one = load_files([File("Chart.yaml", b"apiVersion: v2\nname: 5\nversion: 1.10\nappVersion: 1.10\n")])
    assert (one.metadata.name, one.metadata.version, one.metadata.app_version) == ("5", "1.1", "1.1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: c\nversion: abc", 'validation: chart.metadata.version "abc" is invalid'),
        ("name: c", "validation: chart.metadata.version is required"),
        ("version: 1.0.0", "validation: chart.metadata.name is required"),
        ("name: ..\nversion: 1.0.0", 'validation: chart.metadata.name ".." is not allowed'),
        ("name: a/b\nversion: 1.0.0", 'validation: chart.metadata.name "a/b" is invalid'),
        (
            "name: c\nversion: 1.0.0\ntype: x",
            "validation: chart.metadata.type must be application or library",
        ),
        (
            "name: c\nversion: 1.0.0\ndependencies: [{name: a}, {name: b, alias: a}]",
            'validation: more than one dependency with name or alias "a"',
        ),
        (
            "name: [x]",
            "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into "
            "Go struct field .name of type string",
        ),
        (
            "maintainers: [5]",
            "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal number into "
            ".maintainers.0 of type v2.Maintainer",
        ),
        (
            "a: b: c",
            "cannot load Chart.yaml: error converting YAML to JSON: yaml: mapping values are not allowed in this "
            "context",
        ),
    ],
)
def test_bad_chart_files(text: str, message: str) -> None:
    with pytest.raises(ChartError) as caught:
        load_files([File("Chart.yaml", text.encode())])
    assert str(caught.value) == message


def test_no_chart_file() -> None:
    with pytest.raises(ChartError, match=r"Chart.yaml file is missing"):
        load_files([File("values.yaml", b"a: 1")])


def test_an_archive() -> None:
    inner = tgz({"kid/Chart.yaml": HEAD.replace(b"name: c", b"name: kid")})
    one = load(tgz({"c/Chart.yaml": b"\xef\xbb\xbf" + HEAD, "c/charts/kid-1.0.0.tgz": inner}))
    assert one.name == "c"
    assert [d.name for d in one.dependencies] == ["kid"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("c/../../x", "chart illegally references parent directory"),
        ("c//etc/passwd", "chart illegally contains absolute paths"),
        ("c", "chart illegally contains content outside the base directory"),
        ("c/C:/x", "chart contains illegally named files"),
        ("Chart.yaml/x", "chart yaml not in base directory"),
        ("c\\..\\..\\x", "chart illegally references parent directory"),
    ],
)
def test_archives_that_lead_elsewhere(name: str, message: str) -> None:
    with pytest.raises(ChartError, match=message.replace("(", "\\(")):
        archive.files(tgz({name: b"x"}))


def test_archives_that_are_none() -> None:
    with pytest.raises(ChartError, match=r"gzip: invalid header"):
        archive.files(b"no archive")
    with pytest.raises(ChartError, match=r"no files in chart archive"):
        archive.files(tgz({}))
    with pytest.raises(ChartError):
        archive.files(tgz({"c/a": b"x" * 5000})[:60])


def test_a_bomb_is_refused_before_it_unfolds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_CHART", 1000)
    with pytest.raises(ChartError, match=r"larger than the maximum size 1000"):
        archive.files(tgz({"c/a": b"\0" * 5000}))


def test_links_in_archives_bring_nothing() -> None:
    assert archive.files(tgz({"c/link": b""}, tarfile.SYMTYPE))[0].data == b""


def test_a_folder_obeys_its_rules(tmp_path: Path) -> None:
    for name, text in {
        "Chart.yaml": HEAD.decode(),
        ".helmignore": "*.bak\n/docs/\n",
        "templates/a.yaml": "x",
        "templates/.hidden": "x",
        "a.bak": "x",
        "docs/d.md": "x",
        "sub/docs/d.md": "x",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "linked").symlink_to(tmp_path / "sub")
    one = load(tmp_path)
    assert [f.name for f in one.raw] == [
        ".helmignore", "Chart.yaml", "linked/docs/d.md", "sub/docs/d.md", "templates/a.yaml",
    ]  # fmt: skip
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(ChartError, match=r"too many links"):
        load(tmp_path)


def test_what_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("a: 1")
    with pytest.raises(ChartError, match=r"seems to be a YAML file, but expected a gzipped archive"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nope")


@pytest.mark.parametrize(
    ("rules", "path", "folder", "ignored"),
    [
        ("*.bak", "a/b.bak", False, True),
        ("/a.txt", "b/a.txt", False, False),
        ("a/b.txt", "a/b.txt", False, True),
        ("docs/", "docs", True, True),
        ("docs/", "docs", False, False),
        ("!keep.txt", "other.txt", False, True),
        ("!keep.txt", "keep.txt", False, False),
        ("# note\n\n[a-c].txt", "b.txt", False, True),
        ("a?c", "a/c", False, False),
        ("", "templates/.x", False, True),
    ],
)
def test_ignore_rules(rules: str, path: str, folder: bool, ignored: bool) -> None:
    assert Rules(rules).ignores(path, folder) is ignored


def test_bad_ignore_rules() -> None:
    with pytest.raises(ChartError, match=r"double-star"):
        Rules("**/x")
    with pytest.raises(PatternError):
        match("[a", "a")


def test_documents_of_values() -> None:
    assert load_values("a: {x: 1}\n---\na: {z: 2}\n--- # note\nb: 0777") == {
        "a": {"x": 1.0, "z": 2.0},
        "b": 511.0,
    }
    assert load_values("") == {}
    assert merge_maps({"a": {"x": 1}}, {"a": {"y": 2}, "b": None}) == {"a": {"x": 1, "y": 2}, "b": None}


def test_metadata_as_templates_see_it() -> None:
    metadata = Metadata()
    metadata.read({"name": "c", "maintainers": [{"name": "A"}], "annotations": {"a": 1}})
    seen = metadata.to_map()
    assert seen["Maintainers"] == [{"Name": "A", "Email": "", "URL": ""}]
    assert seen["Annotations"] == {"a": "1"}
    assert seen["Keywords"] == []
    assert metadata.to_json() == {"name": "c", "maintainers": [{"name": "A"}], "annotations": {"a": "1"}}
