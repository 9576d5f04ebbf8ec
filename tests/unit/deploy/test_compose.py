"""docker-compose.ray.yml: what it publishes, whom it trusts, and that nothing starts without own secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer.main
import yaml

from ray_backend.cli import app

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.ray.yml").read_text())
SERVICES = COMPOSE["services"]
EXAMPLE = dict(
    line.partition("=")[::2]
    for line in (ROOT / ".env.example").read_text().splitlines()
    if line and not line.startswith("#")
)
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY$|_STORE$")
every_service = pytest.mark.parametrize("name", SERVICES)


def texts(value) -> list[str]:
    """All strings of a part of the file."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [str(value)]


def test_the_services_are_these():
    always = {name for name, service in SERVICES.items() if not service.get("profiles")}
    assert always == {"mongodb", "ray-head", "ray-worker", "app", "prometheus", "grafana"}
    assert SERVICES["caddy"]["profiles"] == ["tls"]
    assert SERVICES["coturn"]["profiles"] == ["turn"]


@every_service
def test_no_secret_stands_in_the_file(name):
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(variable):
            rest = re.sub(r"\$\{[A-Z_]+(:\?[^}]*|:-)?\}", "", str(value))
            assert rest in ("", "mongodb://rollcall:@mongodb:27017/rollcall?replicaSet=rs0"), variable


def test_each_secret_that_is_asked_for_is_in_the_example_and_empty_there():
    asked = {name for text in texts(COMPOSE) for name in re.findall(r"\$\{([A-Z_]+):\?", text)}
    assert asked == {
        "RAY_AUTH_TOKEN",
        "MONGODB_ROOT_PASSWORD",
        "MONGODB_PASSWORD",
        "ROLLCALL_ADMIN_PASSWORD",
        "ROLLCALL_API_MONITOR_KEY",
        "GRAFANA_ADMIN_PASSWORD",
    }
    assert {EXAMPLE[name] for name in asked} == {""}


def test_the_example_sets_nothing_that_the_file_does_not_read():
    read = {name for text in texts(COMPOSE) for name in re.findall(r"\$\{([A-Z_]+)", text)}
    assert set(EXAMPLE) <= read


def test_what_is_published_and_where():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "ray-head": [
            "${ROLLCALL_PUBLISH:-127.0.0.1}:${ROLLCALL_API_PORT:-8000}:8000",
            "127.0.0.1:${RAY_DASHBOARD_PORT:-8265}:8265",
        ],
        "app": ["${ROLLCALL_PUBLISH:-127.0.0.1}:${ROLLCALL_PORT:-8501}:8501"],
        "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"],
        "caddy": ["80:80", "443:443", "8443:8443"],
        "coturn": ["3478:3478/udp", "3478:3478/tcp"],
    }


@every_service
def test_a_service_is_watched_comes_back_and_has_limits(name):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")
    assert service.get("network_mode") is None


@every_service
def test_an_image_is_ours_or_pinned(name):
    image = SERVICES[name]["image"]
    if "build" in SERVICES[name]:
        assert image == "rollcall:${ROLLCALL_VERSION:-dev}"
    else:
        assert re.fullmatch(r"docker\.io/[a-z0-9-]+/[a-z0-9-]+:v?\d+\.\d+[\w.-]*", image)


def test_all_nodes_and_clients_of_ray_share_its_token():
    for name in ("ray-head", "ray-worker", "app"):
        environment = SERVICES[name]["environment"]
        assert environment["RAY_AUTH_MODE"] == "token"
        assert environment["RAY_AUTH_TOKEN"].startswith("${RAY_AUTH_TOKEN:?")


def test_only_the_head_reaches_the_database_and_knows_its_password():
    assert {name for name, service in SERVICES.items() if "records" in service["networks"]} == {
        "mongodb",
        "ray-head",
    }
    assert COMPOSE["networks"]["records"] == {"internal": True}
    knowing = {name for name, service in SERVICES.items() if "MONGODB_PASSWORD" in str(service)}
    assert knowing == {"mongodb", "ray-head"}


def test_the_app_is_outside_the_cluster():
    assert SERVICES["app"]["environment"]["RAY_ADDRESS"] == "ray://ray-head:10001"
    assert SERVICES["app"]["command"] == ["app"]


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "build" in service])
def test_a_command_is_one_that_rollcall_knows(name):
    words = [re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", word) for word in SERVICES[name]["command"]]
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)  # would refuse an option that it does not know


@every_service
def test_what_a_service_mounts_of_the_project_is_there(name):
    for volume in SERVICES[name].get("volumes", []):
        source, *_, mode = volume.split(":")
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
            assert mode == "ro"
        elif not source.startswith("$"):
            assert source in COMPOSE["volumes"]


def test_graphics_cards_come_on_top_and_only_for_workers():
    gpu = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text())["services"]
    assert set(gpu) == {"ray-head", "ray-worker"}
    assert gpu["ray-worker"]["build"]["args"]["ACCELERATOR"] == "gpu"
    assert gpu["ray-worker"]["image"] == "rollcall:${ROLLCALL_VERSION:-dev}-gpu"
    assert "image" not in gpu["ray-head"]


def test_git_never_takes_the_secrets():
    for name in (".env", "rollcall.env"):
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("script", "variables", "said"),
    [
        ("mongodb-start.sh", {}, "MONGO_INITDB_ROOT_PASSWORD has to be 16 or more letters and digits"),
        (
            "mongodb-start.sh",
            {
                "MONGO_INITDB_ROOT_PASSWORD": "a" * 24,
                "ROLLCALL_MONGODB_PASSWORD": "p@ss:word/24-characters",
            },
            "ROLLCALL_MONGODB_PASSWORD has to be",
        ),
        ("coturn-start.sh", {}, "ROLLCALL_TURN_SECRET in .env is missing or too short"),
        ("coturn-start.sh", {"ROLLCALL_TURN_SECRET": "short"}, "ROLLCALL_TURN_SECRET in .env is missing"),
    ],
)
def test_a_start_without_a_good_secret_is_refused_in_words(script, variables, said):
    done = subprocess.run(
        ["bash", str(ROOT / "deploy" / "compose" / script)],
        env={"PATH": "/usr/bin:/bin"} | variables,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 1
    assert said in done.stderr


def test_coturn_is_told_to_pass_streams_to_the_app_alone(tmp_path):
    for name, does in {"getent": 'echo "10.89.0.7  app"', "turnserver": 'echo "$@"; cat "$2"'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    secret = "0123456789abcdef"
    done = subprocess.run(
        ["sh", str(ROOT / "deploy" / "compose" / "coturn-start.sh")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "ROLLCALL_TURN_SECRET": secret},
        stdout=(tmp_path / "said").open("w"),
        timeout=10,
    )
    said = (tmp_path / "said").read_text().splitlines()
    assert done.returncode == 0
    assert said[0].startswith("-c "), "-n would leave the file unread"
    assert f"static-auth-secret={secret}" in said
    assert "use-auth-secret" in said
    assert [line for line in said if "peer-ip" in line] == [
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "allowed-peer-ip=10.89.0.7",
    ]
