"""Words for sound: naming what a clip contains, and finding tracks by a description."""
