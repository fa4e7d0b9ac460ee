"""The Kubernetes manifests: built by kustomize, of the API's schema, and held to rules of our own.

Invariant: no cluster is asked for anything; what only a cluster shows is said in docs/deploy/kubernetes.md.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml

from tests.deploy.tools import DEPLOY, folder_entered, make_secrets, run, with_secrets
from tests.promtool import promtool
from worker.cli import cli
from worker.config import load
from worker.config.table import SETTINGS
from worker.jobs.hang import WALL_S
from worker.metrics.table import METRICS
from worker.spool import MOST_BYTES
from worker.web.serve import STOP_S

OVERLAYS = ("single", "cluster-external-redis")
ROLES = {"poller": "poll", "pages": "pages", "worker": "work", "web": "serve"}
VERSIONS = {"single": "1.31", "cluster-external-redis": "1.34"}
"""Of the API: the oldest and one of the newest that the manifests are for."""

OPERATORS = ("monitoring.coreos.com/v1",)
"""Not Kubernetes' own: of those there is no schema here."""

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def deploy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/ with the secrets of both overlays."""
    return with_secrets(
        tmp_path_factory.mktemp("kubernetes"), *(f"kubernetes/overlays/{name}/secrets" for name in OVERLAYS)
    )


@pytest.fixture(scope="module")
def built(deploy: Path) -> dict[str, list[Manifest]]:
    """What kustomize makes of each overlay."""
    return {
        name: [*yaml.safe_load_all(run("kubectl", "kustomize", deploy / "kubernetes" / "overlays" / name))]
        for name in OVERLAYS
    }


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> dict[str, Manifest]:
    """Those of these kinds, by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] in kinds}


def pods(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """The name and the pod of each that makes pods."""
    for name, each in of_kind(manifests, "Deployment", "StatefulSet").items():
        yield name, each["spec"]["template"]["spec"]


@pytest.mark.parametrize(("overlay", "version"), VERSIONS.items())
def test_every_manifest_is_of_the_api(built: dict[str, list[Manifest]], overlay: str, version: str) -> None:
    checked = 0
    for each in built[overlay]:
        if each["apiVersion"] not in OPERATORS:
            kubernetes_validate.validate(each, version, strict=True)
            checked += 1
    assert checked >= 20
    assert {each["kind"] for each in built[overlay] if each["apiVersion"] in OPERATORS} <= {"PodMonitor"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_is_in_one_namespace_that_lets_in_restricted_pods_only(
    built: dict[str, list[Manifest]], overlay: str
) -> None:
    [(name, namespace)] = of_kind(built[overlay], "Namespace").items()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for each in built[overlay]:
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_keeps_the_restricted_standard(built: dict[str, list[Manifest]], overlay: str) -> None:
    """Kubernetes' Pod Security Standard `restricted`, and a root that cannot be written to besides."""
    for name, pod in pods(built[overlay]):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True and context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name
        assert pod["automountServiceAccountToken"] is False, f"{name} has no business with the cluster's API"
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
        allowed = {"name", "configMap", "secret", "emptyDir", "persistentVolumeClaim"}
        assert all(volume.keys() <= allowed for volume in pod["volumes"]), name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_has_limits_a_pinned_image_and_probes(built: dict[str, list[Manifest]], overlay: str) -> None:
    for name, pod in pods(built[overlay]):
        for container in pod["containers"]:
            assert re.search(r":v?\d+\.\d+\.\d+$", container["image"]), f"{name}: {container['image']}"
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert "memory" in container["resources"]["limits"], name
            if name != "admin":
                assert "livenessProbe" in container, name
                assert "startupProbe" in container or "readinessProbe" in container, name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_process_runs_its_command_with_settings_that_there_are(
    built: dict[str, list[Manifest]], overlay: str
) -> None:
    known, commands = {setting.variable for setting in SETTINGS}, cli.list_commands(click.Context(cli))
    configs, secrets = of_kind(built[overlay], "ConfigMap"), of_kind(built[overlay], "Secret")
    for name, pod in pods(built[overlay]):
        if name not in ROLES:
            continue
        [container] = pod["containers"]
        assert container["args"] == [ROLES[name]] and ROLES[name] in commands
        sources = container["envFrom"]
        settings = configs[next(each["configMapRef"]["name"] for each in sources if "configMapRef" in each)]["data"]
        secret = secrets[next(each["secretRef"]["name"] for each in sources if "secretRef" in each)]
        assert {*settings, *secret["data"]} <= known
        assert load(settings).listen == "0.0.0.0:8080"
        [mount] = [each for each in container["volumeMounts"] if each["name"] == "token"]
        assert settings["STORYWIRE_TOKEN_FILE"] == f"{mount['mountPath']}/token"
        [volume] = [each for each in pod["volumes"] if each["name"] == "token"]
        assert volume["secret"]["defaultMode"] == 0o440, "a token that others may read is refused"
        assert secrets[volume["secret"]["secretName"]]["data"].keys() == {"token"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_cut_off_before_it_has_ended(built: dict[str, list[Manifest]], overlay: str) -> None:
    grace = {name: pod["terminationGracePeriodSeconds"] for name, pod in pods(built[overlay])}
    assert grace["worker"] > WALL_S, "the longest that a batch may take"
    [web] = dict(pods(built[overlay]))["web"]["containers"]
    assert grace["web"] > STOP_S + int(web["lifecycle"]["preStop"]["exec"]["command"][1])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_of_liveness_ask_nothing_that_a_server_away_would_spoil(
    built: dict[str, list[Manifest]], overlay: str
) -> None:
    found = dict(pods(built[overlay]))
    for name in ("poller", "pages", "worker"):
        [container] = found[name]["containers"]
        assert container["livenessProbe"]["exec"]["command"] == ["alive", ROLES[name]]
    [web] = found["web"]["containers"]
    assert web["livenessProbe"]["httpGet"]["path"].startswith("/static/")
    assert (DEPLOY.parent / "worker/web" / web["livenessProbe"]["httpGet"]["path"].removeprefix("/")).is_file()
    assert web["readinessProbe"]["httpGet"]["path"] == "/healthz"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_find_the_pods_that_they_mean(built: dict[str, list[Manifest]], overlay: str) -> None:
    labels = {
        name: each["spec"]["template"]["metadata"]["labels"]
        for name, each in of_kind(built[overlay], "Deployment", "StatefulSet").items()
    }
    for name, each in of_kind(built[overlay], "Deployment", "StatefulSet", "PodDisruptionBudget").items():
        wanted = each["spec"]["selector"]["matchLabels"].items()
        assert {of for of, has in labels.items() if wanted <= has.items()} == {name}
    for name, each in of_kind(built[overlay], "Service").items():
        wanted = each["spec"]["selector"].items()
        assert {of for of, has in labels.items() if wanted <= has.items()} == {name}
    assert of_kind(built[overlay], "PodDisruptionBudget").keys() == ROLES.keys()
    for each in of_kind(built[overlay], "PodDisruptionBudget").values():
        assert each["spec"]["maxUnavailable"] == 1, "a node can be emptied also where there is one pod of a kind"


def egress(manifests: Sequence[Manifest], component: str) -> list[Mapping[str, Any]]:
    """What the policies let a component ask, rule by rule."""
    rules = []
    for policy in of_kind(manifests, "NetworkPolicy").values():
        spec = policy["spec"]
        if "Egress" in spec["policyTypes"] and chosen(spec["podSelector"], component):
            rules += spec.get("egress", [])
    return rules


def chosen(selector: Mapping[str, Any], component: str) -> bool:
    """Whether a selector means the pods of a component."""
    labels = {"app.kubernetes.io/component": component, "app.kubernetes.io/part-of": "storywire"}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels[each["key"]] in each["values"] for each in selector.get("matchExpressions", [])
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nobody_talks_to_anybody_unless_it_is_said(built: dict[str, list[Manifest]], overlay: str) -> None:
    policies = of_kind(built[overlay], "NetworkPolicy")
    assert policies["nobody"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert policies["names"]["spec"]["egress"][0]["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ], "the names of others' pods are as kustomize found them"
    for component in ("worker", "admin", "redis"):
        blocks = [
            to["ipBlock"]["cidr"] for rule in egress(built[overlay], component) for to in rule["to"] if "ipBlock" in to
        ]
        assert not {"0.0.0.0/0", "::/0"} & {*blocks}, f"{component} has no way to the internet"


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("component", ["poller", "pages", "web"])
def test_feeds_are_asked_on_the_internet_and_nowhere_private(
    built: dict[str, list[Manifest]], overlay: str, component: str
) -> None:
    """Beside the program's own guard, which refuses more: what it takes for private, the network does too."""
    blocks = [
        to["ipBlock"]
        for rule in egress(built[overlay], component)
        if rule.get("ports") == [{"protocol": "TCP"}]
        for to in rule["to"]
    ]

    def passes(address: str) -> bool:
        found = ip_address(address)
        return any(
            found in ip_network(block["cidr"]) and not any(found in ip_network(each) for each in block["except"])
            for block in blocks
        )

    assert passes("93.184.216.34") and passes("2606:2800:220:1::1")
    for address in ("10.1.2.3", "172.20.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"):
        assert not passes(address), address
    for address in ("::1", "fd00:ec2::254", "fe80::1", "ff02::1", "64:ff9b::a00:1"):
        assert not passes(address), address


def test_server_in_the_cluster_is_reached_by_storywire_only(built: dict[str, list[Manifest]]) -> None:
    redis = of_kind(built["single"], "NetworkPolicy")["redis"]["spec"]
    [rule] = redis["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 6379}]
    [peer] = rule["from"]
    assert all(chosen(peer["podSelector"], component) for component in (*ROLES, "admin"))
    assert not chosen(peer["podSelector"], "redis")
    server = of_kind(built["single"], "StatefulSet")["redis"]["spec"]
    assert server["replicas"] == 1 and server["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


def test_server_in_the_cluster_finds_the_folder_that_its_file_names(built: dict[str, list[Manifest]]) -> None:
    """The image has none, and the server ends where it cannot enter it: also one that is told of another by `--dir`."""
    [server] = dict(pods(built["single"]))["redis"]["containers"]
    assert folder_entered() in {mount["mountPath"] for mount in server["volumeMounts"]}


def test_addresses_of_the_server_are_those_of_its_service(built: dict[str, list[Manifest]], deploy: Path) -> None:
    assert "redis" in of_kind(built["single"], "Service")
    said = (deploy / "kubernetes/overlays/single/secrets/worker.env").read_text()
    assert said.startswith("STORYWIRE_REDIS_URL=redis://worker:") and "@redis:6379/0" in said


def test_workers_grow_with_the_age_of_the_queue(built: dict[str, list[Manifest]], deploy: Path) -> None:
    [scaler] = of_kind(built["cluster-external-redis"], "HorizontalPodAutoscaler").values()
    workers = of_kind(built["cluster-external-redis"], "Deployment")["worker"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == "worker"
    assert "replicas" not in workers["spec"], "or each upgrade would set back what the autoscaler has found"
    [metric] = [each["external"]["metric"]["name"] for each in scaler["spec"]["metrics"]]
    assert metric in {each.name for each in METRICS}
    rules = yaml.safe_load((deploy / "kubernetes/components/autoscaling/adapter-values.yaml").read_text())
    [rule] = rules["rules"]["external"]
    assert rule["name"]["as"] == metric and rule["seriesQuery"].startswith(metric)


def test_query_of_the_autoscaler_is_one_that_prometheus_knows(deploy: Path, tmp_path: Path) -> None:
    rules = yaml.safe_load((deploy / "kubernetes/components/autoscaling/adapter-values.yaml").read_text())
    query = rules["rules"]["external"][0]["metricsQuery"]
    filled = query.replace("<<.Series>>", "storywire_queue_oldest_seconds").replace("<<.LabelMatchers>>", "")
    assert "<<" not in filled
    rule = {"groups": [{"name": "g", "rules": [{"record": "storywire:oldest", "expr": filled}]}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rule))
    promtool("check", "rules", tmp_path / "rules.yml")


def test_what_is_measured_is_asked_at_the_ports_that_there_are(built: dict[str, list[Manifest]]) -> None:
    manifests = built["cluster-external-redis"]
    secrets = of_kind(manifests, "Secret")
    found = dict(pods(manifests))
    asked = set()
    for monitor in of_kind(manifests, "PodMonitor").values():
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        credentials = endpoint["authorization"]["credentials"]
        assert credentials["key"] in secrets[credentials["name"]]["data"], "a name that kustomize has not changed"
        for component in ROLES:
            if chosen(monitor["spec"]["selector"], component):
                [container] = found[component]["containers"]
                assert endpoint["port"] in {port["name"] for port in container["ports"]}
                asked.add(component)
    assert asked == ROLES.keys()


def test_secrets_are_made_for_an_overlay_as_its_head_says(deploy: Path, tmp_path: Path) -> None:
    for name in OVERLAYS:
        said = (deploy / "kubernetes/overlays" / name / "kustomization.yaml").read_text()
        [line] = re.findall(r"^#   sh deploy/docker/secrets.sh (.*)$", said, re.MULTILINE)
        folder, host = line.split()
        assert folder == f"deploy/kubernetes/overlays/{name}/secrets"
        make_secrets(deploy, tmp_path / name, host)
        for path in re.findall(r"secrets/([\w.]+)", said.partition("secretGenerator")[2]):
            assert (tmp_path / name / path).is_file()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_there_is_room_for_what_a_process_writes_into_tmp(built: dict[str, list[Manifest]], overlay: str) -> None:
    """py3langid unpacks its model into a file of 65 MiB while it reads it: a poller ended where 64 were given."""
    for name, pod in pods(built[overlay]):
        [size] = [each["emptyDir"]["sizeLimit"] for each in pod["volumes"] if each["name"] == "tmp"]
        assert name == "redis" or int(size.removesuffix("Mi")) >= 2 * 66, name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_imported_from_a_stream_can_be_kept(built: dict[str, list[Manifest]], overlay: str) -> None:
    """In the data directory of the image, on the node's disk."""
    [admin] = [pod for name, pod in pods(built[overlay]) if name == "admin"]
    mounts = {each["mountPath"]: each["name"] for each in admin["containers"][0]["volumeMounts"]}
    [room] = [each["emptyDir"] for each in admin["volumes"] if each["name"] == mounts["/var/lib/storywire"]]
    assert "medium" not in room
    assert int(room["sizeLimit"].removesuffix("Gi")) * 2**30 > MOST_BYTES
