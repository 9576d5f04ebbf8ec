"""Kubernetes' and KubeRay's published schemas, all fields known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate

KUBERNETES = "1.37"
_KUBERAY = json.loads(Path(__file__).with_name("kuberay.json").read_text())


def problems(thing: dict[str, Any]) -> list[str]:
    """What the schema of its kind has against the object."""
    if not thing["apiVersion"].startswith("ray.io/"):
        return _of_kubernetes(thing)
    schema = _KUBERAY[thing["kind"]]
    found = [
        f"{error.json_path}: {error.message}"
        for error in jsonschema.Draft202012Validator(schema).iter_errors(thing)
    ]
    found += _of_kubernetes({"apiVersion": "v1", "kind": "ConfigMap", "metadata": thing["metadata"]})
    for kind, part in _parts(schema, thing):
        found += _of_kubernetes(_wrapped(kind, part))
    return found


def _of_kubernetes(thing: dict[str, Any]) -> list[str]:
    try:
        kubernetes_validate.validate(thing, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{thing['kind']} {'.'.join(map(str, error.path))}: {error.message}"]
    return []


def _parts(schema: dict[str, Any], thing: Any) -> Iterator[tuple[str, Any]]:
    """What the schema leaves to Kubernetes, with the kind that it is checked as."""
    if kind := schema.get("x-checked-as"):
        yield kind, thing
    elif isinstance(thing, dict):
        for field, value in thing.items():
            if field in schema.get("properties", {}):
                yield from _parts(schema["properties"][field], value)
    elif isinstance(thing, list):
        for each in thing:
            yield from _parts(schema.get("items", {}), each)


def _wrapped(kind: str, part: dict[str, Any]) -> dict[str, Any]:
    if kind == "PodTemplate":
        return {"apiVersion": "v1", "kind": kind, "metadata": {}, "template": part}
    return part | {"apiVersion": "v1", "kind": kind}
