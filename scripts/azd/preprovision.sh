#!/bin/sh
# Before anything is made: would the deployment go through? Changes nothing. Each line says what was
# looked at and, where it is not ok, the one command that mends it. preprovision.ps1 is its twin.
set -u
here=$(dirname "$0")
# shellcheck source=scripts/azd/common.sh
. "$here/common.sh"

# What `models` in infra/main.bicep deploys first. Say it here too where you change it there.
model=${CHECK_MODEL_NAME:-gpt-realtime-2.1}
version=${CHECK_MODEL_VERSION:-2026-07-07}
sku=${CHECK_MODEL_SKU:-GlobalStandard}
capacity=${CHECK_MODEL_CAPACITY:-10}
subscription=${AZURE_SUBSCRIPTION_ID:-}
location=${AZURE_LOCATION:-}
phone=${PHONE:-false}
network=${NETWORK:-public}

check_tools() {
    for tool in az azd; do
        command -v "$tool" >/dev/null 2>&1 || {
            not_ok tools "$tool is not installed" "docs/deploy.md says from where"
            return
        }
    done
    ok tools "az and azd are there"
}

check_names() {
    if ! printf '%s' "${AZURE_ENV_NAME:-}" | grep -Eqx '[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?'; then
        not_ok names "the environment's name '${AZURE_ENV_NAME:-}' does not fit the names of resources" \
            "azd env new <name>: 1 to 64 letters, digits and -, neither end a -"
    elif [ -z "$location" ] || [ -z "$subscription" ]; then
        not_ok names "no region or no subscription is chosen" \
            "azd env set AZURE_LOCATION swedencentral; azd env set AZURE_SUBSCRIPTION_ID <id>"
    else
        ok names "$AZURE_ENV_NAME in $location"
    fi
}

check_login() {
    if ! azd auth login --check-status >/dev/null 2>&1; then
        not_ok login "azd is not signed in" "azd auth login"
    fi
    # Separate from azd's: the checks below, and the hook after the deployment, ask az.
    if ! tenant=$(az account show --subscription "$subscription" --query tenantId -o tsv 2>/dev/null); then
        not_ok login "az is not signed in, or does not know subscription $subscription" "az login"
        return 1
    fi
    ok login "az sees the subscription, of tenant $(lines "$tenant")"
}

check_providers() {
    unregistered=
    for provider in App Authorization CognitiveServices ContainerRegistry DBforPostgreSQL EventGrid \
        Communication Insights KeyVault ManagedIdentity Network OperationalInsights Storage; do
        state=$(az provider show --subscription "$subscription" --namespace "Microsoft.$provider" \
            --query registrationState -o tsv 2>/dev/null)
        [ "$(lines "$state")" = Registered ] || unregistered="$unregistered Microsoft.$provider"
    done
    if [ -n "$unregistered" ]; then
        not_ok providers "not registered in this subscription:$unregistered" \
            "for n in$unregistered; do az provider register --subscription $subscription --namespace \$n --wait; done"
    else
        ok providers "all are registered"
    fi
}

check_roles() {
    if ! me=$(az ad signed-in-user show --query id -o tsv 2>/dev/null); then
        skipped roles "this is no person's sign-in, so who may assign roles is not looked up"
        return
    fi
    held=$(az role assignment list --assignee "$(lines "$me")" --scope "/subscriptions/$subscription" \
        --include-inherited --include-groups --query '[].roleDefinitionName' -o tsv 2>/dev/null)
    if lines "$held" | grep -Eqx 'Owner|User Access Administrator|Role Based Access Control Administrator'; then
        ok roles "you may assign roles"
    else
        not_ok roles "you may not assign roles in this subscription, and the server needs some" \
            "have an owner run: az role assignment create --assignee $(lines "$me") --role 'Role Based Access Control Administrator' --scope /subscriptions/$subscription"
    fi
}

check_model() {
    if [ -n "${EXISTING_AI_ID:-}" ]; then
        skipped model "the AI account is your own: its deployments are yours to make"
        return 1
    fi
    skus=$(az cognitiveservices model list --subscription "$subscription" --location "$location" \
        --query "[?model.name=='$model' && model.version=='$version'].model.skus[].name" -o tsv 2>/dev/null)
    if lines "$skus" | tr '\t' '\n' | grep -qx "$sku"; then
        ok model "$model $version ($sku) is offered in $location"
    else
        not_ok model "$model $version ($sku) is not offered in $location" \
            "azd env set AZURE_LOCATION <region>, or another of models in infra/main.parameters.json; az cognitiveservices model list --location $location lists them"
        return 1
    fi
}

check_quota() {
    used=$(az cognitiveservices usage list --subscription "$subscription" --location "$location" \
        --query "[?name.value=='OpenAI.$sku.$model'].[limit,currentValue]" -o tsv 2>/dev/null)
    # shellcheck disable=SC2046  # two numbers, as two words
    set -- $(lines "$used")
    if [ $# -ne 2 ]; then
        skipped quota "Azure names no quota for OpenAI.$sku.$model here"
        return
    fi
    free=$((${1%.*} - ${2%.*}))
    if [ "$free" -ge "$capacity" ]; then
        ok quota "$free of ${1%.*} are free, $capacity asked for"
    elif [ "${SERVICE_APP_RESOURCE_EXISTS:-false}" = true ]; then
        ok quota "used up, by this very deployment as it seems"
    else
        not_ok quota "$free of ${1%.*} are free for $model in $location, but $capacity asked for" \
            "less capacity in models of infra/main.parameters.json, another region, or ask for more: https://aka.ms/oai/quotaincrease"
    fi
}

# Without it Azure refuses a gateway whose subnet denies what it does not name. Source: Microsoft's page
# "Private Application Gateway deployment"; the refusal is
# ApplicationGatewaySubnetOutboundTrafficBlockedByNetworkSecurityGroup.
check_gateway() {
    feature="--subscription $subscription --namespace Microsoft.Network --name EnableApplicationGatewayNetworkIsolation"
    if [ "$network" != locked-down ] || [ -n "${EXISTING_VNET_ID:-}" ]; then
        skipped gateway "no gateway stands in a network that is made here"
        return
    fi
    state=$(az feature show --subscription "$subscription" --namespace Microsoft.Network \
        --name EnableApplicationGatewayNetworkIsolation --query properties.state -o tsv 2>/dev/null)
    if [ "$(lines "$state")" = Registered ]; then
        ok gateway "it may stand in a subnet that denies by default"
    else
        not_ok gateway "this subscription may not put one into a subnet that denies by default" \
            "az feature register $feature; wait until az feature show $feature says Registered; then az provider register --subscription $subscription --namespace Microsoft.Network"
    fi
}

check_image() {
    if [ "$network" = public ] || [ -n "${EXISTING_REGISTRY_ID:-}" ]; then
        ok image "azd has it built in the registry"
    elif [ -n "${SERVICE_APP_IMAGE_NAME:-}" ]; then
        ok image "$SERVICE_APP_IMAGE_NAME, until the next deployment"
    else
        note image "NETWORK=$network closes the registry to azd's builds" \
            "docs/networking.md, The image behind a closed door: three ways to get it in"
    fi
}

check_door() {
    if [ -n "${SIGN_IN_CLIENT_ID:-}" ]; then
        ok door "users of $SIGN_IN_CLIENT_ID may call"
    elif [ "${ALLOW_ANONYMOUS:-false}" = true ]; then
        note door "anybody who finds the page may call, at your expense"
    else
        not_ok door "nobody is said to be allowed in" \
            "azd env set SIGN_IN_CLIENT_ID <application> (docs/deploy.md makes one), or ALLOW_ANONYMOUS true"
    fi
}

check_telephone() {
    if [ "$phone" != true ]; then
        skipped telephone "PHONE is not true: the agent will talk in browsers only"
    elif [ -n "${EVENT_GRID_AUDIENCE:-}" ]; then
        ok telephone "Event Grid shows its token for $EVENT_GRID_AUDIENCE"
    elif [ -n "${EVENT_GRID_SECRET_URI:-}" ]; then
        ok telephone "Event Grid shows a secret from the vault"
    else
        not_ok telephone "nothing says how Event Grid proves who it is" \
            "scripts/azd/eventgrid-application.sh registers the application; it sets EVENT_GRID_AUDIENCE"
    fi
}

wanted tools && check_tools
[ "$failures" -eq 0 ] || end
wanted names && check_names
[ "$failures" -eq 0 ] || end
if wanted login; then check_login || end; fi
wanted providers && check_providers
wanted roles && check_roles
if wanted model && check_model; then wanted quota && check_quota; fi
wanted gateway && check_gateway
wanted image && check_image
wanted door && check_door
wanted telephone && check_telephone
end
