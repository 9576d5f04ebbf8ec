"""Kubernetes' objects as a kustomization makes them: by kustomize where it is installed, and without it.

`plainly` knows just what deploy/k8s uses and refuses the rest; a test holds it equal to kustomize.
"""

from __future__ import annotations

import base64
import copy
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.unit.test_architecture import ROOT

Object = dict[str, Any]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = ("cpu", "gpu")
_KNOWN = {
    "apiVersion", "kind", "namespace", "resources", "images", "patches", "configMapGenerator",
    "secretGenerator", "generatorOptions", "configurations",
}  # fmt: skip
_CLUSTER_WIDE = {"Namespace"}


@cache
def command() -> tuple[str, ...]:
    """What builds a kustomization on this machine; empty where nothing does."""
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    return ("kubectl", "kustomize") if shutil.which("kubectl") else ()


def by_kustomize(folder: Path) -> list[Object]:
    """The objects in kustomize's order. Raises subprocess.CalledProcessError."""
    made = subprocess.run([*command(), str(folder)], check=True, capture_output=True, text=True)
    return _documents(made.stdout)


def plainly(folder: Path) -> list[Object]:
    """The objects of the kustomization in this folder. Raises AssertionError for what it does not know, and
    FileNotFoundError."""
    wanted = _document((folder / "kustomization.yaml").read_text())
    assert not set(wanted) - _KNOWN, f"not known here: {set(wanted) - _KNOWN}"
    objects: list[Object] = []
    for name in wanted["resources"]:
        path = folder / name
        objects += plainly(path) if path.is_dir() else _documents(path.read_text())
    for generator in wanted.get("configMapGenerator", ()):
        _merge(objects, "ConfigMap", generator, _data(folder, generator))
    for generator in wanted.get("secretGenerator", ()):
        _merge(objects, "Secret", generator, _encoded(_data(folder, generator)))
    for patch in wanted.get("patches", ()):
        steps = _document((folder / patch["path"]).read_text())
        _patch(named(objects, patch["target"]["kind"], patch["target"]["name"]), steps)
    for image in wanted.get("images", ()):
        _set_image(objects, image)
    return [_placed(each, wanted.get("namespace")) for each in copy.deepcopy(objects)]


def named(objects: list[Object], kind: str, name: str) -> Object:
    """The one object of this kind and name."""
    (found,) = (each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)
    return found


def same(objects: list[Object]) -> dict[tuple[str, str], str]:
    """The objects without their order, to be compared."""
    return {(each["kind"], each["metadata"]["name"]): json.dumps(each, sort_keys=True) for each in objects}


def env_file(path: Path) -> dict[str, str]:
    """NAME=VALUE lines."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _documents(text: str) -> list[Object]:
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def _document(text: str) -> Any:
    (found,) = _documents(text)
    return found


def _data(folder: Path, generator: Object) -> dict[str, str]:
    assert not set(generator) - {"name", "behavior", "envs", "files", "literals"}
    data: dict[str, str] = {}
    for name in generator.get("envs", ()):
        data |= env_file(folder / name)
    for name in generator.get("files", ()):
        data[Path(name).name] = (folder / name).read_text()
    return data | dict(each.split("=", 1) for each in generator.get("literals", ()))


def _encoded(data: dict[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}


def _merge(objects: list[Object], kind: str, generator: Object, data: dict[str, str]) -> None:
    if generator.get("behavior") == "merge":
        named(objects, kind, generator["name"])["data"] |= data
        return
    made = {"apiVersion": "v1", "kind": kind, "metadata": {"name": generator["name"]}, "data": data}
    objects.append(made | ({"type": "Opaque"} if kind == "Secret" else {}))


def _patch(target: Object, steps: list[Object]) -> None:
    for step in steps:
        assert step["op"] in {"add", "replace"}
        *way, last = [part.replace("~1", "/") for part in step["path"].strip("/").split("/")]
        place: Any = target
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place[part]
        assert step["op"] == "add" or last in place, f"nothing to replace at {step['path']}"
        place[last] = step["value"]


def _set_image(node: Any, image: Object) -> None:
    if isinstance(node, list):
        for each in node:
            _set_image(each, image)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "image" and isinstance(value, str) and value.rpartition(":")[0] == image["name"]:
                node[key] = f"{image['newName']}:{image['newTag']}"
            else:
                _set_image(value, image)


def _placed(each: Object, namespace: str | None) -> Object:
    if namespace and each["kind"] not in _CLUSTER_WIDE:
        each["metadata"]["namespace"] = namespace
    return each
