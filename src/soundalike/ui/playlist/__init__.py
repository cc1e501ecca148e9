"""Playlist controls and state of the Recommend page."""
