"""Where tracks come from: folders, tables and the Free Music Archive."""
