"""People: the faces of images, and the persons that they belong to."""
