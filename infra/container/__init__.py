"""Check the functions' container image and pin its base images, without building it."""
