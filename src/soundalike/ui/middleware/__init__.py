"""What stands between the network and Streamlit: limits, headers, and the server's end."""
