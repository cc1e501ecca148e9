"""Why two clips sound alike, what a dimension responds to, and what Anatomy shows."""
