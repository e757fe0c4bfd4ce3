#!/bin/sh
# After `azd down`: what was deleted softly keeps its name, and an AI account its quota, until it is
# purged. `azd down --purge` leaves nothing; this says what another `azd down` left.
# postdown.ps1 is its twin.
set -u
here=$(dirname "$0")
# shellcheck source=scripts/azd/common.sh
. "$here/common.sh"

group=${AZURE_RESOURCE_GROUP:-}
location=${AZURE_LOCATION:-}

left_accounts() {
    [ -n "$group" ] || return 0
    ids=$(az cognitiveservices account list-deleted \
        --query "[?contains(id, '/resourceGroups/$group/')].name" -o tsv 2>/dev/null) || return 0
    for name in $(lines "$ids"); do
        note ai-account "$name holds its name and its quota for 48 hours" \
            "az cognitiveservices account purge --name $name --resource-group $group --location $location"
    done
}

left_vaults() {
    [ -n "$group" ] || return 0
    names=$(az keyvault list-deleted --resource-type vault \
        --query "[?contains(properties.vaultId, '/resourceGroups/$group/')].name" -o tsv 2>/dev/null) || return 0
    for name in $(lines "$names"); do
        note key-vault "$name holds its name until it is purged; it costs nothing" \
            "az keyvault purge --name $name --location $location"
    done
}

left_accounts
left_vaults
ok down "nothing that is left of this deployment costs anything"
