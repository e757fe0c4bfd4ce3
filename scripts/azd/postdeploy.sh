#!/bin/sh
# After each deployment: wait for the app, subscribe to incoming calls, have the doctor look, and say
# what comes next. May be run any number of times. postdeploy.ps1 is its twin.
set -u
here=$(dirname "$0")
# shellcheck source=scripts/azd/common.sh
. "$here/common.sh"

url=${SWITCHBOARD_URL:-}
url=${url%/}
group=${AZURE_RESOURCE_GROUP:-}
app=${SERVICE_APP_NAME:-}
topic=${EVENT_GRID_TOPIC:-}
acs=${ACS_RESOURCE:-}
acs_group=${ACS_RESOURCE_GROUP:-}
# A carrier that was there before may be in another subscription, and the topic lies beside it.
acs_subscription=$(printf '%s' "${EXISTING_ACS_ID:-//${AZURE_SUBSCRIPTION_ID:-}}" | cut -d/ -f3)
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

# The placeholder that stands in before the first deployment answers 204.
app_answers() { [ "$(curl -sS -o /dev/null -w '%{http_code}' --max-time 10 "$url/livez" 2>/dev/null)" = 200 ]; }

# Event Grid asks the same before it delivers anything (CloudEvents 1.0, "HTTP 1.1 Web Hooks").
handshake_answers() {
    curl -fsS -i --max-time 10 -X OPTIONS -H 'WebHook-Request-Origin: eventgrid.azure.net' \
        "$endpoint" 2>/dev/null | tr -d '\r' | grep -qi '^webhook-allowed-origin: *eventgrid.azure.net$'
}

wait_for_app() {
    [ -n "$url" ] || {
        not_ok app "azd knows no address of the app (SWITCHBOARD_URL)" "azd provision"
        return 1
    }
    say "Waiting for $url …"
    if until_true app_answers; then
        ok app "$url answers"
    elif [ -n "${SWITCHBOARD_GATEWAY_ADDRESS:-}" ]; then
        not_ok app "$url does not answer after $patience s" \
            "lead that name to $SWITCHBOARD_GATEWAY_ADDRESS in your DNS, then: azd hooks run postdeploy"
        return 1
    else
        not_ok app "$url does not answer after $patience s" \
            "az containerapp logs show --name $app --resource-group $group --tail 50; docs/troubleshooting.md"
        return 1
    fi
}

subscribed_to() {
    az eventgrid system-topic event-subscription show --name "$SUBSCRIPTION" \
        --resource-group "$acs_group" --system-topic-name "$topic" --subscription "$acs_subscription" \
        --include-full-endpoint-url true --query destination.endpointUrl -o tsv 2>/dev/null
}

subscribe() {
    if [ -z "$acs" ] || [ -z "$topic" ]; then
        skipped incoming-calls "there is no telephone"
        return
    fi
    address=$url/api/phone/incoming
    endpoint=$address
    set -- --azure-active-directory-tenant-id "${AZURE_TENANT_ID:-}" \
        --azure-active-directory-application-id-or-uri "${EVENT_GRID_AUDIENCE:-}"
    if [ -z "${EVENT_GRID_AUDIENCE:-}" ]; then
        secret=$(az keyvault secret show --id "${EVENT_GRID_SECRET_URI:-}" --query value -o tsv 2>/dev/null) || {
            not_ok incoming-calls "the secret of EVENT_GRID_SECRET_URI cannot be read" \
                "give yourself the role Key Vault Secrets User, then: azd hooks run postdeploy"
            return
        }
        endpoint="$address?secret=$(lines "$secret")"
        set --
    fi
    if [ "$(lines "$(subscribed_to)")" = "$endpoint" ]; then
        ok incoming-calls "Event Grid delivers to $address already"
        return
    fi
    if ! until_true handshake_answers; then
        not_ok incoming-calls "the app does not answer Event Grid's handshake at $address" \
            "see whether the doctor below finds ACS_ENDPOINT set, then: azd hooks run postdeploy"
        return
    fi
    # An event older than a minute is no call any more; a second try is enough for one that is.
    if reason=$(az eventgrid system-topic event-subscription create --name "$SUBSCRIPTION" \
        --resource-group "$acs_group" --system-topic-name "$topic" --subscription "$acs_subscription" \
        --endpoint "$endpoint" --endpoint-type webhook \
        --event-delivery-schema cloudeventschemav1_0 \
        --included-event-types Microsoft.Communication.IncomingCall \
        --max-delivery-attempts 2 --event-ttl 1 "$@" -o none 2>&1); then
        ok incoming-calls "Event Grid delivers to $address"
    else
        # Its words may repeat the address, and that may end in the secret.
        not_ok incoming-calls "Event Grid refused: $(lines "$reason" | head -n 1 | sed 's/secret=[^[:space:]]*/secret=…/g')" \
            "you must own the application EVENT_GRID_AUDIENCE; then: azd hooks run postdeploy"
    fi
}

# az asks for a terminal, and what is said here is read: so it gets one of its own.
inside() {
    command="az containerapp exec --name $app --resource-group $group --command '$1'"
    if script --version >/dev/null 2>&1; then
        script -qec "$command" /dev/null
    elif command -v script >/dev/null 2>&1; then
        script -q /dev/null sh -c "$command" # macOS
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
    [ -n "$acs" ] || return 0
    if [ -n "${PHONE_NUMBER:-}" ]; then
        ok number "the agent answers $PHONE_NUMBER"
        return
    fi
    host=$(az resource show --name "$acs" --resource-group "$acs_group" --subscription "$acs_subscription" \
        --resource-type Microsoft.Communication/communicationServices --query properties.hostName -o tsv 2>/dev/null)
    if ! owned=$(az rest --method get --url "https://$(lines "$host")/phoneNumbers?api-version=2025-06-01" \
        --resource https://communication.azure.com --query 'phoneNumbers[].phoneNumber' -o tsv 2>/dev/null); then
        note number "who owns which number cannot be told with your sign-in" "$buy"
    elif [ -z "$(lines "$owned")" ]; then
        note number "none is bought yet, so nobody can ring" "$buy"
    else
        note number "bought, and not set: $(lines "$owned" | tr '\n' ' ')" \
            "azd env set PHONE_NUMBER $(lines "$owned" | head -n 1) && azd up"
    fi
}

buy="buy one in the portal (docs/deploy.md), then: azd env set PHONE_NUMBER +<number> && azd up"
wait_for_app || end
subscribe
ask_doctor
tell_number
end
say "Next: open $url and talk to the agent. docs/troubleshooting.md helps where it does not answer."
