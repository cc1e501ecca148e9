"""Tests of Streamlit's settings as they take effect, and of what docs/nginx.conf says of its pages."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import streamlit
from streamlit import net_util
from streamlit.web.server import server_util

from soundalike.audio import decoding

ROOT = Path(__file__).resolve().parents[2]
WANTED = {
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.maxUploadSize": 30,
    "server.maxMessageSize": 20,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": False,
    "runner.magicEnabled": False,
    "server.corsAllowedOrigins": [],
    "browser.gatherUsageStats": False,
    "browser.serverAddress": "localhost",
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
}


@pytest.fixture(scope="module")
def effective() -> dict[str, Any]:
    """The options as a server that is started here has them."""
    code = (
        "import json; from streamlit import config\n"
        f"print(json.dumps({{name: config.get_option(name) for name in {list(WANTED)}}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", WANTED)
def test_the_settings_hold(name: str, effective: dict[str, Any]) -> None:
    assert effective[name] == WANTED[name]


def test_an_upload_may_be_as_large_as_a_clip_may(effective: dict[str, Any]) -> None:
    assert effective["server.maxUploadSize"] * 2**20 == decoding.MAX_BYTES


def test_another_site_is_a_foreign_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net_util, "get_external_ip", lambda: None)
    assert not server_util.is_url_from_allowed_origins("https://elsewhere.example")
    assert server_util.is_url_from_allowed_origins("http://localhost:8501")


def test_the_proxy_allows_the_scripts_in_streamlits_page_and_no_others() -> None:
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    sums = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    for file in ("nginx.conf", "Caddyfile"):
        text = (ROOT / "docs" / file).read_text(encoding="utf-8")
        policy = re.search(r"script-src ([^;]*);", text)
        assert policy is not None
        allowed = {"'self'", "blob:", *(f"'sha256-{value}'" for value in sums)}
        assert set(policy[1].split()) == allowed, file
