"""What the app's server and the API's have in common: limits on requests, and the server's end."""
