"""Kubernetes' and KubeRay's published schemas, all fields known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import referencing
from kubernetes_validate.utils import schema_contents

KUBERNETES = "1.37.0"
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
    validator = _validator(thing["kind"], thing["apiVersion"])
    return [f"{thing['kind']} {error.json_path}: {error.message}" for error in validator.iter_errors(thing)]


@cache
def _validator(kind: str, api_version: str) -> jsonschema.protocols.Validator:
    """As `kubernetes_validate.validate` makes it, but not anew for each object. Raises FileNotFoundError."""
    version = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = _content(f"{kind.lower()}-{version}.json")
    registry = referencing.Resource.from_contents(schema) @ _definitions()
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def _definitions() -> referencing.Registry:
    return referencing.Resource.from_contents(_content("_definitions.json")) @ referencing.Registry()


def _content(name: str) -> dict[str, Any]:
    return schema_contents(f"kubernetes-json-schema/v{KUBERNETES}-local-strict/{name}", KUBERNETES)


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
