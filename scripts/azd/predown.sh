#!/bin/sh
# Before `azd down`: a telephone number that was bought is paid for by the month. Whether it is released
# with the resource that goes is documented nowhere, so nothing is deleted while there is one.
# predown.ps1 is its twin.
set -u
here=$(dirname "$0")
# shellcheck source=scripts/azd/common.sh
. "$here/common.sh"

acs=${ACS_RESOURCE:-}
acs_group=${ACS_RESOURCE_GROUP:-}

check_numbers() {
    if [ -z "$acs" ] || [ -n "${EXISTING_ACS_ID:-}" ]; then
        skipped numbers "no carrier goes"
        return
    fi
    host=$(az resource show --name "$acs" --resource-group "$acs_group" --subscription "${AZURE_SUBSCRIPTION_ID:-}" \
        --resource-type Microsoft.Communication/communicationServices --query properties.hostName -o tsv 2>/dev/null)
    if ! owned=$(az rest --method get --url "https://$(lines "$host")/phoneNumbers?api-version=2025-06-01" \
        --resource https://communication.azure.com --query 'phoneNumbers[].phoneNumber' -o tsv 2>/dev/null); then
        note numbers "who owns which number cannot be told with your sign-in" \
            "look in the portal: $acs, Phone numbers; what is bought there may go on costing"
    elif [ -n "$(lines "$owned")" ]; then
        not_ok numbers "bought, and paid for until released: $(lines "$owned" | tr '\n' ' ')" \
            "in the portal: $acs, Phone numbers, Release; or keep them, and pay: azd env set SKIP_CHECKS numbers"
    else
        ok numbers "none is bought"
    fi
}

wanted numbers && check_numbers
end
