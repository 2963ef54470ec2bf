"""Tell copies of an image from variants of it, in which parts differ.

`fine` encodes the images, `registration` aligns them, `tone` matches brightness, colour and sharpness, `colours` and
`differences` find the regions that differ, `overlays` finds those that cover content of the other image, and
`judgement` combines the results.
"""
