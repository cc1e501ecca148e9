"""The app's building blocks: the only package that imports Streamlit."""
