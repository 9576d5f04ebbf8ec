"""How many replicas of the API Serve is told to keep, and where."""

from __future__ import annotations

import pytest

from ray_backend.serving.deployment import application
from ray_backend.serving.names import RECORDS_RESOURCE
from ray_backend.settings import Settings


def deployment(**settings):
    return application(Settings(store="memory", **settings))._bound_deployment


@pytest.mark.parametrize(
    ("settings", "number"),
    [
        ({}, 1),
        ({"api_replicas": 3}, 3),
        ({"api_replicas": 3, "api_replicas_max": 2}, 3),
        ({"api_replicas": 2, "api_replicas_max": 2}, 2),
    ],
)
def test_a_fixed_number(settings, number):
    made = deployment(**settings)
    assert made.num_replicas == number
    assert made._deployment_config.autoscaling_config is None


def test_limits_are_kept_to_by_the_number_of_requests_under_way():
    limits = deployment(api_replicas=2, api_replicas_max=5)._deployment_config.autoscaling_config
    assert (limits.min_replicas, limits.max_replicas) == (2, 5)
    assert limits.get_target_ongoing_requests() == 32


def test_replicas_stay_on_the_node_of_the_records():
    options = deployment().ray_actor_options
    assert options["num_cpus"] == 0
    assert 0 < options["resources"][RECORDS_RESOURCE] < 0.01
