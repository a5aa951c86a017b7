"""What the chart renders to, judged by helm and by a real API server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from cluster.fixtures import Cluster, Namespace

Render: TypeAlias = Callable[..., list[dict[str, Any]]]

pytestmark = pytest.mark.apiserver

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "usher"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"

VARIANTS = {
    "as it is": (),
    "some namespaces": ("--set=watchNamespaces={default,kube-public}", "--set=rbac.secretNames={app-token}"),
    "an image by digest": (f"--set=image.digest={DIGEST}", "--set=imagePullSecrets[0].name=registry"),
    "a claim that is there": ("--set=persistence.existingClaim=mine",),
    "a class of storage": ("--set=persistence.storageClass=fast", "--set=persistence.keep=false"),
    "no volume": ("--set=persistence.enabled=false",),
    "a database": ("--set=state.postgresql.urlSecret=usher-database", "--set=state.postgresql.key=uri"),
    "an encrypted state": ("--set=state.encryption.keysSecret=usher-keys",),
    "no read API": ("--set=readApi.enabled=false", "--set=readApi.certificateSecret=mine"),
    "a certificate": ("--set=readApi.certificateSecret=mine", "--set=readApi.port=443"),
    "private apps": ("--set=egress.allow.cidrs={10.0.0.0/8,fd00::/8}", "--set=egress.allow.hosts={scim.example}"),
    "definitions that go": ("--set=crds.keep=false", "--set=crds.annotations.team=identity"),
    "no policy": ("--set=approvalPolicy.enabled=false",),
    "what others made": (
        "--set=rbac.create=false",
        "--set=serviceAccount.create=false",
        "--set=serviceAccount.name=theirs",
        "--set=metrics.service.enabled=false",
        "--set=crds.install=false",
    ),
    "everything about the Pod": (
        "--set=podAnnotations.note=a",
        "--set=podLabels.team=identity",
        "--set=nodeSelector.disk=ssd",
        '--set-json=tolerations=[{"key":"node","operator":"Exists"}]',
        '--set-json=affinity={"nodeAffinity":{}}',
        "--set=serviceAccount.annotations.note=a",
        "--set=metrics.service.annotations.note=a",
        "--set=persistence.annotations.note=a",
        "--set=extraArgs={--log-level=debug}",
        "--set=fullnameOverride=other",
    ),
}


def one(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (document for document in documents if document["kind"] == kind)
    return found


def is_definition(document: dict[str, Any]) -> bool:
    return bool(document["kind"] == "CustomResourceDefinition")


def arguments(documents: list[dict[str, Any]]) -> list[str]:
    found: list[str] = one(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    return found


def test_helm_has_no_complaint(cluster: Cluster) -> None:
    told = cluster.helm("lint", "--strict", str(CHART)).stdout
    assert "[WARNING]" not in told


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_the_api_server_takes_all_that_the_chart_renders(namespace: Namespace, options: tuple[str, ...]) -> None:
    # given
    rendered = namespace.helm("template", "usher", str(CHART), "--kube-version=1.30.0", *options).stdout
    expected = [document for document in yaml.safe_load_all(rendered) if document]
    # when: definitions may be there, others' too; strict, so that a field which the server does not know is an error
    how = ("--server-side", "--force-conflicts", "--field-manager=helm", "--dry-run=server", "--validate=strict")
    answer = namespace.cluster.kubectl("apply", *how, "--output=name", "--filename=-", input=rendered)
    # then
    assert len(answer.stdout.split()) == len(expected)
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("--set=egress.alow.hosts={a}", "alow"),
        ("--set=replicas=2", "replicas"),
        ("--set=image.tag=latest", "tag"),
        ("--set=image.digest=sha256:abc", "digest"),
        ("--set=watchNamespaces=default", "watchNamespaces"),
        ("--set=watchNamespaces={a,a}", "watchNamespaces"),
        ("--set=egress.allow.cidrs={10.0.0.1}", "cidrs"),
        ("--set=log.level=INFO", "level"),
        ("--set=serviceAccount.create=false", "serviceAccount/name"),
    ],
)
def test_helm_refuses_what_would_not_mean_what_it_says(cluster: Cluster, option: str, complaint: str) -> None:
    refused = cluster.helm("template", "usher", str(CHART), "--kube-version=1.30.0", option, check=False)
    assert refused.returncode != 0
    assert complaint in refused.stderr


def test_a_parent_chart_may_share_its_globals(render: Render) -> None:
    assert one(render("--set=global.registry=a"), "Deployment")


def test_an_older_kubernetes_is_refused(cluster: Cluster) -> None:
    refused = cluster.helm("template", "usher", str(CHART), "--kube-version=1.29.9", check=False)
    assert "1.30" in refused.stderr


def test_an_image_is_named_by_its_tag_or_by_its_digest_alone(render: Render) -> None:
    def image(*options: str) -> str:
        found: str = one(render(*options), "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]
        return found

    assert image() == "localhost/usher:0.1.0"
    assert image("--set=image.registry=r.example:5000/team", "--set=image.tag=v2") == "r.example:5000/team/usher:v2"
    assert image("--set=image.tag=v2", f"--set=image.digest={DIGEST}") == f"localhost/usher@{DIGEST}"


def test_two_operators_never_write_one_state(render: Render) -> None:
    spec = one(render(), "Deployment")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


def test_watching_some_namespaces_leaves_no_right_beyond_them(render: Render) -> None:
    documents = render('--set-json=watchNamespaces=["a","123"]')
    roles = [each for each in documents if each["kind"] in {"Role", "RoleBinding"}]
    own = [each for each in roles if "read-api" not in each["metadata"]["name"]]
    assert [(each["kind"], each["metadata"]["namespace"]) for each in own] == [
        ("Role", "a"),
        ("Role", "123"),
        ("RoleBinding", "a"),
        ("RoleBinding", "123"),
    ]
    bound = [each for each in documents if each["kind"] == "ClusterRoleBinding"]
    assert [each["roleRef"]["name"] for each in bound] == ["usher-system:usher-read-api:reviews"]
    none = render('--set-json=watchNamespaces=["a"]', "--set=readApi.enabled=false")
    assert [each["metadata"]["name"] for each in none if each["kind"].startswith("ClusterRole")] == ["usher-approver"]
    assert [each for each in arguments(documents) if "namespace" in each] == ["--namespace=a", "--namespace=123"]


def test_what_egress_allows_reaches_the_operator(render: Render) -> None:
    given = arguments(render("--set=egress.allow.cidrs={10.0.0.0/8}", "--set=egress.allow.hosts={a.example,b.example}"))
    assert [each for each in given if each.startswith("--allow")] == [
        "--allow-cidr=10.0.0.0/8",
        "--allow-host=a.example",
        "--allow-host=b.example",
    ]
    assert not [each for each in arguments(render()) if each.startswith("--allow")]


def test_names_are_in_what_a_pod_prints_only_where_somebody_wants_them(render: Render) -> None:
    assert "--log-people" not in arguments(render())
    assert "--log-people" in arguments(render("--set=log.people=true"))


def test_the_definitions_are_those_of_the_repository_and_stay_at_an_uninstall(render: Render) -> None:
    # given
    originals = {
        document["metadata"]["name"]: document["spec"]
        for path in (ROOT / "crds").glob("*.yaml")
        for document in [yaml.safe_load(path.read_text(encoding="utf-8"))]
    }
    # when
    installed = [each for each in render() if is_definition(each)]
    # then
    assert {each["metadata"]["name"]: each["spec"] for each in installed} == originals
    assert {each["metadata"]["annotations"]["helm.sh/resource-policy"] for each in installed} == {"keep"}
    assert not [
        each for each in render("--set=crds.keep=false") if is_definition(each) and "annotations" in each["metadata"]
    ]
    assert not [each for each in render("--set=crds.install=false") if is_definition(each)]


def test_the_state_is_on_a_volume_that_outlives_the_release(render: Render) -> None:
    def volume(*options: str) -> dict[str, Any]:
        volumes = one(render(*options), "Deployment")["spec"]["template"]["spec"]["volumes"]
        (found,) = (each for each in volumes if each["name"] == "state")
        del found["name"]
        return dict(found)

    claim = one(render(), "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert volume() == {"persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
    assert volume("--set=persistence.existingClaim=mine") == {"persistentVolumeClaim": {"claimName": "mine"}}
    assert volume("--set=persistence.enabled=false") == {"emptyDir": {}}
    for option in ("--set=persistence.existingClaim=mine", "--set=persistence.enabled=false"):
        assert "PersistentVolumeClaim" not in {each["kind"] for each in render(option)}


def mounted(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """What is mounted where, by path."""
    spec = one(documents, "Deployment")["spec"]["template"]["spec"]
    volumes = {each["name"]: {key: each[key] for key in each.keys() - {"name"}} for each in spec["volumes"]}
    return {mount["mountPath"]: volumes[mount["name"]] for mount in spec["containers"][0]["volumeMounts"]}


def test_a_database_takes_the_place_of_the_volume_and_its_url_comes_from_a_file(render: Render) -> None:
    documents = render("--set=state.postgresql.urlSecret=usher-database", "--set=state.postgresql.key=uri")
    assert [each for each in arguments(documents) if "--state" in each] == ["--state-url-file=/etc/usher/database/url"]
    secret = {"secretName": "usher-database", "defaultMode": 0o440, "items": [{"key": "uri", "path": "url"}]}
    assert mounted(documents)["/etc/usher/database"] == {"secret": secret}
    assert mounted(documents)["/var/lib/usher"] == {"emptyDir": {}}
    assert "PersistentVolumeClaim" not in {each["kind"] for each in documents}


def test_the_keys_of_an_encrypted_state_are_mounted_as_they_are(render: Render) -> None:
    documents = render("--set=state.encryption.keysSecret=usher-keys")
    given = [each for each in arguments(documents) if "--state" in each]
    assert given == ["--state=/var/lib/usher/state.db", "--state-keys=/etc/usher/keys"]
    assert mounted(documents)["/etc/usher/keys"] == {"secret": {"secretName": "usher-keys", "defaultMode": 0o440}}
    assert not {"/etc/usher/keys", "/etc/usher/database"} & mounted(render()).keys()


def test_a_certificate_of_the_read_api_is_mounted_where_the_operator_looks_for_it(render: Render) -> None:
    documents = render("--set=readApi.certificateSecret=mine")
    assert [each for each in arguments(documents) if "read-api" in each] == [
        "--read-api=0.0.0.0:8443",
        "--read-api-notice=usher-system/usher-read-api",
        "--read-api-certificate=/etc/usher/read-api",
    ]
    assert mounted(documents)["/etc/usher/read-api"] == {"secret": {"secretName": "mine", "defaultMode": 0o440}}
    assert not [each for each in arguments(render("--set=readApi.enabled=false")) if "read-api" in each]


def test_what_the_operator_tells_of_its_read_api_is_not_taken_back_by_an_upgrade(render: Render) -> None:
    notice = one(render(), "ConfigMap")
    assert notice["metadata"]["name"] == "usher-read-api"
    assert "data" not in notice


def test_people_have_no_right_until_somebody_gives_it(render: Render) -> None:
    documents = render()
    made = {each["metadata"]["name"] for each in documents if each["kind"] in {"Role", "ClusterRole"}}
    bound = {each["roleRef"]["name"] for each in documents if each["kind"].endswith("RoleBinding")}
    assert made - bound == {"usher-approver", "usher-read-api-visitor", "usher-system:usher-read-api:reader"}


def restricted(namespace: Namespace) -> None:
    modes = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
    namespace.kubectl("label", "namespace", namespace.name, *modes)
    namespace.kubectl("create", "serviceaccount", "usher")


def dry_run(namespace: Namespace, document: dict[str, Any]) -> str:
    """What the API server says against creating this object: warnings too."""
    document["metadata"].pop("namespace", None)
    command = ("create", "--dry-run=server", "--filename=-")
    return namespace.kubectl(*command, input=json.dumps(document), check=False).stderr


def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    spec = deployment["spec"]["template"]["spec"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "usher"}, "spec": spec}


def test_the_pod_is_admitted_where_the_restricted_standard_is_enforced(namespace: Namespace, render: Render) -> None:
    restricted(namespace)
    deployment = one(render(), "Deployment")
    assert dry_run(namespace, deployment) == ""
    assert dry_run(namespace, pod(deployment)) == ""


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ("Pod", "runAsNonRoot"),
        ("Pod", "seccompProfile"),
        ("container", "allowPrivilegeEscalation"),
        ("container", "capabilities"),
    ],
)
def test_without_any_one_of_its_restrictions_it_would_not_be(
    namespace: Namespace, render: Render, place: str, field: str
) -> None:
    restricted(namespace)
    deployment = one(render(), "Deployment")
    spec = deployment["spec"]["template"]["spec"]
    del (spec if place == "Pod" else spec["containers"][0])["securityContext"][field]
    assert "restricted" in dry_run(namespace, deployment)
    assert "forbidden" in dry_run(namespace, pod(deployment))


def test_nothing_in_the_container_can_be_written_but_the_state_and_tmp(render: Render) -> None:
    spec = one(render(), "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [each["mountPath"] for each in container["volumeMounts"]] == ["/var/lib/usher", str(Path("/", "tmp"))]
    assert spec["securityContext"]["runAsUser"] == 65532
