"""The budget of a search: how many candidates it finds and compares."""

from typing import Final

SEARCHED: Final = 100
"""Images that one search of a vector index returns: the maximum of SearchVectors."""

LABEL_SEARCHES: Final = 16
"""Maximum number of classes for which a search filtered by label queries the index one by one. If a label has more
classes, as `dog` does, only the nearest `SEARCHED` images of any class are considered."""

FIRST_BATCH: Final = 8
"""Candidates compared first at `effort=balanced`, at one read from S3 each. The search stops here if the first half of
the batch has near-duplicates and the second half has none."""

FAST_PASS: Final = 12
"""Candidates compared at `effort=fast`."""

FIRST_PASS: Final = 20
"""Candidates compared in the first pass at `effort=balanced`, if the first batch was not enough: of 760 copies in 38
ways, each has the rank and the verdict that it has with 32."""

FIRST_PASS_THOROUGH: Final = 32
"""The same at `effort=thorough`."""

SECOND_PASS: Final = 32
"""Further candidates that the second pass compares at `effort=balanced`."""

SECOND_PASS_THOROUGH: Final = 68
"""Further candidates that the second pass compares at `effort=thorough`."""

SIGNATURES_KEPT: Final = 512
"""Maximum number of unpacked signatures that a process caches where each read is a request, about 133 KB each."""

PANE_CANDIDATES: Final = 2
"""Candidates more in the second pass for each pane of a collage (`shared.vision.panes`)."""

JUDGED: Final = 8
"""Candidates whose details are compared: those with the most inliers. Each takes 0.1 to 0.4 s of processor time."""

JUDGED_THOROUGH: Final = 16
"""The same at `effort=thorough`."""

LONG_JUDGED: Final = 3
"""Panoramas and scrolling screenshots among them, whatever their keypoints say: few lie in a small part of them."""

ROUNDS: Final = 2
"""How often as many are compared in detail, as long as all of them are copies or variants: a template has many."""

PROMISING: Final = 0.05
"""Least coarse probability at which a candidate's details are compared."""

SAME_BY_FEATURES: Final = 0.6
"""Cosine of features from which an image may be a copy whose keypoints show nothing: a mirror image, or a small part.
100 photographs and their mirror images have 0.93 or more under EfficientNet-Lite0, and the nearest of 99 others at most
0.57."""

LOOK_ALIKES: Final = 2
"""Candidates of which only the features say that they may be copies, compared in detail: those with the largest
cosines. In a collection of one kind of thing every image looks like every other one, and details take 0.1 s each. Of
20 mirror images among 60 such images, the original has one of the two largest cosines; among photographs, always the
largest."""
