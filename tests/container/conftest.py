"""The image in a container, the local cloud outside it. `make container` builds and runs this."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.ship import Ship, sailing
from tests.e2e.town import Town, answering, running
from tests.ports import free_port

# Without an image there is nothing to look at: these scenes are no part of `make test`.
collect_ignore_glob = [] if os.environ.get("CONTAINER_IMAGE") else ["test_container.py"]
if not os.environ.get("DEMO_IMAGE"):
    collect_ignore_glob.append("test_demo.py")
# Its script takes the network away first.
if not os.environ.get("BARE_NETWORK"):
    collect_ignore_glob.append("test_bare_network.py")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The local cloud with its real engine, on the host."""
    logs = tmp_path_factory.mktemp("cloud")
    town = Town(free_port(), "not-a-secret-in-a-test", logs)
    environment = {"LOCAL_CLOUD_PORT": str(town.cloud_port), "IDENTITY_HEADER": town.header}
    with running("switchboard_local", logs / "cloud.log", environment):
        answering(f"{town.cloud}/health", logs / "cloud.log", within_s=180)
        yield town


@pytest.fixture(scope="session")
def ship(cloud: Town) -> Iterator[Ship]:
    """The container, alive, told that the local cloud is Azure. Nobody stops this one."""
    with sailing(cloud) as ship:
        yield ship


@pytest.fixture
def leaving_ship(cloud: Town) -> Iterator[Ship]:
    """Another, to be told to stop."""
    with sailing(cloud) as ship:
        yield ship


@pytest.fixture
def idle_ship(tmp_path: Path) -> Iterator[Ship]:
    """A container whose service nobody ever reaches."""
    with sailing(Town(free_port(), "not-a-secret-in-a-test", tmp_path)) as ship:
        yield ship
