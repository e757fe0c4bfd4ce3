"""After a deployment: incoming calls reach the app, and whoever deployed knows what comes next."""

from itertools import pairwise

import pytest

from tests.azd.app import App
from tests.azd.azure import SUBSCRIPTION, Azure

CREATE = "az eventgrid system-topic event-subscription create"
SHOW = "az eventgrid system-topic event-subscription show"


def telephone(app: App) -> dict[str, str]:
    """What azd knows after a deployment with a telephone."""
    return {
        "SWITCHBOARD_URL": app.url,
        "ACS_RESOURCE": "acs-talk",
        "ACS_RESOURCE_GROUP": "rg-talk",
        "EVENT_GRID_TOPIC": "evgt-talk",
        "EVENT_GRID_AUDIENCE": "api://talk",
    }


def test_a_deployment_without_a_telephone(azure: Azure, app: App) -> None:
    ran = azure.run("postdeploy", SWITCHBOARD_URL=app.url + "/")
    assert ran.status == 0, ran.said
    assert ran.line("ok       app") == f"ok       app: {app.url} answers"
    assert ran.line("skipped  incoming-calls")
    assert ran.line("ok       settings")  # the doctor's own words
    assert f"Next: open {app.url}" in ran.out
    assert not azure.asked("az eventgrid")


def test_an_app_that_takes_its_time(azure: Azure, app: App) -> None:
    app.starting = 2
    assert azure.run("postdeploy", SWITCHBOARD_URL=app.url).status == 0


def test_an_app_that_never_comes(azure: Azure, app: App) -> None:
    app.starting = 1_000
    ran = azure.run("postdeploy", **telephone(app), PATIENCE_S="2")
    assert ran.status == 1
    assert "az containerapp logs show --name ca-talk" in ran.line("not ok   app")
    assert not azure.asked("az")


def test_behind_a_gateway_its_name_must_lead_there(azure: Azure, app: App) -> None:
    app.starting = 1_000
    told = {"SWITCHBOARD_GATEWAY_ADDRESS": "192.0.2.7", "PATIENCE_S": "1"}
    ran = azure.run("postdeploy", SWITCHBOARD_URL=app.url, **told)
    assert "192.0.2.7 in your DNS" in ran.line("not ok   app")


def test_incoming_calls_are_subscribed_to_once_the_app_answers_the_handshake(
    azure: Azure, app: App
) -> None:
    app.refusals = 2
    ran = azure.run("postdeploy", **telephone(app))
    assert ran.status == 0, ran.said
    assert app.handshakes == 3
    (created,) = azure.asked(CREATE)
    told = dict(pairwise(created))
    assert told["--endpoint"] == f"{app.url}/api/phone/incoming"
    assert told["--resource-group"] == "rg-talk"
    assert told["--system-topic-name"] == "evgt-talk"
    assert told["--subscription"] == SUBSCRIPTION
    assert told["--included-event-types"] == "Microsoft.Communication.IncomingCall"
    assert told["--azure-active-directory-application-id-or-uri"] == "api://talk"
    assert told["--azure-active-directory-tenant-id"] == "10ca1000-0000-4000-8000-000000000002"


def test_a_carrier_that_was_there_before_keeps_its_subscription(azure: Azure, app: App) -> None:
    there = "10ca1000-0000-4000-8000-00000000000f"
    azure.run("postdeploy", **telephone(app), EXISTING_ACS_ID=f"/subscriptions/{there}/x/y")
    (created,) = azure.asked(CREATE)
    assert there in created


def test_without_an_application_the_secret_is_in_the_address_and_never_shown(
    azure: Azure, app: App
) -> None:
    told = telephone(app) | {"EVENT_GRID_AUDIENCE": "", "EVENT_GRID_SECRET_URI": "https://kv/s"}
    azure.says("az keyvault secret show", "s" * 32 + "\n")
    azure.says(CREATE, f"ERROR: {app.url}/api/phone/incoming?secret={'s' * 32} no\n", status=1)
    ran = azure.run("postdeploy", **told)
    (created,) = azure.asked(CREATE)
    assert f"{app.url}/api/phone/incoming?secret={'s' * 32}" in created
    assert "--azure-active-directory-tenant-id" not in created
    assert "s" * 32 not in ran.said
    azure.says("az keyvault secret show", "Forbidden", status=1)
    assert "Key Vault Secrets User" in azure.run("postdeploy", **told).line("not ok   incoming")


def test_a_handshake_that_is_never_answered_creates_nothing(azure: Azure, app: App) -> None:
    app.refusals = 1_000
    ran = azure.run("postdeploy", **telephone(app), PATIENCE_S="2")
    assert ran.status == 1
    assert "azd hooks run postdeploy" in ran.line("not ok   incoming-calls")
    assert not azure.asked(CREATE)
    assert ran.line("ok       settings")  # the rest is looked at all the same


def test_run_twice_it_subscribes_once(azure: Azure, app: App) -> None:
    azure.run("postdeploy", **telephone(app))
    azure.says(SHOW, f"{app.url}/api/phone/incoming\r\n")
    ran = azure.run("postdeploy", **telephone(app))
    assert ran.status == 0
    assert "already" in ran.line("ok       incoming-calls")
    assert len(azure.asked(CREATE)) == 1


def test_a_subscription_that_leads_elsewhere_is_led_here(azure: Azure, app: App) -> None:
    azure.says(SHOW, "https://old.example/api/phone/incoming\n")
    assert azure.run("postdeploy", **telephone(app)).status == 0
    assert len(azure.asked(CREATE)) == 1


def test_event_grid_s_refusal_is_told(azure: Azure, app: App) -> None:
    azure.says(CREATE, "ERROR: (Unauthorized) not an owner\nmore", status=1)
    ran = azure.run("postdeploy", **telephone(app))
    assert ran.status == 1
    assert "(Unauthorized) not an owner →" in ran.line("not ok   incoming-calls")


@pytest.mark.parametrize("topic_missing", [True, False])
def test_a_telephone_that_is_off_has_nothing_to_subscribe(
    azure: Azure, app: App, topic_missing: bool
) -> None:
    told = telephone(app)
    del told["EVENT_GRID_TOPIC" if topic_missing else "ACS_RESOURCE"]
    assert azure.run("postdeploy", **told).line("skipped  incoming-calls")


# -- the number ---------------------------------------------------------------------------------


def test_a_number_that_is_not_yet_bought(azure: Azure, app: App) -> None:
    ran = azure.run("postdeploy", **telephone(app))
    assert ran.status == 0
    assert "none is bought yet" in ran.line("note     number")
    (asked,) = azure.asked("az rest")
    assert (
        "https://acs-talk.europe.communication.azure.com/phoneNumbers?api-version=2025-06-01"
        in asked
    )


def test_a_number_that_is_bought_and_not_set(azure: Azure, app: App) -> None:
    azure.says("az rest --method get", "+15550100\n+15550101\n")
    told = azure.run("postdeploy", **telephone(app)).line("note     number")
    assert told.endswith("→ azd env set PHONE_NUMBER +15550100 && azd up")


def test_a_number_that_is_set(azure: Azure, app: App) -> None:
    ran = azure.run("postdeploy", **telephone(app), PHONE_NUMBER="+15550100")
    assert ran.line("ok       number") == "ok       number: the agent answers +15550100"


def test_a_sign_in_that_may_not_look_at_numbers(azure: Azure, app: App) -> None:
    azure.says("az rest --method get", "Forbidden", status=1)
    ran = azure.run("postdeploy", **telephone(app))
    assert ran.status == 0
    assert "cannot be told" in ran.line("note     number")


# -- the doctor ---------------------------------------------------------------------------------


def test_what_the_doctor_finds_wrong_is_shown_and_does_not_fail_the_deployment(
    azure: Azure, app: App
) -> None:
    azure.says(
        "az containerapp exec",
        "INFO: Connecting…\r\nok       settings: can be read\r\n"
        "not ok   Azure OpenAI model gpt-realtime-2.1: 403 → assign roles\r\n",
    )
    ran = azure.run("postdeploy", SWITCHBOARD_URL=app.url)
    assert ran.status == 0
    assert ran.line("not ok   Azure OpenAI model")
    assert "roles take some minutes" in ran.line("note     doctor")
    assert "INFO" not in ran.out


def test_a_mac_s_terminal_is_asked_for_in_its_own_words(azure: Azure, app: App) -> None:
    script = azure.place / "bin/script"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\n[ "$1 $2" = "-q /dev/null" ] || exit 1\nshift 2\nexec "$@"\n')
    script.chmod(0o755)
    ran = azure.run("postdeploy", SWITCHBOARD_URL=app.url)
    assert ran.line("ok       settings")
    (asked,) = azure.asked("az containerapp exec")
    assert asked[-1] == "switchboard doctor"


def test_a_doctor_who_cannot_be_asked_is_asked_by_hand(azure: Azure, app: App) -> None:
    azure.says("az containerapp exec", "no replicas", status=1)
    ran = azure.run("postdeploy", SWITCHBOARD_URL=app.url)
    assert ran.status == 0
    assert "→ az containerapp exec --name ca-talk" in ran.line("note     doctor")


# -- the end ------------------------------------------------------------------------------------


CARRIER = {"ACS_RESOURCE": "acs-talk", "ACS_RESOURCE_GROUP": "rg-talk"}


def test_a_number_that_is_still_paid_for_is_not_forgotten(azure: Azure) -> None:
    azure.says("az rest --method get", "+15550100\n+15550101\r\n")
    ran = azure.run("predown", **CARRIER)
    assert ran.status == 1  # azd deletes nothing then
    assert "+15550100 +15550101" in ran.line("not ok   numbers")
    assert azure.run("predown", **CARRIER, SKIP_CHECKS="numbers").status == 0


def test_without_a_number_nothing_keeps_it_from_ending(azure: Azure) -> None:
    assert azure.run("predown", **CARRIER).line("ok       numbers")
    azure.says("az rest --method get", "Forbidden", status=1)
    ran = azure.run("predown", **CARRIER)
    assert ran.status == 0
    assert "cannot be told" in ran.line("note     numbers")


def test_a_carrier_that_stays_keeps_its_numbers(azure: Azure) -> None:
    ran = azure.run("predown", **CARRIER, EXISTING_ACS_ID="/subscriptions/x/y")
    assert ran.line("skipped  numbers")
    assert azure.run("predown").line("skipped  numbers")
    assert not azure.asked("az")


def test_what_a_soft_deletion_left_is_named_with_its_purge(azure: Azure) -> None:
    azure.says("az cognitiveservices account list-deleted", "ai-talk\n")
    azure.says("az keyvault list-deleted", "kv-talk\n")
    ran = azure.run("postdown")
    assert ran.status == 0
    assert "az cognitiveservices account purge --name ai-talk" in ran.line("note     ai-account")
    assert "az keyvault purge --name kv-talk" in ran.line("note     key-vault")


def test_where_nothing_is_left_nothing_is_said_of_it(azure: Azure) -> None:
    ran = azure.run("postdown")
    assert ran.status == 0
    assert "note" not in ran.out
