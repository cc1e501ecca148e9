"""Tests of Streamlit's settings as they take effect, and of what the policy says of its page."""

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
from soundalike.ui.middleware import headers

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


def test_streamlits_own_page_has_one_script_that_the_policy_allows() -> None:
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(inline) == 1
    sums = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    allowed = re.search(r"script-src ([^;]*);", headers.policy())
    assert allowed is not None
    assert set(allowed[1].split()) == {"'self'", "blob:", *(f"'sha256-{value}'" for value in sums)}
