"""Tell copies of an image from variants of it, in which parts differ.

`fine` encodes the images, `geometry` and `registration` align them, with `voting` and `templates` where keypoints find
too little, `tone` matches brightness, colour and sharpness, `colours` and `differences` find the regions that differ,
`overlays` those that cover content of the other image, and `judgement` combines the results. `sides`, `layers`,
`patches` and `crossings` describe a region that may be an overlay, `pages` says which images consist of letters and
lines.
"""
