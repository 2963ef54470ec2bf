"""The version of PicTrace, defined here alone."""

from typing import Final

VERSION: Final = "0.1.0"
"""Semantic version. A release changes it together with CHANGELOG.md."""
