"""What is stored of a library, and how it is searched."""
