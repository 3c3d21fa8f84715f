"""What would this user meet? A matrix of questions, against a naive evaluator that knows no index and no cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sampan.control_plane.apiserver.authn.model import User, service_account_user
from sampan.control_plane.apiserver.authz.authorizer import standard
from sampan.control_plane.apiserver.authz.model import Attributes, denial, denial_text
from sampan.control_plane.apiserver.authz.rbac import GROUP, Rbac
from unit.control_plane.apiserver.fakes import FakeView, named

ALICE = User("alice", ("devs", "system:authenticated"))


def role(name: str, *rules: Mapping[str, Any], namespace: str = "") -> dict[str, Any]:
    return named(name, namespace, rules=list(rules))


def rule(verbs: str, groups: str, resources: str, names: str = "") -> dict[str, Any]:
    found = {"verbs": verbs.split(), "apiGroups": groups.split(","), "resources": resources.split()}
    return {**found, "resourceNames": names.split()} if names else found


def binding(
    name: str, role_name: str, *subjects: str, namespace: str = "", kind: str = "ClusterRole"
) -> dict[str, Any]:
    def subject(text: str) -> dict[str, str]:
        what, _, who = text.partition(" ")
        space, slash, account = who.rpartition("/")
        return {"kind": what, "name": account, **({"namespace": space} if slash else {})}

    reference = {"apiGroup": GROUP, "kind": kind, "name": role_name}
    return named(name, namespace, roleRef=reference, subjects=[subject(s) for s in subjects])


def world() -> FakeView:
    view = FakeView()
    view.put(
        GROUP,
        "clusterroles",
        role("reader", rule("get list watch", ",apps", "pods deployments")),
        role("logs", rule("get", "", "pods/log")),
        role("scaler", rule("update", "*", "*/scale")),
        role("one", rule("get update", "", "configmaps", "a b")),
        role("health", {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez/*"]}),
        role("all", rule("*", "*", "*"), {"verbs": ["*"], "nonResourceURLs": ["*"]}),
    )
    view.put(GROUP, "roles", role("local", rule("create", "", "pods"), namespace="ns"))
    view.put(
        GROUP,
        "clusterrolebindings",
        binding("readers", "reader", "Group devs"),
        binding("scalers", "scaler", "ServiceAccount ns/robot"),
        binding("health", "health", "Group system:unauthenticated", "Group system:authenticated"),
        binding("all", "all", "User root"),
        binding("broken", "gone", "User carol"),
    )
    view.put(
        GROUP,
        "rolebindings",
        binding("one", "one", "User alice", namespace="ns"),
        binding("local", "local", "User bob", "ServiceAccount robot", namespace="ns", kind="Role"),
    )
    return view


def may(user: User, verb: str, group: str, resource: str, namespace: str = "", name: str = "") -> bool:
    plural, _, subresource = resource.partition("/")
    question = Attributes(user, verb, group, "v1", plural, subresource, namespace, name)
    return Rbac(world()).authorize(question).allowed


ROBOT = service_account_user("ns", "robot")


def test_cluster_roles_reach_every_namespace() -> None:
    assert may(ALICE, "list", "", "pods")
    assert may(ALICE, "get", "apps", "deployments", "anywhere", "x")
    assert not may(ALICE, "delete", "", "pods", "ns", "x")
    assert not may(ALICE, "get", "batch", "pods", "ns", "x")


def test_subresources_are_resources_of_their_own() -> None:
    assert not may(ALICE, "get", "", "pods/log", "ns", "x")
    assert may(ROBOT, "update", "apps", "deployments/scale", "ns", "x")
    assert may(ROBOT, "update", "example.com", "things/scale", "other", "x")
    assert not may(ROBOT, "update", "apps", "deployments", "ns", "x")


def test_names_bound_a_rule() -> None:
    assert may(ALICE, "get", "", "configmaps", "ns", "a")
    assert not may(ALICE, "get", "", "configmaps", "ns", "c")
    assert not may(ALICE, "get", "", "configmaps", "ns", "")
    assert not may(ALICE, "get", "", "configmaps", "other", "a")


def test_a_service_account_of_a_role_binding_is_of_its_namespace() -> None:
    assert may(ROBOT, "create", "", "pods", "ns")
    assert not may(service_account_user("other", "robot"), "create", "", "pods", "ns")


def test_paths() -> None:
    rbac = Rbac(world())

    def path(user: User, text: str, verb: str = "get") -> bool:
        return rbac.authorize(Attributes(user, verb, path=text)).allowed

    nobody = User("system:anonymous", ("system:unauthenticated",))
    assert path(nobody, "/healthz") and path(nobody, "/livez/etcd")
    assert (
        not path(nobody, "/healthz/etcd")
        and not path(nobody, "/livez")
        and not path(nobody, "/healthz", "post")
    )
    assert path(User("root"), "/anything", "delete")


def test_reasons() -> None:
    rbac = Rbac(world())
    allowed = rbac.authorize(Attributes(ALICE, "list", "", "v1", "pods"))
    assert (
        allowed.reason
        == 'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "devs"'
    )
    local = rbac.authorize(Attributes(ROBOT, "create", "", "v1", "pods", namespace="ns"))
    assert (
        local.reason == 'RBAC: allowed by RoleBinding "local/ns" of Role "local" to ServiceAccount "robot/ns"'
    )
    broken = rbac.authorize(Attributes(User("carol"), "list", "", "v1", "pods"))
    assert broken.reason == f'RBAC: clusterrole.{GROUP} "gone" not found'


def test_the_text_of_a_denial() -> None:
    pods = Attributes(User("x"), "list", "", "v1", "pods", namespace="default")
    expected = 'User "x" cannot list resource "pods" in API group "" in the namespace "default"'
    assert denial_text(pods) == expected
    assert denial(pods).message == f"pods is forbidden: {expected}"
    scale = Attributes(User("x"), "update", "apps", "v1", "deployments", "scale", name="web")
    assert denial(scale).message == (
        'deployments.apps "web" is forbidden: User "x" cannot update resource "deployments/scale" in API group "apps" '
        "at the cluster scope"
    )
    assert denial(Attributes(User("x"), "get", path="/metrics")).message == (
        'forbidden: User "x" cannot get path "/metrics"'
    )


def test_a_change_is_seen_at_once() -> None:
    view = world()
    rbac = Rbac(view)
    question = Attributes(User("dave"), "list", "", "v1", "pods")
    assert not rbac.authorize(question).allowed
    view.put(GROUP, "clusterrolebindings", binding("daves", "reader", "User dave"))
    assert rbac.authorize(question).allowed
    view.put(GROUP, "clusterroles", role("reader", rule("get", "", "pods")))
    assert not rbac.authorize(question).allowed
    view.remove(GROUP, "clusterrolebindings", "", "daves")
    assert not rbac.authorize(question._replace(verb="get")).allowed


def test_the_privileged_group_needs_no_role() -> None:
    chain, _ = standard(FakeView())
    root = User("admin", ("system:masters",))
    assert chain.authorize(Attributes(root, "delete", "", "v1", "nodes", name="x")).allowed
    assert not chain.authorize(Attributes(User("system:masters"), "get", "", "v1", "nodes", name="x")).allowed


# -- against a naive evaluator

VERBS, GROUPS = st.sampled_from(["get", "list", "create", "*"]), st.sampled_from(["", "apps", "*"])
RESOURCES = st.sampled_from(["pods", "pods/log", "*/scale", "*", "deployments/scale", "secrets"])
NAMES = st.sampled_from(["a", "b"])
SUBJECTS = st.sampled_from(
    ["User alice", "Group devs", "ServiceAccount ns/robot", "ServiceAccount robot", "User root"]
)
SPACES = st.sampled_from(["ns", "other"])
RULES = st.one_of(
    st.fixed_dictionaries(
        {
            "verbs": st.lists(VERBS, min_size=1, max_size=2),
            "apiGroups": st.lists(GROUPS, min_size=1, max_size=2),
            "resources": st.lists(RESOURCES, min_size=1, max_size=2),
            "resourceNames": st.lists(NAMES, max_size=2),
        }
    ),
    st.fixed_dictionaries(
        {
            "verbs": st.lists(VERBS, min_size=1, max_size=2),
            "nonResourceURLs": st.lists(st.sampled_from(["/healthz", "/live*", "*"]), min_size=1, max_size=2),
        }
    ),
)
ROLE_NAMES = st.sampled_from(["r1", "r2", "r3"])
USERS = st.sampled_from([ALICE, ROBOT, User("root"), User("bob", ("devs",))])


@st.composite
def worlds(draw: st.DrawFn) -> FakeView:
    view = FakeView()
    for name in draw(st.sets(ROLE_NAMES)):
        view.put(GROUP, "clusterroles", role(name, *draw(st.lists(RULES, max_size=3))))
        view.put(GROUP, "roles", role(name, *draw(st.lists(RULES, max_size=3)), namespace=draw(SPACES)))
    for number in range(draw(st.integers(0, 4))):
        subjects = draw(st.lists(SUBJECTS, max_size=3))
        view.put(GROUP, "clusterrolebindings", binding(f"c{number}", draw(ROLE_NAMES), *subjects))
        space, kind = draw(SPACES), draw(st.sampled_from(["Role", "ClusterRole"]))
        listed = draw(st.lists(SUBJECTS, max_size=3))
        view.put(
            GROUP,
            "rolebindings",
            binding(f"r{number}", draw(ROLE_NAMES), *listed, namespace=space, kind=kind),
        )
    return view


QUESTIONS = st.one_of(
    st.builds(
        lambda user, verb, group, resource, namespace, name: Attributes(
            user, verb, group, "v1", *_split(resource), namespace, name
        ),
        USERS,
        st.sampled_from(["get", "list", "create", "delete"]),
        st.sampled_from(["", "apps", "batch"]),
        st.sampled_from(["pods", "pods/log", "deployments/scale", "secrets", "jobs/scale"]),
        st.sampled_from(["", "ns", "other"]),
        st.sampled_from(["", "a", "b", "c"]),
    ),
    st.builds(
        lambda user, verb, path: Attributes(user, verb, path=path),
        USERS,
        st.sampled_from(["get", "post"]),
        st.sampled_from(["/healthz", "/livez", "/live", "/x"]),
    ),
)


def _split(resource: str) -> tuple[str, str]:
    plural, _, subresource = resource.partition("/")
    return plural, subresource


@settings(max_examples=300, deadline=None)
@given(worlds(), st.lists(QUESTIONS, min_size=1, max_size=8))
def test_the_index_and_the_cache_change_no_answer(view: FakeView, questions: list[Attributes]) -> None:
    rbac = Rbac(view)
    for question in [*questions, *questions]:
        assert rbac.authorize(question).allowed == naive(view, question), question


def naive(view: FakeView, a: Attributes) -> bool:
    return any(naive_rule(found, a) for found in naive_rules(view, a))


def naive_rules(view: FakeView, a: Attributes) -> Iterator[Mapping[str, Any]]:
    bindings = [*view.list(GROUP, "clusterrolebindings")]
    if a.namespace:
        bindings += view.list(GROUP, "rolebindings", a.namespace)
    for found in bindings:
        space = found["metadata"].get("namespace", "")
        if not any(naive_subject(subject, a.user, space) for subject in found["subjects"]):
            continue
        reference = found["roleRef"]
        plural, where = ("clusterroles", "") if reference["kind"] == "ClusterRole" else ("roles", space)
        yield from (view.get(GROUP, plural, where, reference["name"]) or {}).get("rules", ())


def naive_subject(subject: Mapping[str, Any], user: User, namespace: str) -> bool:
    if subject["kind"] == "User":
        return bool(subject["name"] == user.name)
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    space = subject.get("namespace") or namespace
    return bool(space) and user.name == f"system:serviceaccount:{space}:{subject['name']}"


def naive_rule(found: Mapping[str, Any], a: Attributes) -> bool:
    if "*" not in found["verbs"] and a.verb not in found["verbs"]:
        return False
    if a.path:
        urls = found.get("nonResourceURLs", ())
        return any(url in ("*", a.path) or (url[-1] == "*" and a.path.startswith(url[:-1])) for url in urls)
    combined = f"{a.resource}/{a.subresource}" if a.subresource else a.resource
    wanted = {"*", combined} | ({f"*/{a.subresource}"} if a.subresource else set())
    return (
        bool({"*", a.group} & set(found.get("apiGroups", ())))
        and bool(wanted & set(found.get("resources", ())))
        and (not found.get("resourceNames") or a.name in found["resourceNames"])
    )
