"""Content-based music recommendation: one clip in, music that sounds alike out, from the audio alone."""

__version__ = "0.1.0"
