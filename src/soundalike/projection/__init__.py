"""Two-dimensional maps of an index."""
