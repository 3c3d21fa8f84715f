from __future__ import annotations

import base64
import gzip
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

import peers
from sampan.charts import create, load, package, release
from sampan.charts.errors import ChartError
from sampan.charts.lint import ERROR, WARNING, is_email, is_url, lint
from sampan.charts.manifests import Hook
from sampan.charts.metadata import Metadata
from sampan.charts.names import check_object_name, check_release_name
from sampan.charts.render import Release, render
from unit.charts.made import chart, child

HOOK = Hook("j", "Job", "c/templates/j.yaml", "kind: Job\n", ("test",), -1, ("hook-succeeded",), ())
CHART = chart({"values.yaml": "a: 1\n", "templates/t.yaml": "a: <1>\n", "README.md": "r"})
RECORD = release.Release(
    name="r",
    namespace="ns",
    version=3,
    info=release.Info(
        first_deployed=release.timestamp(1_600_000_000_123_000_000),
        last_deployed=release.timestamp(1_600_000_000_000_000_000),
        description="done",
        status=release.DEPLOYED,
        notes="notes",
    ),
    chart=CHART,
    config={"b": 2.0},
    manifest="---\n# Source: x\na: 1\n",
    hooks=(release.StoredHook(HOOK),),
    apply_method=release.SERVER_SIDE,
)


def test_a_record_as_helm_writes_it() -> None:
    text = release.to_json(RECORD)
    found = json.loads(text)
    assert list(found) == [
        "name", "info", "chart", "config", "manifest", "hooks", "version", "namespace", "apply_method",
    ]  # fmt: skip
    assert list(found["chart"]) == [
        "metadata",
        "lock",
        "templates",
        "values",
        "schema",
        "schemamodtime",
        "files",
    ]
    assert found["info"]["first_deployed"] == "2020-09-13T12:26:40.123Z"
    assert "deleted" not in found["info"]
    assert found["hooks"][0]["last_run"] == {"phase": ""}
    assert found["chart"]["lock"] is None
    assert found["chart"]["values"] == {"a": 1}
    assert base64.b64decode(found["chart"]["templates"][0]["data"]) == b"a: <1>\n"
    assert "\\u003c" not in text  # only inside base64 here


def test_records_go_both_ways() -> None:
    again = release.decode(release.encode(RECORD), {"team": "x"})
    assert again.info == RECORD.info
    assert again.hooks == RECORD.hooks
    assert (again.name, again.version, again.config, again.manifest) == ("r", 3, {"b": 2.0}, RECORD.manifest)
    assert again.chart.values == {"a": 1.0}
    assert [f.name for f in again.chart.files] == ["README.md"]
    assert again.labels == {"team": "x"}
    assert again.key == "sh.helm.release.v1.r.v3"
    assert again.with_status("failed", "why").info.status == "failed"


def test_records_of_older_helms() -> None:
    text = json.dumps({"name": "r", "info": {"deleted": "", "status": "deployed"}, "chart": {}, "version": 1})
    plain = base64.b64encode(text.encode()).decode()
    assert release.decode(plain).info.deleted == ""


@pytest.mark.parametrize(
    "text",
    [
        "!!!",
        base64.b64encode(b"{bad").decode(),
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b'{"name": 5}').decode(),
        base64.b64encode(gzip.compress(b"{}")[:-9]).decode(),
    ],
)
def test_records_that_are_none(text: str) -> None:
    with pytest.raises(release.ReleaseError):
        release.decode(text)


@pytest.mark.peer
def test_the_real_helm_reads_our_record(tmp_path: Path) -> None:
    data = tmp_path / "releases.yaml"
    data.write_text(f"[{release.to_json(RECORD)}]")
    env = {"HELM_DRIVER": "memory", "HELM_MEMORY_DRIVER_DATA": str(data), "HOME": str(tmp_path)}
    for what, expected in (("manifest", RECORD.manifest + "\n"), ("notes", "NOTES:\nnotes\n")):
        command = [peers.helm(), "get", what, "r", "--namespace", "ns"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.stdout == expected, done.stderr


# ---------------------------------------------------------------- packages


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]


def test_a_package_holds_the_chart() -> None:
    made = chart(
        {"values.yaml": "a: 1 # note\n", "templates/t.yaml": "x", **child("kid", {"README.md": "k"})}
    )
    data = package.write(made, 1e9)
    assert package.file_name(made) == "c-1.0.0.tgz"
    found = members(data)
    assert list(found) == [
        "c/Chart.yaml", "c/values.yaml", "c/templates/t.yaml", "c/charts/kid/Chart.yaml", "c/charts/kid/README.md",
    ]  # fmt: skip
    assert found["c/Chart.yaml"] == b"apiVersion: v2\nname: c\nversion: 1.0.0\n"
    again = load(data)
    assert again.values == {"a": 1.0}
    assert [d.name for d in again.dependencies] == ["kid"]


def test_packages_are_reproducible() -> None:
    assert package.write(CHART, 5.0) == package.write(CHART, 5.0)
    assert package.write(CHART, 5.0, stamp=9.0) == package.write(CHART, 6.0, stamp=9.0)


def test_a_package_refuses_a_bad_schema() -> None:
    with pytest.raises(ChartError, match=r"invalid JSON in values.schema.json"):
        package.write(chart({"values.schema.json": "{"}), 0)


@pytest.mark.peer
def test_the_real_helm_reads_our_package(tmp_path: Path) -> None:
    path = tmp_path / "c.tgz"
    path.write_bytes(package.write(CHART, 1e9))
    done = subprocess.run([peers.helm(), "show", "values", path], capture_output=True, text=True, timeout=60)
    assert done.stdout == "a: 1\n\n", done.stderr


# ---------------------------------------------------------------- the starter


def written(folder: Path, name: str) -> Path:
    for file in create.create(name):
        path = folder / name / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    return folder / name


def test_the_starter_renders(tmp_path: Path) -> None:
    made = load(written(tmp_path, "web"))
    found = render(made, {"ingress": {"enabled": True}, "autoscaling": {"enabled": True}}, Release("r"))
    assert [m.head.kind for m in found.manifests] == [
        "ServiceAccount", "Service", "Deployment", "HorizontalPodAutoscaler", "Ingress",
    ]  # fmt: skip
    assert {m.head.name for m in found.manifests} == {"r-web"}
    assert [h.events for h in found.hooks] == [("test",)]
    assert "http://chart-example.local/" in found.notes


def test_names_of_charts() -> None:
    for name in ("", "a b", "x" * 251):
        with pytest.raises(ChartError, match=r"chart name must"):
            create.create(name)


def test_a_starter_of_ones_own() -> None:
    starter = chart({"values.yaml": "n: <CHARTNAME>", "templates/t.yaml": "a: <CHARTNAME>"})
    metadata = Metadata()
    metadata.read({"apiVersion": "v2", "name": "new", "version": "0.1.0"})
    found = {f.name: f.data for f in create.create_from(starter, metadata)}
    assert found["values.yaml"] == b"n: new"
    assert found["templates/t.yaml"] == b"a: new"


# ---------------------------------------------------------------- lint and names


def test_lint_of_a_good_chart(tmp_path: Path) -> None:
    assert [str(m) for m in lint(written(tmp_path, "web"), {}).messages] == [
        "[INFO] Chart.yaml: icon is recommended"
    ]


def test_lint_names_what_is_wrong(tmp_path: Path) -> None:
    for name, text in {
        "Chart.yaml": "apiVersion: v2\nname: c\nversion: '1.0'\nnope: 1\nicon: x\nmaintainers: [{name: A, email: b}]\n",
        "values.yaml": "a: 1\n",
        "values.schema.json": '{"required": ["z"]}',
        "templates/old.yaml": "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: A_b}\n",
        "templates/d.yaml": " apiVersion: apps/v1\n kind: Deployment\n metadata: {name: d}\n",
        "templates/x.sh": "x",
        "crds/c.yaml": "apiVersion: v1\nkind: Pod\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    report = lint(tmp_path, {}, skip_schema=True)
    said = [str(m) for m in report.messages]
    assert report.worst == ERROR
    assert "[WARNING] Chart.yaml: failed to strictly parse chart metadata file" in said[0]
    assert "[ERROR] Chart.yaml: invalid email 'b' for maintainer 'A'" in said
    assert "[ERROR] Chart.yaml: invalid icon URL 'x'" in said
    assert "[WARNING] Chart.yaml: version '1.0' is not a valid SemVerV2" in said
    assert "[WARNING] templates/old.yaml: policy/v1beta1 PodDisruptionBudget is deprecated in v1.21+, unavailable in " \
        "v1.25+; use policy/v1 PodDisruptionBudget" in said  # fmt: skip
    assert any("object name does not conform" in s and '"A_b"' in s for s in said)
    assert any("a Deployment must contain matchLabels" in s for s in said)
    assert any("starts with an illegal indent" in s for s in said)
    assert any("file extension '.sh' not valid" in s for s in said)
    assert "[ERROR] crds/c.yaml: object kind is not 'CustomResourceDefinition'" in said
    assert any("missing property 'z'" in str(m) for m in lint(tmp_path, {}).messages)


@pytest.mark.peer
def test_lint_says_what_the_real_helm_says(tmp_path: Path) -> None:
    folder = written(tmp_path, "web")
    (folder / "templates/bad.yaml").write_text(
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: -x}\n"
    )
    done = subprocess.run([peers.helm(), "lint", folder], capture_output=True, text=True, timeout=60)
    expected = done.stdout.split("\n", 1)[1].split("\n1 chart(s)")[0].strip("\n").split("\n")
    assert [str(m) for m in lint(folder, {}).messages] == [line for line in expected if line]


def test_release_names() -> None:
    check_release_name("a-b.c1")
    for name in ("", "A", "-a", "a" * 54, "a_b"):
        with pytest.raises(ChartError):
            check_release_name(name)
    assert check_object_name("Service", "1a")
    assert check_object_name("Role", "a:b") == []
    assert check_object_name("Namespace", "a.b")
    assert WARNING < ERROR


def test_mail_and_web_addresses() -> None:
    assert is_email("a.b@example.com")
    assert not is_email("a@b")
    assert is_url("https://example.com/x?y#z")
    assert is_url("example.com")
    assert not is_url("ht!tp://x")
