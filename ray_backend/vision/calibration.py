"""From which cosine similarity two embeddings of a pack count as one person.

Measured with these engines on labelled public photos: every pair of different people that can be told
for certain (seven enrolled people, another in 29 photos, six actors in one photo, strangers, people
side by side in a group photo), and every pair of one person.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Calibration:
    """`threshold` and `margin` as in `Pack`."""

    threshold: float
    margin: float


# 3,578 pairs of different people: highest 0.936 (two lookalikes side by side), next 0.933 and 0.929,
# 99 % below 0.908. 485 pairs of one person: lowest 0.919, median 0.960, 14 % below 0.945. The scale
# is narrow and the two overlap, so this pack rather misses somebody than takes one for another. dlib's
# own limit, a distance of 0.6 before normalisation, corresponds to about 0.926.
DLIB_RESNET = Calibration(threshold=0.945, margin=0.01)

# 5,459 pairs of different people (MobileFaceNet, 128 numbers): highest 0.507 (the same two
# lookalikes), next 0.397 and 0.341, 99.9 % below 0.334. 485 pairs of one person: lowest 0.252, median
# 0.673, 5 % below 0.45. Taken for every folder that does not state its own.
FOLDER = Calibration(threshold=0.45, margin=0.05)

# Provisional for insightface's named packs, whose weights could not be had where this was measured.
# For buffalo_l others published: five people in one photo 0.35 and less (cosanlab/py-feat, pull request
# 284); between strangers of one ethnic group at most 6 in 10,000 above 0.50 (archledger/irlume,
# docs/recognition-results).
NAMED = Calibration(threshold=0.45, margin=0.05)
