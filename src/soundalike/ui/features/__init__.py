"""Parts of the Features page."""
