"""The API for other programs: what `soundalike serve` answers."""
