"""Soundalike's entry point: `streamlit run app.py`."""

import streamlit as st

from soundalike.ui import origins, server

origins.disable_address_lookup()
st.set_page_config(page_title="Soundalike", page_icon="assets/icon.png", layout="wide")
st.navigation(
    [
        st.Page("pages/recommend.py", title="Recommend", icon=":material/queue_music:", default=True),
        st.Page("pages/anatomy.py", title="Anatomy", icon=":material/graphic_eq:"),
        st.Page("pages/map.py", title="Map", icon=":material/scatter_plot:"),
        st.Page("pages/features.py", title="Features", icon=":material/tune:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/balance:"),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ],
    position="top",
).run()
server.tune_process()
server.warm_up()
