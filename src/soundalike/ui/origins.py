"""Checks the origin of websocket connections without contacting other hosts."""

from __future__ import annotations

from streamlit import net_util


def disable_address_lookup() -> None:
    """Stop Streamlit from looking up this machine's addresses through a service on the internet.

    Streamlit does this before it refuses a websocket from another site's page, and no setting turns it
    off. The app's own pages don't need it: their origin is the host that served them.
    """
    net_util.get_internal_ip = net_util.get_external_ip = _unknown


def _unknown() -> str | None:
    return None
