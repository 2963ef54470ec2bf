"""Whether two images are copies of each other, or share a base of which parts differ.

`fine` keeps what is compared, `registration` lays one image over the other, `tone` takes their brightness, colour and
sharpness to each other, `differences` finds where they disagree, `overlays` says which of that was laid over one of
them, and `judgement` puts it together.
"""
