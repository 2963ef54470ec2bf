"""The functions' container image, checked and pinned without building it."""
