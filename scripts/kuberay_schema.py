"""Makes tests/unit/deploy/kuberay.json from KubeRay's own resource definitions. Needs Go, once an update.

    python -m scripts.kuberay_schema v1.6.2

The definitions are 2 MB, nearly all of it Kubernetes' own pods and services, repeated. Those places are
left open here, and the tests check them with Kubernetes' own schemas. What stays is KubeRay's (Apache License
2.0), without the descriptions; fields that it does not know are not allowed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

MODULE = "github.com/ray-project/kuberay/ray-operator"
KINDS = {"RayService": "rayservices", "RayJob": "rayjobs"}
TARGET = Path(__file__).parent.parent / "tests" / "unit" / "deploy" / "kuberay.json"
# Kubernetes' own, each with the kind that the tests check it as.
KUBERNETES = {
    "template": "PodTemplate",
    "submitterPodTemplate": "PodTemplate",
    "headService": "Service",
    "serveService": "Service",
}


def downloaded(version: str) -> Path:
    """The folder of KubeRay's operator in this version, which Go fetches."""
    answer = subprocess.run(
        ["go", "mod", "download", "-json", f"{MODULE}@{version}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(json.loads(answer.stdout)["Dir"])


def strict(schema: dict[str, Any], name: str = "") -> dict[str, Any]:
    """The schema without descriptions and Kubernetes' parts, and with all fields named."""
    if name in KUBERNETES:
        return {"type": "object", "x-checked-as": KUBERNETES[name]}
    kept = {
        key: value
        for key, value in schema.items()
        if key in {"type", "enum", "minimum", "maximum", "minItems", "required", "default", "pattern"}
        or key in {"maxItems", "anyOf", "x-kubernetes-int-or-string"}
    }
    if "properties" in schema:
        kept["properties"] = {field: strict(each, field) for field, each in schema["properties"].items()}
        kept["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = strict(schema["additionalProperties"])
    if "items" in schema:
        kept["items"] = strict(schema["items"])
    return kept


def kind_schema(folder: Path, plural: str) -> dict[str, Any]:
    """What somebody may write in an object of this kind: all but its status."""
    text = (folder / "config" / "crd" / "bases" / f"ray.io_{plural}.yaml").read_text()
    versions = yaml.load(text, Loader=yaml.CSafeLoader)["spec"]["versions"]
    (served,) = (each for each in versions if each["name"] == "v1")
    schema = strict(served["schema"]["openAPIV3Schema"])
    schema["properties"].pop("status", None)
    schema["properties"]["metadata"] = {"type": "object"}
    schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return schema


def main() -> None:
    """Writes the file anew."""
    (version,) = sys.argv[1:]
    folder = downloaded(version)
    schemas = {kind: kind_schema(folder, plural) for kind, plural in KINDS.items()}
    found = {"origin": f"{MODULE} {version}, Apache License 2.0; made by scripts/kuberay_schema.py"} | schemas
    TARGET.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
