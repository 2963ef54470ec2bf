"""The networks for faces, exported where images are built."""
