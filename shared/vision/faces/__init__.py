"""Faces: found, aligned and embedded by networks in LiteRT."""
