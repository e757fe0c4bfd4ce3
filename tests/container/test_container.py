"""The image does its work with nothing but its own files, and leaves in good order."""

import json
import re

import anyio
import pytest

from tests.container.ship import Ship, anchored, healthcheck
from tests.e2e.town import ROOT

pytestmark = [pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="session")]
BALANCE = "1,204.50"

CONFINED = """
import json, os, ssl
told = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
def writable(path):
    try:
        open(path, 'w').close()
    except OSError:
        return False
    return True
roots = ssl.create_default_context().cert_store_stats()['x509_ca']
print(json.dumps({
    'uid': os.getuid(), 'gid': os.getgid(), 'capabilities': int(told['CapEff'], 16),
    'no_new_privileges': told['NoNewPrivs'].strip(), 'app': writable('/app/probe'),
    'root': writable('/probe'), 'data': writable('/data/probe'), 'roots': roots,
}))
"""


LOW_PORTS = "--sysctl=net.ipv4.ip_unprivileged_port_start"
PLACEHOLDER = (ROOT / "infra/modules/placeholder.py").read_text(encoding="utf-8")
"""What the template has the app begin with: azd exchanges the image, and not the command."""


async def test_a_call_from_the_container_is_answered_by_the_cloud_outside(ship: Ship) -> None:
    async with ship.calling("banking") as page:
        assert BALANCE in await page.answer_to("What is the balance of my account?", BALANCE)
        await page.say("end")


async def test_it_runs_as_nobody_with_no_capability_and_writes_only_its_data(ship: Ship) -> None:
    found = json.loads(ship.run("python3", "-c", CONFINED))
    assert (found["uid"], found["gid"]) == (10001, 10001)
    assert found["capabilities"] == 0
    assert found["no_new_privileges"] == "1"
    assert not found["app"]
    assert not found["root"]
    assert found["data"]
    assert found["roots"] > 100  # its own, whatever the base trusts


async def test_it_serves_the_page_and_passes_its_probes(ship: Ship) -> None:
    index = ship.get("/")
    assert index.headers["content-type"].startswith("text/html")
    assets = re.findall(r'(?:src|href)="(/assets/[^"]+)"', index.text)
    assert assets
    for asset in assets:
        assert ship.get(asset).status_code == 200, asset
    assert ship.get("/livez").status_code == 200
    with anyio.fail_after(20):
        while ship.get("/readyz").status_code != 200:  # noqa: ASYNC110  (the first round)
            await anyio.sleep(0.1)
    ship.run(*healthcheck())


async def test_the_doctor_makes_its_rounds_inside(ship: Ship) -> None:
    told = json.loads(ship.run("switchboard", "doctor", "--json"))
    by_check = {finding["check"]: finding["outcome"] for finding in told}
    for check in ("settings", "agents", "data directory", "page", "Azure OpenAI endpoint"):
        assert by_check[check] == "ok", told
    assert by_check["Azure OpenAI model gpt-realtime-2.1"] == "ok", told


async def test_told_to_stop_it_says_goodbye_to_those_who_call_and_cuts_nobody_off(
    leaving_ship: Ship,
) -> None:
    async with leaving_ship.calling("banking") as page:
        leaving_ship.signal("TERM")
        assert await page.closed() == (1000, "goodbye")
    assert leaving_ship.exit_status(within_s=30) == 0
    told = [json.loads(line) for line in leaving_ship.log().splitlines() if '"drained"' in line]
    assert [each["calls_cut_off"] for each in told] == [0]


async def test_told_of_no_port_it_answers_on_8000() -> None:
    with anchored() as ship:
        ship.wait_until_it_answers_inside(8000)


async def test_port_80_is_its_own_where_everybody_may_have_it() -> None:
    with anchored(f"{LOW_PORTS}=0", environment={"PORT": "80"}) as ship:
        ship.wait_until_it_answers_inside(80)


async def test_elsewhere_port_80_is_refused_to_it_in_a_sentence() -> None:
    with anchored(f"{LOW_PORTS}=1024", environment={"PORT": "80"}) as ship:
        assert ship.exit_status(within_s=60) == 2
        assert "80" in ship.log().splitlines()[-1]


async def test_begun_by_the_placeholder_s_command_it_is_the_server_all_the_same() -> None:
    with anchored(command=["python3", "-c", PLACEHOLDER]) as ship:
        ship.wait_until_it_answers_inside(8000)
        ship.signal("TERM")
        assert ship.exit_status(within_s=30) == 0


async def test_without_calls_it_stops_at_once(idle_ship: Ship) -> None:
    idle_ship.signal("TERM")
    assert idle_ship.exit_status(within_s=10) == 0


async def test_the_local_cloud_and_the_tools_of_the_build_are_not_in_it(ship: Ship) -> None:
    probe = "import importlib.util as u; print([bool(u.find_spec(n)) for n in ('switchboard', {})])"
    for name in ("switchboard_local", "numpy", "pytest"):
        assert ship.run("/app/.venv/bin/python3", "-c", probe.format(repr(name))) == "[True, False]"
