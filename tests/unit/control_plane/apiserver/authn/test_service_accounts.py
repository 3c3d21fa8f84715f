from __future__ import annotations

from typing import Any

import pytest

from sampan.api.status import ApiError
from sampan.base.pki import jwt, keys
from sampan.control_plane.apiserver.authn import openid, reviews
from sampan.control_plane.apiserver.authn.authenticator import Authenticator
from sampan.control_plane.apiserver.authn.issuing import Issuer
from sampan.control_plane.apiserver.authn.model import NO_PEER, User
from sampan.control_plane.apiserver.authn.service_accounts import ServiceAccountTokens
from sampan.control_plane.apiserver.authn.tokens import Rejected
from unit.control_plane.apiserver.fakes import FakeView, named

ISSUER = "https://kubernetes.default.svc.cluster.local"
KEY = keys.generate()
NOW = 1_800_000_000.0


class World:
    """An issuer and an authenticator over one view and one clock."""

    def __init__(self, **options: Any) -> None:
        self.now = NOW
        self.ids = 0
        self.view = FakeView()
        self.view.put("", "serviceaccounts", named("robot", "ns"))
        pod_spec = {"serviceAccountName": "robot", "nodeName": "tug"}
        self.view.put("", "pods", named("web", "ns", spec=pod_spec))
        self.view.put("", "nodes", named("tug"))
        self.view.put("", "secrets", named("hush", "ns"))
        signer = jwt.Signer(keys.private_pem(KEY))
        clock = self.clock
        self.issuer = Issuer(ISSUER, signer, self.view, [ISSUER], clock=clock, new_id=self.new_id, **options)
        verifier = jwt.Verifier([keys.public_pem(KEY.public_key())], clock)
        tokens = ServiceAccountTokens([ISSUER], verifier, self.view, [ISSUER], clock)
        self.authenticator = Authenticator([tokens], [ISSUER])

    def clock(self) -> float:
        return self.now

    def new_id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"

    def request(self, **spec: Any) -> dict[str, Any]:
        self.warnings: list[str] = []
        return self.issuer.create("ns", "robot", {"spec": spec}, self.warnings)

    def token(self, **spec: Any) -> str:
        return str(self.request(**spec)["status"]["token"])

    def user(self, token: str) -> User:
        return self.authenticator.authenticate(NO_PEER, f"Bearer {token}")

    def rejection(self, token: str, audiences: tuple[str, ...] = (ISSUER,)) -> str:
        with pytest.raises(Rejected) as raised:
            self.authenticator.authenticate_token(token, audiences)
        with pytest.raises(ApiError):
            self.user(token) if audiences == (ISSUER,) else self.user("x.y.z")
        return str(raised.value)


POD = {"kind": "Pod", "apiVersion": "v1", "name": "web"}


def test_a_token_is_its_service_account() -> None:
    world = World()
    user = world.user(world.token())
    assert user.name == "system:serviceaccount:ns:robot"
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated")
    assert user.uid == "uid-robot"
    assert user.extra == {"authentication.kubernetes.io/credential-id": ("JTI=id-1",)}


def test_the_answer_is_the_request_with_its_status() -> None:
    world = World()
    answer = world.request(expirationSeconds=600)
    assert answer["kind"] == "TokenRequest"
    assert answer["metadata"]["name"] == "robot"
    assert answer["spec"] == {"expirationSeconds": 600, "audiences": [ISSUER]}
    assert answer["status"]["expirationTimestamp"] == "2027-01-15T08:10:00Z"
    claims = jwt.split(answer["status"]["token"]).claims
    assert claims["exp"] - claims["iat"] == 600
    assert claims["sub"] == "system:serviceaccount:ns:robot"


def test_a_token_of_a_pod_tells_of_the_pod_and_its_node() -> None:
    world = World()
    extra = world.user(world.token(boundObjectRef=POD)).extra
    assert extra["authentication.kubernetes.io/pod-name"] == ("web",)
    assert extra["authentication.kubernetes.io/pod-uid"] == ("uid-web",)
    assert extra["authentication.kubernetes.io/node-name"] == ("tug",)
    assert extra["authentication.kubernetes.io/node-uid"] == ("uid-tug",)


@pytest.mark.parametrize(
    ("kind", "plural", "namespace", "name"),
    [("Pod", "pods", "ns", "web"), ("Secret", "secrets", "ns", "hush"), ("Node", "nodes", "", "tug")],
)
def test_a_token_dies_with_what_it_is_bound_to(kind: str, plural: str, namespace: str, name: str) -> None:
    world = World()
    token = world.token(boundObjectRef={"kind": kind, "apiVersion": "v1", "name": name})
    assert world.user(token).uid == "uid-robot"
    again = dict(world.view.get("", plural, namespace, name) or {})
    world.view.remove("", plural, namespace, name)
    assert world.rejection(token) == "service account token has been invalidated"
    again["metadata"] = {**again["metadata"], "uid": "another"}
    world.view.put("", plural, again)
    assert "UID (another) does not match" in world.rejection(token)


def test_a_token_dies_with_its_account() -> None:
    world = World()
    token = world.token()
    world.view.put("", "serviceaccounts", {"metadata": {"namespace": "ns", "name": "robot", "uid": "new"}})
    assert world.rejection(token) == "service account UID (new) does not match claim (uid-robot)"
    world.view.remove("", "serviceaccounts", "ns", "robot")
    assert world.rejection(token) == 'serviceaccounts "robot" not found'


@pytest.mark.parametrize(("seconds", "alive"), [(0, True), (59, True), (61, False)])
def test_a_pod_on_its_way_out_may_talk_for_a_minute(seconds: int, alive: bool) -> None:
    world = World()
    token = world.token(boundObjectRef=POD)
    leaving = named("web", "ns", spec={"serviceAccountName": "robot", "nodeName": "tug"})
    leaving["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"
    world.view.put("", "pods", leaving)
    world.now = NOW + seconds
    if alive:
        assert world.user(token).uid == "uid-robot"
    else:
        assert world.rejection(token) == "service account token has been invalidated"


def test_a_token_is_good_for_its_audience_and_its_time_only() -> None:
    world = World()
    token = world.token(audiences=["vault"])
    assert "invalid for the target audiences" in world.rejection(token)
    verified = world.authenticator.authenticate_token(token, ["vault", "x"])
    assert verified.audiences == ("vault",)
    token = world.token(expirationSeconds=600)
    world.now = NOW + 600
    assert world.rejection(token) == "the token has expired"


def test_a_foreign_issuer_is_not_ours() -> None:
    world = World()
    signer = jwt.Signer(keys.private_pem(KEY))
    assert world.rejection(signer.sign({"iss": "https://evil", "aud": [ISSUER]})) == "invalid bearer token"


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "system:serviceaccount:kube-system:robot"},
        {"sub": "admin"},
        {"kubernetes.io": {"namespace": "ns", "serviceaccount": "robot"}},
        {"kubernetes.io": None},
        {"kubernetes.io": {"namespace": "ns"}},
        {"aud": {"a": 1}},
    ],
)
def test_claims_that_do_not_fit_together_are_refused(change: dict[str, Any]) -> None:
    world = World()
    claims = jwt.split(world.token()).claims
    world.rejection(jwt.Signer(keys.private_pem(KEY)).sign({**claims, **change}))


def test_the_token_of_a_pod_lives_on_for_clients_that_never_read_it_again() -> None:
    world = World()
    answer = world.request(boundObjectRef=POD, expirationSeconds=3607)
    claims = jwt.split(answer["status"]["token"]).claims
    assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
    assert claims["kubernetes.io"]["warnafter"] - claims["iat"] == 3607
    assert answer["status"]["expirationTimestamp"] == "2027-01-15T09:00:07Z"


def test_a_long_wish_is_shortened_with_a_warning() -> None:
    world = World(max_seconds=7200)
    assert world.request(expirationSeconds=86400)["spec"]["expirationSeconds"] == 7200
    assert world.warnings == ["requested expiration of 86400 seconds shortened to 7200 seconds"]


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({"spec": {"expirationSeconds": 599}}, 422, "may not specify a duration less than 10 minutes"),
        (
            {"spec": {"expirationSeconds": 2**32 + 1}},
            422,
            "may not specify a duration larger than 2^32 seconds",
        ),
        ({"spec": {"expirationSeconds": "600"}}, 400, "expected a number of seconds"),
        ({"metadata": {"name": "other"}}, 422, "must match the service account name if specified"),
        ({"metadata": {"namespace": "other"}}, 422, "must match the service account namespace if specified"),
        ({"metadata": {"uid": "other"}}, 409, "does not match the UID of the service account"),
        ({"spec": {"boundObjectRef": {"kind": "Pod", "name": "gone"}}}, 404, 'pods "gone" not found'),
        ({"spec": {"boundObjectRef": {**POD, "uid": "other"}}}, 409, "does not match the UID in record"),
        (
            {"spec": {"boundObjectRef": {"kind": "ConfigMap", "name": "x"}}},
            400,
            "cannot bind token to object of type",
        ),
        ({"spec": {"attestations": {"a": ["b"]}}}, 422, "attestations may only be specified"),
    ],
)
def test_bad_requests(request_: dict[str, Any], code: int, said: str) -> None:
    with pytest.raises(ApiError) as raised:
        World().issuer.create("ns", "robot", request_, [])
    assert raised.value.code == code
    assert said in raised.value.message


def test_a_pod_of_another_account_binds_nothing() -> None:
    world = World()
    world.view.put("", "serviceaccounts", named("thief", "ns"))
    with pytest.raises(ApiError, match="to pod running with different serviceaccount name"):
        world.issuer.create("ns", "thief", {"spec": {"boundObjectRef": POD}}, [])


def test_token_review() -> None:
    world = World()
    good = reviews.review_token(world.authenticator, {"spec": {"token": world.token()}})
    assert good["status"]["authenticated"] is True
    assert good["status"]["user"]["username"] == "system:serviceaccount:ns:robot"
    assert good["status"]["audiences"] == [ISSUER]
    bad = reviews.review_token(world.authenticator, {"spec": {"token": "a.b.c"}})
    assert "authenticated" not in bad["status"]
    assert bad["status"]["error"] == "[invalid bearer token]"
    with pytest.raises(ApiError, match="token is required"):
        reviews.review_token(world.authenticator, {})


def test_self_subject_review() -> None:
    review = reviews.review_self(User("alice", ("devs",)), {"apiVersion": "authentication.k8s.io/v1beta1"})
    assert review["status"] == {"userInfo": {"username": "alice", "groups": ["devs"]}}
    assert review["apiVersion"] == "authentication.k8s.io/v1beta1"


def test_the_issuers_documents_name_the_key_of_its_tokens() -> None:
    import orjson

    documents = openid.documents(ISSUER, "https://x/openid/v1/jwks", [keys.public_pem(KEY.public_key())])
    configuration = orjson.loads(documents.configuration)
    assert configuration["issuer"] == ISSUER
    assert configuration["id_token_signing_alg_values_supported"] == ["ES256"]
    key_id = jwt.split(World().token()).key_id
    assert [key["kid"] for key in orjson.loads(documents.key_set)["keys"]] == [key_id]
