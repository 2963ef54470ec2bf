"""Measure the quality of an image file: real resolution, sharpening, noise, compression, origin."""
