"""A local cloud with its tenant at hand."""

from collections.abc import Generator

import pytest

from switchboard_local.entra.issuer import Issuer
from tests.local.realtime.doubles import Cloud, local_cloud

HEADER = "the secret"


@pytest.fixture
def cloud() -> Generator[Cloud]:
    with local_cloud(
        identity_header=HEADER, local_client_secret="an app's", local_api_key="the key"
    ) as cloud:
        yield cloud


@pytest.fixture
def issuer(cloud: Cloud) -> Issuer:
    assert cloud.issuer is not None
    return cloud.issuer
