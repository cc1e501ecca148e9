"""Who may open the app's websocket, decided without asking anybody outside."""

from __future__ import annotations

from streamlit import net_util


def disable_address_lookup() -> None:
    """Keep Streamlit from looking up this machine's addresses, which takes a service on the internet.

    It does so when a page of another site tries to open a websocket, before it refuses. No setting turns
    it off. The app's own pages need no address: their origin is the host that they were asked from.
    """
    net_util.get_internal_ip = net_util.get_external_ip = _unknown


def _unknown() -> str | None:
    return None
