"""Nothing in Kubernetes starts without secrets of its own."""

from __future__ import annotations

import base64
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.unit.deploy.kustomized import K8S, Object, env_file, named
from tests.unit.deploy.pods import pods
from tests.unit.test_architecture import ROOT

EXAMPLE = K8S / "base" / "secrets.env.example"
CHECK = K8S / "base" / "scripts" / "check-secrets.sh"


def _checked(values: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", CHECK, *names], env=values, capture_output=True, text=True, check=False)


def test_the_example_has_every_secret_and_no_value() -> None:
    names = set(env_file(EXAMPLE))
    assert set(env_file(EXAMPLE).values()) == {""}
    theirs = {name for name in env_file(ROOT / ".env.example") if re.search("PASSWORD|TOKEN|_KEY", name)}
    # KubeRay reads the token under a name of its own, and Grafana is not among these objects.
    assert names - {"auth_token"} == theirs - {"RAY_AUTH_TOKEN", "GRAFANA_ADMIN_PASSWORD"}


def test_secrets_are_never_committed() -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", "-q", "--no-index", "deploy/k8s/base/secrets.env"], cwd=ROOT, check=False
    )
    assert ignored.returncode == 0
    known = subprocess.run(
        ["git", "ls-files", "deploy/k8s"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "deploy/k8s/base/secrets.env" not in known.stdout.split()


def test_made_secrets_are_good_and_private_and_each_time_others(k8s: Path, tmp_path: Path) -> None:
    shutil.copytree(k8s, tmp_path / "k8s")
    file = tmp_path / "k8s" / "base" / "secrets.env"
    first = env_file(file)
    kept = subprocess.run([tmp_path / "k8s" / "make-secrets"], capture_output=True, text=True, check=False)
    assert kept.returncode == 1
    assert "left as it is" in kept.stderr
    assert env_file(file) == first
    file.unlink()
    subprocess.run([tmp_path / "k8s" / "make-secrets"], check=True, capture_output=True)
    second = env_file(file)
    assert first.keys() == second.keys() == env_file(EXAMPLE).keys()
    assert not set(first.values()) & set(second.values())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert _checked(second, *second).returncode == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "is missing"),
        ("short", "is missing or has fewer than 16"),
        ("0123456789@:/?0123456789", "other characters"),
        ("0123456789\n0123456789", "other characters"),
    ],
)
def test_bad_secrets_are_refused_by_name(value: str, words: str) -> None:
    good = {"MONGODB_PASSWORD": "0123456789abcdef"}
    assert _checked(good, *good).returncode == 0
    refused = _checked(good | {"RAY_AUTH_TOKEN": value}, "MONGODB_PASSWORD", "RAY_AUTH_TOKEN")
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "RAY_AUTH_TOKEN" in refused.stderr
    assert "MONGODB_PASSWORD" not in refused.stderr


def test_a_secret_that_is_not_set_at_all_is_refused() -> None:
    assert _checked({}, "RAY_AUTH_TOKEN").returncode == 1


def test_every_secret_is_looked_at_before_its_pod_starts(overlay: list[Object]) -> None:
    """Also: none stands in the open. A worker gets the token from KubeRay, which the head has looked at."""
    secrets = named(overlay, "Secret", "rollcall-secrets")["data"]
    looked_at: set[str] = set()
    for each in pods(overlay):
        for check in (one for one in each.spec.get("initContainers", ()) if one["name"] == "check-secrets"):
            given = {one["name"]: one["valueFrom"]["secretKeyRef"]["key"] for one in check["env"]}
            assert set(check["command"][2:]) == set(given)
            looked_at |= set(given.values())
    assert looked_at == set(secrets)
    for thing in (one for one in overlay if one["kind"] != "Secret"):
        assert not any(base64.b64decode(value).decode() in str(thing) for value in secrets.values())
