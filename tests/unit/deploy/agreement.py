"""What the objects in Kubernetes have to have in common with the compose file and with the program."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

from ray_backend.settings import Settings
from tests.unit.deploy.kustomized import Object
from tests.unit.deploy.pods import environment, pod, pods, ray_service
from tests.unit.test_architecture import ROOT

SERVICES = ("mongodb", "ray-head", "ray-worker", "app")
# What containers are told by compose, and Kubernetes does in another way.
_OTHERWISE = {
    "RAY_AUTH_MODE": "KubeRay sets it, and the app's own has it",
    "RAY_AUTH_TOKEN": "KubeRay sets it from the secret, and the app's own has it",
    "ROLLCALL_TIME_ZONE": "a worker records no times",
    "ROLLCALL_TURN_URL": "there is no TURN server in Kubernetes; the settings may name one",
    "ROLLCALL_TURN_SECRET": "as ROLLCALL_TURN_URL",
}


def compose() -> Object:
    """The services of docker-compose.ray.yml."""
    return yaml.safe_load((ROOT / "docker-compose.ray.yml").read_text())["services"]


def with_compose(objects: list[Object], services: Object) -> Iterator[str]:
    """Other names, images, ports or addresses than in compose."""
    for name in SERVICES:
        ours, theirs = pod(objects, name), services[name]
        if _without_tag(ours.main["image"]) != _without_tag(theirs["image"]):
            yield f"{name}: {ours.main['image']} is not {theirs['image']}"
        if name == "mongodb" and ours.main["image"] != theirs["image"]:
            yield f"mongodb: {ours.main['image']} is not {theirs['image']}"
        open_ports = {int(each.rpartition(":")[2]) for each in theirs.get("ports", ())}
        if missing := open_ports - set(ours.ports.values()):
            yield f"{name}: has no port {missing}"
        yield from (f"{name}: {what}" for what in _variables(environment(objects, ours.main), theirs))


def _variables(found: dict[str, str | None], theirs: Object) -> Iterator[str]:
    for variable, value in theirs.get("environment", {}).items():
        if variable in found:
            text = re.sub(r"\$\{(\w+)[^}]*\}", r"$(\1)", str(value))
            if found[variable] is not None and text not in {found[variable], f"$({variable})"}:
                yield f"{variable} is {found[variable]} and not {text}"
        elif variable not in _OTHERWISE:
            yield f"is not told {variable}"


def _without_tag(image: str) -> str:
    return image.rpartition(":")[0] if "}" not in image else image.split(":$")[0]


def with_settings(objects: list[Object]) -> Iterator[str]:
    """Settings that there are not, or that are not as Rollcall takes them."""
    known = {f"ROLLCALL_{name.upper()}" for name in Settings.model_fields}
    for each in pods(objects):
        for container in each.containers:
            told = {name for name in environment(objects, container) if name.startswith("ROLLCALL_")}
            if each.name == "mongodb":
                told -= {"ROLLCALL_MONGODB_PASSWORD"}
            yield from (f"{each.name}: there is no setting {name}" for name in sorted(told - known))
    for name in ("ray-head", "app"):
        try:
            settings = settings_of(objects, name)
        except ValidationError as error:
            yield f"{name}: {error}"
            continue
        own = pod(objects, name)
        if name == "app" and (settings.port, settings.address) != (own.ports["http"], "0.0.0.0"):
            yield "app: listens elsewhere"
        if name == "ray-head" and (settings.api_port, settings.api_address) != (
            own.ports["serve"],
            "0.0.0.0",
        ):
            yield "ray-head: the API listens elsewhere"


def settings_of(objects: list[Object], name: str) -> Settings:
    """The settings of a pod's main container, secrets made up. Raises ValidationError."""
    found = environment(objects, pod(objects, name).main)
    prefix = "ROLLCALL_"
    values = {
        variable.removeprefix(prefix).lower(): "x" * 32 if value is None else value
        for variable, value in found.items()
        if variable.startswith(prefix)
    }
    return Settings(**values)


def with_serve(objects: list[Object]) -> Iterator[str]:
    """A configuration that Serve would refuse, or that starts something else."""
    config = yaml.safe_load(ray_service(objects)["serveConfigV2"])
    try:
        schema = ServeDeploySchema.model_validate(config)
    except ValidationError as error:
        yield str(error)
        return
    if unknown := set(config) - set(ServeDeploySchema.model_fields):
        yield f"Serve does not know {unknown}"
    if schema.http_options.port != pod(objects, "ray-head").ports["serve"]:
        yield "the API listens at another port than the head's"
    if schema.proxy_location != "HeadOnly" or schema.http_options.host != "0.0.0.0":
        yield "the API does not listen on the head for all"
    for application in schema.applications:
        yield from _builder(application.import_path)


def _builder(import_path: str) -> Iterator[str]:
    module, _, name = import_path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        yield f"there is no {import_path}"
        return
    if not inspect.isfunction(found) or len(inspect.signature(found).parameters) != 1:
        yield f"{import_path} is no builder of an application"


def with_the_command(job: Object, root: Any) -> Iterator[str]:
    """An import that there is no command for, or that KubeRay refuses. `root` is the click command."""
    spec = job["spec"]
    words = shlex.split(spec["entrypoint"])
    command = root if words.pop(0) == "rollcall" else None
    while words and command is not None and hasattr(command, "commands"):
        command = command.commands.get(words.pop(0))
    options = {name for each in getattr(command, "params", ()) for name in each.opts}
    if command is None or {word for word in words if word.startswith("-")} - options:
        yield f"there is no command {spec['entrypoint']}"
    # As in KubeRay 1.6's ValidateRayJobSpec.
    if spec.keys() & {"backoffLimit", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "suspend"}:
        yield "KubeRay does not take that for a cluster that is there"
    if json.loads(spec["entrypointResources"]).keys() != {"rollcall_records"}:
        yield "runs on another node than the one with the photos"
