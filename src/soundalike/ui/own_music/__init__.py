"""Indexing a folder of the server's from a page of the app."""
