"""The API as KubeRay starts it, by the configuration that lies in deploy/k8s."""

from __future__ import annotations

import time

import httpx2
import pytest
import yaml
from ray import serve
from ray.serve.context import _get_global_client
from ray.serve.schema import ServeDeploySchema

from ray_backend import client
from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.permissions import Role
from ray_backend.serving import cluster, deployment, handles, kubernetes
from ray_backend.serving.names import CLUSTER_ACTOR, DATABASE_ACTOR, REPORT_ACTOR
from tests.cluster.conftest import site_settings
from tests.people import face_photo
from tests.unit.deploy.kustomized import K8S

START_S = 120.0


@pytest.fixture
def settings(ray_address, api_port, tmp_path):
    """Of a site at the port that Serve has on this Ray."""
    return site_settings(tmp_path, ray_address, api_port=api_port)


@pytest.fixture
def configuration(settings) -> ServeDeploySchema:
    """KubeRay's, for this Ray: with what a pod has in its environment."""
    service = yaml.safe_load((K8S / "base" / "ray.yaml").read_text())
    wanted = yaml.safe_load(service["spec"]["serveConfigV2"])
    wanted["http_options"] = {"host": settings.api_address, "port": settings.api_port}
    told = {
        "ROLLCALL_DATA_DIR": str(settings.data_dir),
        "ROLLCALL_STORE": settings.store,
        "ROLLCALL_PACK": settings.pack,
        "ROLLCALL_RAY_ADDRESS": "auto",
        "ROLLCALL_ACTORS": "1",
        "ROLLCALL_ADMIN_PASSWORD": "open sesame, please",
    }
    wanted["applications"][0]["runtime_env"] = {"env_vars": told}
    return ServeDeploySchema.model_validate(wanted)


def test_serve_starts_everything_by_itself(settings, configuration):
    deployment.start_serve(settings)
    _get_global_client().deploy_apps(configuration)
    try:
        wait_until_running()
        assert {DATABASE_ACTOR, REPORT_ACTOR, CLUSTER_ACTOR} <= set(handles.actor_names())
        backend = client.ray_backend(settings)
        assert backend.sign_ins.sign_in("admin", "open sesame, please")
        key = backend.access.issue_key("tests", role=Role.ADMIN, actor="test")
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "image/jpeg"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{settings.api_port}", timeout=30) as http:
            assert http.get("/health/ready").json() == {"status": "ready"}
            answer = http.post("/recognize", content=face_photo(1), headers=headers).json()
        assert [face["decision"] for face in answer["faces"]] == ["unknown"]
    finally:
        # As after other tests of the API: the application stays until the next one of its name.
        cluster.stop_actors()


def wait_until_running() -> None:
    """Raises AssertionError when the application could not be started."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        status = serve.status().applications.get(deployment.APP_NAME)
        assert status is None or status.status != "DEPLOY_FAILED", status.message
        if status is not None and status.status == "RUNNING" and DATABASE_ACTOR in handles.actor_names():
            return
        time.sleep(0.2)
    raise AssertionError(f"not running after {START_S} seconds: {status}")


def test_settings_in_serve_s_arguments_are_refused():
    with pytest.raises(InvalidInput, match="pack"):
        kubernetes.app({"pack": "buffalo_l"})
