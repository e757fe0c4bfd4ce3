"""The image does its work with nothing but its own files, and leaves in good order."""

import json
import re

import anyio
import pytest

from tests.container.ship import Ship, healthcheck

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


async def test_without_calls_it_stops_at_once(idle_ship: Ship) -> None:
    idle_ship.signal("TERM")
    assert idle_ship.exit_status(within_s=10) == 0


async def test_the_local_cloud_and_the_tools_of_the_build_are_not_in_it(ship: Ship) -> None:
    probe = "import importlib.util as u; print([bool(u.find_spec(n)) for n in ('switchboard', {})])"
    for name in ("switchboard_local", "numpy", "pytest"):
        assert ship.run("/app/.venv/bin/python3", "-c", probe.format(repr(name))) == "[True, False]"
