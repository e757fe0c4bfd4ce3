#!/bin/sh
# Once, before the first `azd up` with PHONE=true: register the Entra application by which Event Grid
# proves who it is, and give Event Grid its role. May be run again; nothing is made twice.
# Source: Microsoft's page "Secure WebHook delivery with Microsoft Entra ID in Azure Event Grid".
# Needs the right to register applications and to grant roles of them (Application Administrator).
# Also from Windows, in a shell that has sh: it is no hook, so it has no twin.
set -eu
here=$(dirname "$0")
# shellcheck source=scripts/azd/common.sh
. "$here/common.sh"

name="Switchboard ${AZURE_ENV_NAME:-$(azd env get-value AZURE_ENV_NAME)}: incoming calls"
readonly ROLE=AzureEventGridSecureWebhookSubscriber
# Microsoft.EventGrid in the public cloud.
readonly EVENT_GRID=4962773b-9cdb-44cf-a8bf-237846a00ab7
readonly GRAPH=https://graph.microsoft.com/v1.0

value() {
    got=$("$@" -o tsv) || return
    lines "$got"
}

principal_of() {
    value az ad sp list --filter "appId eq '$1'" --query '[0].id'
}

application=$(value az ad app list --display-name "$name" --query '[0].appId')
if [ -z "$application" ]; then
    role_id=$(python3 -c 'import uuid; print(uuid.uuid4())' 2>/dev/null || cat /proc/sys/kernel/random/uuid)
    application=$(value az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg \
        --app-roles "[{\"id\":\"$role_id\",\"value\":\"$ROLE\",\"displayName\":\"$ROLE\",\"description\":\"Delivers incoming calls\",\"isEnabled\":true,\"allowedMemberTypes\":[\"Application\"]}]" \
        --query appId)
    ok application "registered: $application"
else
    ok application "is there: $application"
fi

ours=$(principal_of "$application")
[ -n "$ours" ] || ours=$(value az ad sp create --id "$application" --query id)
theirs=$(principal_of "$EVENT_GRID")
[ -n "$theirs" ] || theirs=$(value az ad sp create --id "$EVENT_GRID" --query id)

role_id=$(value az ad app show --id "$application" --query "appRoles[?value=='$ROLE'].id | [0]")
held=$(value az rest --method get --url "$GRAPH/servicePrincipals/$theirs/appRoleAssignments" \
    --query "value[?appRoleId=='$role_id' && resourceId=='$ours'].id | [0]")
if [ -n "$held" ]; then
    ok role "Event Grid has it"
else
    az rest --method post --url "$GRAPH/servicePrincipals/$ours/appRoleAssignedTo" -o none \
        --body "{\"principalId\":\"$theirs\",\"resourceId\":\"$ours\",\"appRoleId\":\"$role_id\"}"
    ok role "given to Event Grid"
fi

# Event Grid makes a subscription with this application only for one of its owners.
me=$(value az ad signed-in-user show --query id)
owners=$(value az ad app owner list --id "$application" --query '[].id')
printf '%s\n' "$owners" | grep -qx "$me" || az ad app owner add --id "$application" --owner-object-id "$me"
ok owner "you are one"

azd env set EVENT_GRID_AUDIENCE "$application"
ok audience "EVENT_GRID_AUDIENCE=$application"
