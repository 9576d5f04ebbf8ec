"""From which cosine similarity two embeddings of a pack count as one person.

The thresholds come from `python -m bench.accuracy` on labelled public photos: 14 people known by name (seven
with two photos or more, one of them with 29), and strangers of whom only those on one photo, and named
people, can be told apart for certain. Trials are people and pairs of people, intervals are Clopper and
Pearson's with 95 % confidence. So few pairs vouch for a false match rate of about 1 % and for no lower one:
for that, measure on your own people (the page *Calibration*). `tests/contract/test_accuracy.py` measures
again and compares.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """What a threshold rests on.

    `false_matches` of `people_pairs` pairs of different people reach it, so the false match rate is at most
    `fmr_at_most` (95 %). The most similar pair of different people has `closest`. `refused` is the share of
    pairs of photos of one person that stay below, `refused_by_person` the same with every person counted
    once.
    """

    people_pairs: int
    false_matches: int
    fmr_at_most: float
    closest: float
    refused: float
    refused_by_person: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """`threshold` and `margin` as in `Pack`; `measured` is None where the weights could not be had."""

    threshold: float
    margin: float
    measured: Measured | None = None


# The lowest threshold that vouches for a false match rate of 1 % is 0.936, a hair above the closest pair
# (two look-alikes side by side); 0.94 leaves a little room. 0.945 has no more to show for it and refuses
# half as many photos again (15 %), and of single frames of a man who moves and talks on a film 4 of 18
# instead of 2. The scale is narrow: 99 % of the pairs of different people stay below 0.906, half of the
# pairs of one person below 0.959. The margin refused nobody in a gallery of 1,000. dlib's own limit, a
# distance of 0.6 before normalisation, corresponds to about 0.926.
DLIB_RESNET = Calibration(
    threshold=0.94,
    margin=0.01,
    measured=Measured(
        people_pairs=429, false_matches=0, fmr_at_most=0.0086, closest=0.936,
        refused=0.095, refused_by_person=0.0144,
    ),
)  # fmt: skip

# Taken for every folder that does not state its own; measured with MobileFaceNet (128 numbers). The one false
# match is the same two look-alikes, the next pair has 0.340, and 99 % stay below 0.246. To vouch for 1 % it
# would have to lie above those two, at 0.507, where it refuses twice as many photos (11 %), and 6 of 19
# frames of the film instead of 3. The margin refused nobody in a gallery of 1,000.
FOLDER = Calibration(
    threshold=0.45,
    margin=0.05,
    measured=Measured(
        people_pairs=462, false_matches=1, fmr_at_most=0.012, closest=0.507,
        refused=0.0534, refused_by_person=0.0081,
    ),
)  # fmt: skip

# Provisional for insightface's named packs, whose weights could not be had where this was measured.
# For buffalo_l others published: five people in one photo 0.35 and less (cosanlab/py-feat, pull request
# 284); between strangers of one ethnic group at most 6 in 10,000 above 0.50 (archledger/irlume,
# docs/recognition-results).
NAMED = Calibration(threshold=0.45, margin=0.05)
