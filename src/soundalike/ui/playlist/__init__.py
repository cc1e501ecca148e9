"""Parts of the Recommend page that make a playlist."""
