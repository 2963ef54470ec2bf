"""How many candidates a search finds and compares: what it may cost."""

from typing import Final

SEARCHED: Final = 100
"""Images that one search of a vector index returns: the most that SearchVectors does."""

LABEL_SEARCHES: Final = 16
"""Most classes that a search filtered by label asks the index for one by one. Of a kind with more, as `dog` has, only
the nearest `SEARCHED` images of any class are considered."""

FIRST_GLANCE: Final = 16
"""Candidates compared at first, each for one read from S3: all of them at `effort=fast`, and where the first half of
them has near-duplicates and the last half none."""

FIRST_LOOK: Final = 32
"""Candidates compared before a closer look, where the first glance was not enough."""

CLOSER_LOOK: Final = 32
"""Further candidates that a closer look compares at `effort=balanced`."""

CLOSER_LOOK_THOROUGH: Final = 68
"""Further candidates that a closer look compares at `effort=thorough`."""

JUDGED: Final = 8
"""Candidates whose details are compared, those on which most keypoints agree; 0.1 to 0.4 s of one processor each."""

JUDGED_THOROUGH: Final = 16
"""The same at `effort=thorough`."""

ROUNDS: Final = 2
"""How often as many are compared in detail, as long as all of them are copies or variants: a template has many."""

PROMISING: Final = 0.05
"""Coarse probability from which a candidate's details are looked at."""

SAME_BY_FEATURES: Final = 0.6
"""Cosine of features from which an image may be a copy of which the keypoints say nothing, a mirror image or a small
part. 100 photographs mirrored have 0.93 or more under EfficientNet-Lite0, and the nearest of 99 others 0.57 at most."""
