"""From a query to a playlist, a journey or a blend, and playlist files."""
