"""The values that carry arrays compare by content."""

from datetime import UTC, datetime

import numpy as np

from ray_backend.domain.model import Template, new_id

AT = datetime(2026, 3, 2, tzinfo=UTC)


def template(embedding: np.ndarray) -> Template:
    return Template("p", "fake", embedding, 0.5, "upload", AT, template_id="t")


def test_templates_are_equal_when_all_their_parts_are():
    one, same = template(np.ones(3, np.float32)), template(np.ones(3, np.float32))
    assert one == same
    assert hash(one) == hash(same)


def test_templates_with_other_embeddings_differ():
    assert template(np.ones(3, np.float32)) != template(np.zeros(3, np.float32))


def test_a_template_equals_nothing_else():
    assert template(np.ones(3, np.float32)) != "t"


def test_ids_are_new_each_time():
    assert len({new_id() for _ in range(100)}) == 100
