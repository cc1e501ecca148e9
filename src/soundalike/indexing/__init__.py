"""Building an index from a library: extraction, workers, checkpoints."""
