"""What `app.py` gives to Streamlit's server."""

from __future__ import annotations

from starlette.middleware import Middleware

from soundalike.ui.middleware import uploads
from soundalike.ui.middleware.assets import Assets
from soundalike.ui.middleware.headers import SafeHeaders
from soundalike.ui.middleware.messages import MessageLimits
from soundalike.ui.middleware.pages import Pages
from soundalike.ui.middleware.process import lifespan
from soundalike.ui.middleware.uploads import UploadLimits

__all__ = ["MIDDLEWARE", "lifespan"]

MIDDLEWARE = [
    Middleware(SafeHeaders),
    Middleware(Assets),
    Middleware(Pages),
    Middleware(MessageLimits),
    Middleware(UploadLimits),
]
"""From the outside to the inside."""

uploads.install()
