"""Components of the Anatomy page."""
