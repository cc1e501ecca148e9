"""Soundalike's entry point: `streamlit run app.py`.

The server imports this file once, for the app and what guards it. For every visitor it then runs it
again, as the script that shows the pages.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from soundalike.ui import origins

origins.disable_address_lookup()

if get_script_run_ctx(suppress_warning=True) is None:
    from soundalike.ui.middleware import guard

    app = st.App(__file__, middleware=guard.MIDDLEWARE, lifespan=guard.lifespan)
else:
    from soundalike.ui import player, server
    from soundalike.ui.present import bar

    # The icon comes before the navigation: browsers would load a page's from another site.
    st.set_page_config(page_icon="assets/icon.png", layout="wide")
    page = st.navigation(
        [
            st.Page(
                "pages/recommend.py", title="Recommend", icon=":material/queue_music:", default=True
            ),
            st.Page("pages/anatomy.py", title="Anatomy", icon=":material/graphic_eq:"),
            st.Page("pages/map.py", title="Map", icon=":material/scatter_plot:"),
            st.Page("pages/features.py", title="Features", icon=":material/tune:"),
            st.Page("pages/compare.py", title="Compare", icon=":material/balance:"),
            st.Page("pages/about.py", title="About", icon=":material/info:"),
        ],
        position="top",
    )
    st.set_page_config(page_title=f"{page.title} · Soundalike")
    top, content, foot = st.container(), st.container(), st.container()
    # The player runs first, so the file that it plays is still there when the page changes.
    with foot:
        player.show()
    with top:
        bar.show(page.title)
    with content:
        page.run()
    server.tune_process()
    server.warm_up()
