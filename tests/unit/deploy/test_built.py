"""The overlays are what kustomize makes of them, and as Kubernetes and KubeRay want their objects."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.unit.deploy import kustomized, published
from tests.unit.deploy.kustomized import K8S, OVERLAYS, Object, by_kustomize, named, plainly, same
from tests.unit.test_architecture import ROOT

needs_kustomize = pytest.mark.skipif(
    not kustomized.command(), reason="neither kustomize nor kubectl is installed; docs/kubernetes.md says how"
)


@needs_kustomize
@pytest.mark.parametrize("name", OVERLAYS)
def test_kustomize_builds_the_same(k8s: Path, name: str) -> None:
    folder = k8s / "overlays" / name
    assert same(plainly(folder)) == same(by_kustomize(folder))


@needs_kustomize
def test_kustomize_builds_nothing_without_secrets(k8s: Path, tmp_path: Path) -> None:
    shutil.copytree(k8s, tmp_path / "k8s")
    (tmp_path / "k8s" / "base" / "secrets.env").unlink()
    with pytest.raises(subprocess.CalledProcessError) as refused:
        by_kustomize(tmp_path / "k8s" / "overlays" / "cpu")
    assert "secrets.env" in refused.value.stderr


@needs_kustomize
def test_an_image_of_ones_own_is_named_once(k8s: Path, tmp_path: Path) -> None:
    shutil.copytree(k8s, tmp_path / "k8s")
    file = tmp_path / "k8s" / "overlays" / "cpu" / "kustomization.yaml"
    text = file.read_text().replace("newName: rollcall", "newName: registry.example.org/rollcall")
    file.write_text(text.replace("newTag: dev", "newTag: 1.2.3"))
    text = yaml.safe_dump_all(by_kustomize(file.parent))
    assert text.count("image: registry.example.org/rollcall:1.2.3") == 5
    assert "image: rollcall:" not in text


@needs_kustomize
def test_what_the_page_says_about_names_of_ones_own_works(k8s: Path, tmp_path: Path) -> None:
    shutil.copytree(k8s, tmp_path / "k8s")
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "kubernetes.md").read_text(), re.DOTALL)
    file = tmp_path / "k8s" / "overlays" / "cpu" / "kustomization.yaml"
    file.write_text(file.read_text().partition("images:")[0] + example)
    built = by_kustomize(file.parent)
    hosts = ["rollcall.your.site", "rollcall-api.your.site"]
    ingress = named(built, "Ingress", "rollcall")["spec"]
    assert [rule["host"] for rule in ingress["rules"]] == ingress["tls"][0]["hosts"] == hosts
    assert "image: registry.example.org/rollcall:1.0" in yaml.safe_dump_all(built)
    assert not any(published.problems(each) for each in built)


def test_every_object_is_as_published(overlay: list[Object]) -> None:
    wrong = {each["metadata"]["name"]: published.problems(each) for each in overlay}
    assert not {name: found for name, found in wrong.items() if found}


def test_the_import_is_as_published() -> None:
    assert not published.problems(yaml.safe_load((K8S / "import" / "job.yaml").read_text()))


def _rename(place: Object, old: str, new: str) -> None:
    place[new] = place.pop(old)


BREAKS: dict[str, tuple[str, str, Callable[[Object], object]]] = {
    "unknown field of KubeRay": (
        "RayService",
        "rollcall",
        lambda it: _rename(it["spec"]["rayClusterConfig"], "headGroupSpec", "headGroup"),
    ),
    "wrong upgrade strategy type": (
        "RayService",
        "rollcall",
        lambda it: it["spec"]["upgradeStrategy"].update(type=7),
    ),
    "unknown authentication": (
        "RayService",
        "rollcall",
        lambda it: it["spec"]["rayClusterConfig"]["authOptions"].update(mode="password"),
    ),
    "number where KubeRay wants text": (
        "RayService",
        "rollcall",
        lambda it: it["spec"]["rayClusterConfig"]["headGroupSpec"]["rayStartParams"].update({"num-cpus": 0}),
    ),
    "unknown field of a pod within KubeRay's object": (
        "RayService",
        "rollcall",
        lambda it: it["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["template"]["spec"].update(node="a"),
    ),
    "misspelt metadata": ("RayService", "rollcall", lambda it: _rename(it["metadata"], "name", "Name")),
    "unknown field of Kubernetes": ("Deployment", "app", lambda it: it["spec"].update(replica=1)),
    "wrong type": ("Service", "app", lambda it: it["spec"]["ports"][0].update(port="many")),
    "missing selector": ("StatefulSet", "mongodb", lambda it: it["spec"].pop("selector")),
    "unknown policy": ("NetworkPolicy", "app", lambda it: it["spec"].update(allow=[])),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_not_as_published_is_found(base: list[Object], name: str) -> None:
    kind, of, damage = BREAKS[name]
    thing = named(base, kind, of)
    assert not published.problems(thing)
    damage(thing)
    assert published.problems(thing)
