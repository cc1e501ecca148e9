"""The mode for showing the app to a room, and the listening test that a room takes together."""
