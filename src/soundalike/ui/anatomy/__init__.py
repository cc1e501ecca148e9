"""Parts of the Anatomy page."""
