"""Audio files and clips: decoding, mixing down, resampling, tags and the sandboxed decoder."""
