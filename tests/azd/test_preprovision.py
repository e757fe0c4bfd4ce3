"""Before anything is made: what is missing is named, with the command that mends it."""

import pytest

from tests.azd.azure import SUBSCRIPTION, Azure

PHONE = {"PHONE": "true", "EVENT_GRID_AUDIENCE": "api://talk"}


def test_where_nothing_is_missing_nothing_is_changed(azure: Azure) -> None:
    ran = azure.run("preprovision", **PHONE)
    assert ran.status == 0, ran.said
    assert "not ok" not in ran.said
    assert ran.line("ok       model") == (
        "ok       model: gpt-realtime-2.1 2026-07-07 (GlobalStandard) is offered in swedencentral"
    )
    assert "16 of 20 are free" in ran.line("ok       quota")
    reading = {"show", "list", "--check-status", "signed-in-user"}
    for words in azure.asked("az"):
        assert reading & set(words), words


def test_without_the_tools_nothing_else_is_looked_at(azure: Azure) -> None:
    azure.tools = ("azd",)
    ran = azure.run("preprovision")
    assert ran.status == 1
    assert "az is not installed → docs/deploy.md" in ran.line("not ok   tools")
    assert not azure.asked("azd")


def test_not_signed_in_to_azd(azure: Azure) -> None:
    azure.says("azd auth login --check-status", status=1)
    ran = azure.run("preprovision")
    assert ran.status == 1
    assert ran.line("not ok   login").endswith("→ azd auth login")


def test_not_signed_in_to_az(azure: Azure) -> None:
    azure.says("az account show", "Please run 'az login'", status=1)
    ran = azure.run("preprovision")
    assert ran.status == 1
    assert ran.line("not ok   login").endswith("→ az login")
    assert not azure.asked("az provider")  # each would only say the same


def test_no_right_to_assign_roles(azure: Azure) -> None:
    azure.says("az role assignment list", "Contributor\nReader\n")
    ran = azure.run("preprovision")
    assert ran.status == 1
    assert "az role assignment create --assignee 10ca1000" in ran.line("not ok   roles")
    assert f"--scope /subscriptions/{SUBSCRIPTION}" in ran.line("not ok   roles")


@pytest.mark.parametrize("role", ["Owner", "User Access Administrator"])
def test_other_roles_that_may_assign_roles(azure: Azure, role: str) -> None:
    azure.says("az role assignment list", f"{role}\r\n")
    assert azure.run("preprovision").line("ok       roles")


def test_a_pipeline_s_identity_has_no_user_to_look_up(azure: Azure) -> None:
    azure.says("az ad signed-in-user show", "/me request is only valid with …", status=1)
    ran = azure.run("preprovision")
    assert ran.status == 0
    assert ran.line("skipped  roles")


def test_a_provider_that_is_not_registered(azure: Azure) -> None:
    azure.says("az provider show … --namespace Microsoft.EventGrid", "NotRegistered\n")
    azure.says("az provider show … --namespace Microsoft.App ", "Registering\n")
    ran = azure.run("preprovision")
    assert ran.status == 1
    told = ran.line("not ok   providers")
    assert "Microsoft.App Microsoft.EventGrid →" in told
    assert "az provider register" in told


def test_a_region_that_has_not_the_model(azure: Azure) -> None:
    azure.says("az cognitiveservices model list", "")
    ran = azure.run("preprovision")
    assert ran.status == 1
    assert "not offered in swedencentral" in ran.line("not ok   model")
    assert not azure.asked("az cognitiveservices usage")


def test_a_region_that_has_it_in_another_sku_only(azure: Azure) -> None:
    azure.says("az cognitiveservices model list", "DataZoneStandard\n")
    assert azure.run("preprovision").status == 1
    assert azure.run("preprovision", CHECK_MODEL_SKU="DataZoneStandard").status == 0


def test_no_quota(azure: Azure) -> None:
    azure.says("az cognitiveservices usage list", "10.0\t10.0\n")
    ran = azure.run("preprovision")
    assert ran.status == 1
    assert "0 of 10 are free" in ran.line("not ok   quota")
    assert "https://aka.ms/oai/quotaincrease" in ran.line("not ok   quota")


def test_quota_that_this_deployment_uses_itself(azure: Azure) -> None:
    azure.says("az cognitiveservices usage list", "10.0\t10.0\n")
    assert azure.run("preprovision", SERVICE_APP_RESOURCE_EXISTS="true").status == 0


def test_quota_under_a_name_that_nobody_knows(azure: Azure) -> None:
    azure.says("az cognitiveservices usage list", "")
    ran = azure.run("preprovision")
    assert ran.status == 0
    assert ran.line("skipped  quota")


def test_an_account_of_one_s_own_has_its_own_deployments(azure: Azure) -> None:
    ran = azure.run("preprovision", EXISTING_AI_ID="/subscriptions/x/accounts/y")
    assert ran.line("skipped  model")
    assert not azure.asked("az cognitiveservices")


@pytest.mark.parametrize("name", ["talk_1", "talk.1", "-talk", "t" * 65, ""])
def test_a_name_that_no_resource_could_have(azure: Azure, name: str) -> None:
    ran = azure.run("preprovision", AZURE_ENV_NAME=name)
    assert ran.status == 1
    assert "azd env new" in ran.line("not ok   names")


LOCKED = {"NETWORK": "locked-down", "EXISTING_REGISTRY_ID": "/subscriptions/x/registries/y"}


def test_a_gateway_that_azure_would_refuse(azure: Azure) -> None:
    assert azure.run("preprovision", **LOCKED).line("ok       gateway")
    azure.says("az feature show", "NotRegistered\r\n")
    ran = azure.run("preprovision", **LOCKED)
    assert ran.status == 1
    told = ran.line("not ok   gateway")
    assert "az feature register --subscription" in told
    assert "EnableApplicationGatewayNetworkIsolation" in told


def test_a_gateway_in_one_s_own_network_is_one_s_own_affair(azure: Azure) -> None:
    azure.says("az feature show", "NotRegistered\n")
    own = {**LOCKED, "EXISTING_VNET_ID": "/subscriptions/x/virtualNetworks/y"}
    assert azure.run("preprovision", **own).status == 0
    assert azure.run("preprovision").line("skipped  gateway")
    assert not azure.asked("az feature")


def test_a_registry_that_no_build_reaches_is_told_before_it_is_made(azure: Azure) -> None:
    ran = azure.run("preprovision", NETWORK="private")
    assert ran.status == 0
    assert "docs/networking.md" in ran.line("note     image")
    ran = azure.run("preprovision", NETWORK="private", SERVICE_APP_IMAGE_NAME="cr/switchboard:1")
    assert "cr/switchboard:1" in ran.line("ok       image")


def test_somebody_must_be_said_to_be_allowed_in(azure: Azure) -> None:
    ran = azure.run("preprovision", SIGN_IN_CLIENT_ID="")
    assert ran.status == 1
    assert "nobody is said to be allowed in" in ran.line("not ok   door")
    ran = azure.run("preprovision", SIGN_IN_CLIENT_ID="", ALLOW_ANONYMOUS="true")
    assert ran.status == 0
    assert "at your expense" in ran.line("note     door")


def test_a_telephone_needs_a_way_to_tell_event_grid_from_others(azure: Azure) -> None:
    ran = azure.run("preprovision", PHONE="true")
    assert ran.status == 1
    assert "scripts/azd/eventgrid-application.sh" in ran.line("not ok   telephone")


def test_a_secret_in_a_vault_is_a_way_too(azure: Azure) -> None:
    ran = azure.run("preprovision", PHONE="true", EVENT_GRID_SECRET_URI="https://kv/secrets/s")
    assert ran.status == 0


def test_everything_that_is_wrong_is_told_at_once(azure: Azure) -> None:
    azure.says("az role assignment list", "Reader\n")
    azure.says("az cognitiveservices usage list", "10.0\t10.0\n")
    ran = azure.run("preprovision", PHONE="true")
    assert ran.err.count("not ok   ") == 3
    assert "3 not ok." in ran.err


def test_a_check_that_does_not_fit_can_be_left_out(azure: Azure) -> None:
    azure.says("az role assignment list", "A Role Of Our Own\n")
    assert azure.run("preprovision").status == 1
    ran = azure.run("preprovision", SKIP_CHECKS="quota roles")
    assert ran.status == 0
    assert ran.line("skipped  roles") == "skipped  roles: as SKIP_CHECKS says"
