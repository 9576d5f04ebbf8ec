"""Everything in the objects that becomes a pod, looked at in the same way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.unit.deploy.kustomized import Object, named

COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True)
class Pod:
    """`parameters` are those of `ray start`; none where it is no node of Ray."""

    name: str
    template: Object
    parameters: dict[str, str] | None = None
    claims: tuple[str, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        return self.template["metadata"]["labels"]

    @property
    def spec(self) -> Object:
        return self.template["spec"]

    @property
    def main(self) -> Object:
        return self.spec["containers"][0]

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        return {each["name"]: each["containerPort"] for each in self.main.get("ports", ())}

    @property
    def resources(self) -> dict[str, float]:
        """Ray's own, as the shell hands them to `ray start`."""
        quoted = re.fullmatch(r"'(.*)'", (self.parameters or {}).get("resources", "'{}'"))
        assert quoted, "a shell would take the braces apart"
        return json.loads(quoted[1])


def ray_service(objects: list[Object]) -> Object:
    """The RayService's specification."""
    return named(objects, "RayService", "rollcall")["spec"]


def pods(objects: list[Object]) -> Iterator[Pod]:
    """All of them."""
    for each in objects:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            claims = (claim["metadata"]["name"] for claim in each["spec"].get("volumeClaimTemplates", ()))
            yield Pod(each["metadata"]["name"], each["spec"]["template"], None, tuple(claims))
        elif each["kind"] == "RayService":
            cluster = each["spec"]["rayClusterConfig"]
            head = cluster["headGroupSpec"]
            yield Pod("ray-head", head["template"], head["rayStartParams"])
            for group in cluster["workerGroupSpecs"]:
                yield Pod(group["groupName"], group["template"], group["rayStartParams"])


def pod(objects: list[Object], name: str) -> Pod:
    """The one of this name."""
    (found,) = (each for each in pods(objects) if each.name == name)
    return found


def environment(objects: list[Object], container: Object) -> dict[str, str | None]:
    """What the container finds in its environment; None for what comes from a secret."""
    found: dict[str, str | None] = {}
    for source in container.get("envFrom", ()):
        found |= named(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {each["name"]: each.get("value") for each in container.get("env", ())}
