"""A local cloud on a machine where aiortc cannot be had."""

import re
from pathlib import Path

import httpx

from tests.local.test_command_line import FIXED, read_until, started
from tests.local.tokens import token_at


def test_without_aiortc_all_else_works_and_start_up_and_the_route_say_so(tmp_path: Path) -> None:
    (tmp_path / "aiortc.py").write_text("raise ImportError('no wheel here', name='aiortc')")
    environment = {"LOCAL_CLOUD_PORT": "0", "PYTHONPATH": str(tmp_path), **FIXED}
    with started("serve", **environment) as process, httpx.Client(trust_env=False) as client:
        parts = read_until(process, "Switchboard local:")
        assert "webrtc: none (fallback: aiortc cannot be loaded" in parts
        address = re.search(r"http://\S+", read_until(process, "/openai/v1/"))
        assert address is not None
        url = f"{address[0]}realtime"
        known = {"authorization": f"Bearer {token_at(httpx.URL(url).port or 80)}"}
        config = {"session": {"type": "realtime", "model": "m"}}
        secret = client.post(f"{url}/client_secrets", headers=known, json=config).json()["value"]
        sent = {"authorization": f"Bearer {secret}", "content-type": "application/sdp"}
        refused = client.post(f"{url}/calls", headers=sent, content="v=0")
        assert refused.status_code == 501
        assert "aiortc is not installed" in refused.json()["error"]["message"]
        assert client.post(f"{url}/calls/rtc_1/hangup", headers=known).status_code == 404
