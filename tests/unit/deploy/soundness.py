"""Strict checks of the objects, among themselves. Each gives what is wrong, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.unit.deploy.kustomized import Object
from tests.unit.deploy.pods import Pod, pods, ray_service

# KubeRay puts the labels that its own services look for on its pods.
_KUBERAYS_LABELS = {"app.kubernetes.io/name", "app.kubernetes.io/created-by"}
# What KubeRay puts on a head whose API answers, and on every worker, where none listens.
_SERVES = {"ray.io/serve": "true"}
# The autoscaler beside the head talks to Kubernetes.
_TALKS_TO_KUBERNETES = {"ray-head"}
# Where Ray's own health is asked, whatever the API does.
_RAY_HEALTH_PORT = 52365


def references(objects: list[Object]) -> Iterator[str]:
    """Names of configuration, secrets and volumes that nothing has."""
    data = {(each["kind"], each["metadata"]["name"]): each.get("data", {}) for each in objects}
    for each in pods(objects):
        for volume in each.spec.get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and ("PersistentVolumeClaim", claim) not in data:
                yield f"{each.name}: no claim {claim}"
            files = volume.get("configMap", {}).get("name")
            if files and ("ConfigMap", files) not in data:
                yield f"{each.name}: no files {files}"
        volumes = {volume["name"] for volume in each.spec.get("volumes", ())} | set(each.claims)
        for container in each.containers:
            mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
            yield from (f"{each.name}: no volume {name}" for name in mounted - volumes)
            yield from (f"{each.name}: {problem}" for problem in _variables(container, data))
    auth = ray_service(objects)["rayClusterConfig"]["authOptions"]
    if "auth_token" not in data.get(("Secret", auth["secretName"]), {}):
        yield f"no auth_token in {auth['secretName']}, where KubeRay reads it"


def _variables(container: Object, data: dict[tuple[str, str], Object]) -> Iterator[str]:
    known: set[str] = set()
    for source in container.get("envFrom", ()):
        name = source["configMapRef"]["name"]
        if ("ConfigMap", name) not in data:
            yield f"no settings {name}"
        known |= set(data.get(("ConfigMap", name), {}))
    for variable in container.get("env", ()):
        secret = variable.get("valueFrom", {}).get("secretKeyRef")
        if secret and secret["key"] not in data.get(("Secret", secret["name"]), {}):
            yield f"no secret {secret['name']}/{secret['key']}"
        for name in re.findall(r"\$\((\w+)\)", variable.get("value", "")):
            if name not in known:
                yield f"{variable['name']} uses {name}, which is not set before it"
        known.add(variable["name"])


def rights(objects: list[Object]) -> Iterator[str]:
    """Containers that may do more than they need."""
    for each in pods(objects):
        pod = each.spec.get("securityContext", {})
        if not pod.get("runAsNonRoot") or pod.get("runAsUser", 0) == 0:
            yield f"{each.name}: runs as root"
        if pod.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{each.name}: may call everything of the kernel"
        if each.spec.get("automountServiceAccountToken", True) and each.name not in _TALKS_TO_KUBERNETES:
            yield f"{each.name}: has a token of Kubernetes"
        if each.spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}:
            yield f"{each.name}: shares the node's own"
        yield from (f"{each.name}/{one['name']}: {what}" for one in each.containers for what in _rights(one))
    scaler = ray_service(objects)["rayClusterConfig"]["autoscalerOptions"]
    yield from (f"autoscaler: {what}" for what in _rights(scaler))


def _rights(container: Object) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation", True) or context.get("privileged"):
        yield "may get more rights"
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context.get("capabilities", {}).get("add"):
        yield "keeps capabilities"
    if not context.get("readOnlyRootFilesystem"):
        yield "may write to its image"


def limits(objects: list[Object]) -> Iterator[str]:
    """Containers without limits, without an image's version, or that nobody looks after."""
    for each in pods(objects):
        for container in each.containers:
            resources = container.get("resources", {})
            for part in ("requests", "limits"):
                if not {"cpu", "memory"} <= resources.get(part, {}).keys():
                    yield f"{each.name}/{container['name']}: no {part} of cpu and memory"
            tag = container["image"].rpartition(":")[2]
            if "/" in tag or tag in {"latest", container["image"]}:
                yield f"{each.name}/{container['name']}: no version of {container['image']}"
        for probe in ("readinessProbe", "livenessProbe"):
            if probe not in each.main:
                yield f"{each.name}: no {probe}"
    budgets = [
        each["spec"]["selector"]["matchLabels"] for each in objects if _is(each, "PodDisruptionBudget")
    ]
    for each in pods(objects):
        if sum(budget.items() <= each.labels.items() for budget in budgets) != 1:
            yield f"{each.name}: not one PodDisruptionBudget"
    for budget in budgets:
        if not any(budget.items() <= each.labels.items() for each in pods(objects)):
            yield f"a PodDisruptionBudget for nobody: {budget}"


def ways(objects: list[Object]) -> Iterator[str]:
    """Services and ingresses that lead nowhere."""
    services = {each["metadata"]["name"]: each["spec"] for each in objects if _is(each, "Service")}
    open_ports = {
        name: {port["port"]: port["name"] for port in spec["ports"]} for name, spec in services.items()
    }
    for name, spec in services.items():
        reached = [each for each in pods(objects) if spec["selector"].items() <= _labels(each).items()]
        if len(reached) != 1:
            yield f"service {name}: leads to {len(reached)} kinds of pods"
        for port in spec["ports"]:
            if not all(port["targetPort"] in each.ports for each in reached):
                yield f"service {name}: nobody has a port {port['targetPort']}"
    for ingress in (each["spec"] for each in objects if _is(each, "Ingress")):
        hosts = [rule["host"] for rule in ingress["rules"]]
        if sorted(hosts) != sorted(host for tls in ingress["tls"] for host in tls["hosts"]):
            yield "ingress: not every host has a certificate"
        for path in (path for rule in ingress["rules"] for path in rule["http"]["paths"]):
            service = path["backend"]["service"]
            ports = open_ports.get(service["name"], {})
            if not {service["port"].get("number"), service["port"].get("name")} & {*ports, *ports.values()}:
                yield f"ingress: nothing answers at {service['name']} {service['port']}"


def _labels(pod: Pod) -> dict[str, str]:
    return pod.labels if pod.parameters is None else pod.labels | _SERVES


def ray_nodes(objects: list[Object]) -> Iterator[str]:
    """Nodes of Ray that KubeRay or the pool could not use."""
    service = ray_service(objects)
    if service["upgradeStrategy"]["type"] != "None":
        yield "an upgrade would start a second DatabaseActor beside the first"
    for each in pods(objects):
        if each.parameters is None:
            continue
        if _KUBERAYS_LABELS & each.labels.keys():
            yield f"{each.name}: KubeRay would not find its own pods"
        if {"command", "args"} & each.main.keys():
            yield f"{each.name}: KubeRay starts Ray itself"
        for probe in ("readinessProbe", "livenessProbe"):
            if each.main[probe].get("httpGet", {}).get("port") != _RAY_HEALTH_PORT:
                yield f"{each.name}: {probe} asks for more than Ray, so the API would never be started"
        if each.ports.get("metrics") != int(each.parameters["metrics-export-port"]):
            yield f"{each.name}: Ray's figures are at another port"
        yield from _faces(each)


def _faces(each: Pod) -> Iterator[str]:
    resources, limits = each.resources, each.main["resources"]["limits"]
    if each.name == "ray-head":
        if resources != {"rollcall_records": 1} or each.parameters["num-cpus"] != "0":
            yield "ray-head: is for the records and for nothing else"
        return
    if set(resources) != {"rollcall_faces"} or resources["rollcall_faces"] > float(limits["cpu"]):
        yield f"{each.name}: takes more FaceEmbeddingActors than it has cores, or none"
    if each.parameters.get("num-gpus", "0") != limits.get("nvidia.com/gpu", "0"):
        yield f"{each.name}: Ray and Kubernetes count its GPUs differently"


def _is(each: Object, kind: str) -> bool:
    return each["kind"] == kind
