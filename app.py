"""Soundalike's entry point: `streamlit run app.py`.

The server imports this file once, for the app and what guards it. For every visitor it then runs it
again, as the script that shows the pages.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from soundalike import paths
from soundalike.ui import origins

origins.disable_address_lookup()

if get_script_run_ctx(suppress_warning=True) is None:
    from soundalike.ui.middleware import guard

    app = st.App(__file__, middleware=guard.MIDDLEWARE, lifespan=guard.lifespan)
else:
    from soundalike.ui import navigation, player, server
    from soundalike.ui.present import bar

    # The icon comes before the navigation: browsers would load a page's from another site.
    st.set_page_config(page_icon=str(paths.ASSETS / "icon.png"), layout="wide")
    pages = navigation.pages()
    page = st.navigation(list(pages.values()), position="top")
    st.set_page_config(page_title=f"{page.title} · Soundalike")
    top, content, foot, header = (st.container() for _ in range(4))
    # The player runs first, so the file that it plays is still there when the page changes.
    with foot:
        player.show()
        navigation.foot(pages)
    with top:
        bar.show(page.title)
    with content:
        page.run()
    # Last: the page may have changed the clip.
    with header:
        navigation.header(page.title)
    server.tune_process()
    server.warm_up()

    # Imported once the first page is shown.
    from soundalike.ui.anatomy import ahead

    ahead.start()
