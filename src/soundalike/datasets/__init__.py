"""Sources of tracks: folders, tables and the Free Music Archive."""
