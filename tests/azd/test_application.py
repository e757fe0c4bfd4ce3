"""The application by which Event Grid proves who it is: registered once, however often asked."""

import pytest

from tests.azd.azure import Azure

APPLICATION = "10ca1000-0000-4000-8000-0000000000aa"
EVENT_GRID = "4962773b-9cdb-44cf-a8bf-237846a00ab7"


@pytest.fixture
def azure(azure: Azure) -> Azure:
    """A tenant in which all of it is there already."""
    azure.says("az ad app list", f"{APPLICATION}\n")
    azure.says("az ad sp list", "ours\n")
    azure.says(f"az ad sp list … {EVENT_GRID}", "theirs\n")
    azure.says("az ad app show", "role-id\n")
    azure.says("az rest --method get", "held\n")
    azure.says("az rest --method post", "")
    azure.says("az ad app owner list", "10ca1000-0000-4000-8000-000000000003\n")
    azure.says("azd env set", "")
    return azure


def made(azure: Azure) -> list[str]:
    words = [" ".join(each) for each in azure.asked("az ")]
    return [line for line in words if {"create", "post", "add"} & set(line.split())]


def test_what_is_there_is_not_made_again(azure: Azure) -> None:
    ran = azure.run("eventgrid-application")
    assert ran.status == 0, ran.said
    assert not made(azure)
    assert azure.asked("azd env set") == [["azd", "env", "set", "EVENT_GRID_AUDIENCE", APPLICATION]]


def test_in_an_empty_tenant_everything_is_made(azure: Azure) -> None:
    azure.says("az ad app list", "")
    azure.says("az ad app create", f"{APPLICATION}\n")
    azure.says("az ad sp list", "")
    azure.says(f"az ad sp list … {EVENT_GRID}", "")
    azure.says("az ad sp create", "made\n")
    azure.says("az rest --method get", "")
    azure.says("az ad app owner list", "")
    azure.says("az ad app owner add", "")
    ran = azure.run("eventgrid-application")
    assert ran.status == 0, ran.said
    registered, ours, theirs, granted, owned = made(azure)
    assert '"value":"AzureEventGridSecureWebhookSubscriber"' in registered
    assert APPLICATION in ours
    assert EVENT_GRID in theirs
    assert '"appRoleId":"role-id"' in granted
    assert "az ad app owner add" in owned


def test_without_the_right_to_register_it_stops(azure: Azure) -> None:
    azure.says("az ad app list", "")
    azure.says("az ad app create", "Insufficient privileges\n", status=1)
    ran = azure.run("eventgrid-application")
    assert ran.status != 0
    assert "Insufficient privileges" in ran.err
    assert not azure.asked("azd env set")
