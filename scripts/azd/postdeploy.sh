#!/bin/sh
# After each deployment: wait for the app, subscribe to incoming calls, have the doctor look, and say
# what comes next. May be run any number of times. postdeploy.ps1 is its twin.
set -u
here=$(dirname "$0")
# shellcheck source=scripts/azd/common.sh
. "$here/common.sh"

url=${SERVICE_APP_URI:-}
url=${url%/}
group=${AZURE_RESOURCE_GROUP:-}
app=${SERVICE_APP_NAME:-}
topic=${EVENT_GRID_TOPIC_ID:-}
readonly SUBSCRIPTION=incoming-calls
patience=${PATIENCE_S:-300}
pause=${PAUSE_S:-5}

# until_true COMMAND…: whether it succeeds in time.
until_true() {
    waited=0
    until "$@"; do
        [ "$waited" -lt "$patience" ] || return 1
        sleep "$pause"
        waited=$((waited + pause + 1))
    done
}

app_answers() { curl -fsS -o /dev/null --max-time 10 "$url/livez" 2>/dev/null; }

# Event Grid asks the same before it delivers anything (CloudEvents 1.0, "HTTP 1.1 Web Hooks").
handshake_answers() {
    curl -fsS -i --max-time 10 -X OPTIONS -H 'WebHook-Request-Origin: eventgrid.azure.net' \
        "$url/api/phone/incoming" 2>/dev/null | tr -d '\r' | grep -qi '^webhook-allowed-origin: *eventgrid.azure.net$'
}

wait_for_app() {
    [ -n "$url" ] || {
        not_ok app "azd knows no address of the app (SERVICE_APP_URI)" "azd provision"
        return 1
    }
    say "Waiting for $url …"
    if until_true app_answers; then
        ok app "$url answers"
    else
        not_ok app "$url does not answer after $patience s" \
            "az containerapp logs show --name $app --resource-group $group --tail 50; docs/troubleshooting.md"
        return 1
    fi
}

subscribed_to() {
    az eventgrid system-topic event-subscription show --ids "$topic/eventSubscriptions/$SUBSCRIPTION" \
        --include-full-endpoint-url true --query destination.endpointUrl -o tsv 2>/dev/null
}

subscribe() {
    if [ -z "${ACS_ENDPOINT:-}" ] || [ -z "$topic" ]; then
        skipped incoming-calls "there is no telephone"
        return
    fi
    endpoint=$url/api/phone/incoming
    if [ "$(lines "$(subscribed_to)")" = "$endpoint" ]; then
        ok incoming-calls "Event Grid delivers to $endpoint already"
        return
    fi
    if ! until_true handshake_answers; then
        not_ok incoming-calls "the app does not answer Event Grid's handshake at $endpoint" \
            "check ACS_ENDPOINT and EVENT_GRID_AUDIENCE, then run: azd hooks run postdeploy"
        return
    fi
    # An event older than a minute is no call any more; a second try is enough for one that is.
    if reason=$(az eventgrid system-topic event-subscription create --name "$SUBSCRIPTION" \
        --resource-group "$(field 5)" --system-topic-name "$(field 9)" --subscription "$(field 3)" \
        --endpoint "$endpoint" --endpoint-type webhook \
        --event-delivery-schema cloudeventschemav1_0 \
        --included-event-types Microsoft.Communication.IncomingCall \
        --max-delivery-attempts 2 --event-ttl 1 \
        --azure-active-directory-tenant-id "${EVENT_GRID_TENANT_ID:-${AZURE_TENANT_ID:-}}" \
        --azure-active-directory-application-id-or-uri "${EVENT_GRID_AUDIENCE:-}" \
        -o none 2>&1); then
        ok incoming-calls "Event Grid delivers to $endpoint"
    else
        not_ok incoming-calls "Event Grid refused: $(lines "$reason" | head -n 1)" \
            "you must own the application EVENT_GRID_AUDIENCE; then run: azd hooks run postdeploy"
    fi
}

# field N: the N-th part of the topic's id, /subscriptions/<3>/resourceGroups/<5>/…/systemTopics/<9>.
field() { printf '%s' "$topic" | cut -d/ -f"$1"; }

# The command gets a terminal of its own, because az asks for one.
inside() {
    command="az containerapp exec --name $app --resource-group $group --command '$1'"
    if [ -t 0 ] && [ -t 1 ]; then
        sh -c "$command"
    elif command -v script >/dev/null 2>&1; then
        script -qec "$command" /dev/null </dev/null
    else
        return 1
    fi
}

ask_doctor() {
    by_hand="az containerapp exec --name $app --resource-group $group --command 'switchboard doctor'"
    if ! told=$(inside 'switchboard doctor'); then
        note doctor "could not be asked from here" "$by_hand"
        return
    fi
    lines "$told" | grep -E '^(ok|not ok|skipped) ' || note doctor "said nothing" "$by_hand"
    if lines "$told" | grep -q '^not ok '; then
        note doctor "something is not ok yet; new roles take some minutes to count" "$by_hand"
    fi
}

tell_number() {
    [ -n "${ACS_ENDPOINT:-}" ] || return 0
    if [ -n "${ACS_NUMBER:-}" ]; then
        ok number "the agent answers $ACS_NUMBER"
        return
    fi
    if ! owned=$(az rest --method get --url "${ACS_ENDPOINT%/}/phoneNumbers?api-version=2025-06-01" \
        --resource https://communication.azure.com --query 'phoneNumbers[].phoneNumber' -o tsv 2>/dev/null); then
        note number "who owns which number cannot be told with your sign-in" \
            "buy one in the portal (docs/deploy.md), then: azd env set ACS_NUMBER +<number> && azd up"
    elif [ -z "$(lines "$owned")" ]; then
        note number "none is bought yet, so nobody can ring" \
            "buy one in the portal (docs/deploy.md), then: azd env set ACS_NUMBER +<number> && azd up"
    else
        note number "$(lines "$owned" | tr '\n' ' ')is bought, and not set" \
            "azd env set ACS_NUMBER $(lines "$owned" | head -n 1) && azd up"
    fi
}

wait_for_app || end
subscribe
ask_doctor
tell_number
end
say "Next: open $url and talk to the agent. docs/troubleshooting.md helps where it does not answer."
