"""Texts, lessons and charts of the About page."""
