"""The local run side by side with the build of November 2026, which the targets of speed refer to."""
