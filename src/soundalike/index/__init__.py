"""The index of a library: storage and search."""
