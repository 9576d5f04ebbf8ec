"""The packs' default thresholds are what the bench measures on labelled photos."""

from __future__ import annotations

from functools import cache

import pytest

from bench.accuracy import photos
from bench.accuracy.pairs import Pairs, compare
from bench.plain import open_with
from ray_backend.services.confidence import threshold_for
from ray_backend.settings import Settings
from ray_backend.vision import calibration
from ray_backend.vision.packs import find_pack
from tests import faces

pytestmark = faces.needs_shared

PACKS = {"dlib-resnet": calibration.DLIB_RESNET, "edge": calibration.FOLDER}


@cache
def pairs(pack: str, bfloat16: bool = True) -> Pairs:
    choice = find_pack(Settings(pack=str(faces.EDGE_PACK) if pack == "edge" else pack))
    engine = open_with(choice, bfloat16=bfloat16)
    assert engine.pack.threshold == PACKS[pack].threshold
    found, _ = photos.find(photos.read([faces.FACES]), engine)
    return compare(found)


@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("pack", PACKS)
def test_what_the_threshold_rests_on_can_be_measured_again(pack, bfloat16):
    found, stated = pairs(pack, bfloat16), PACKS[pack].measured
    wrong = found.false_matches(PACKS[pack].threshold)

    # Another version of a library may find a face more or less.
    assert found.people_pairs == pytest.approx(stated.people_pairs, rel=0.02)
    assert wrong.errors == pytest.approx(stated.false_matches, abs=0.01)
    assert wrong.high == pytest.approx(stated.fmr_at_most, rel=0.03)
    # bfloat16, where the processor has it, moves a similarity by some thousandths.
    assert found.closest[0][0] == pytest.approx(stated.closest, abs=0.006 if bfloat16 else 0.001)
    assert found.photo_non_matches(PACKS[pack].threshold) == pytest.approx(stated.refused, abs=0.01)
    assert found.false_non_matches(PACKS[pack].threshold).rate == pytest.approx(
        stated.refused_by_person, abs=0.003
    )


def test_dlibs_threshold_vouches_for_one_per_cent_and_hardly_refuses_more_than_that_needs():
    choice = threshold_for(pairs("dlib-resnet").impostor, pairs("dlib-resnet").people_pairs, 0.01)

    assert choice.safe <= calibration.DLIB_RESNET.threshold <= choice.safe + 0.005


def test_no_photos_here_can_vouch_for_one_in_a_thousand():
    for pack in PACKS:
        assert threshold_for(pairs(pack).impostor, pairs(pack).people_pairs, 0.001) is None
