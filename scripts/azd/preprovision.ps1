# Before anything is made: would the deployment go through? Changes nothing. Each line says what was
# looked at and, where it is not ok, the one command that mends it. preprovision.sh is its twin.
. "$PSScriptRoot/common.ps1"

# What `models` in infra/main.bicep deploys first. Say it here too where you change it there.
$model = Env 'CHECK_MODEL_NAME' 'gpt-realtime-2.1'
$version = Env 'CHECK_MODEL_VERSION' '2026-07-07'
$sku = Env 'CHECK_MODEL_SKU' 'GlobalStandard'
$capacity = [int](Env 'CHECK_MODEL_CAPACITY' '10')
$subscription = Env 'AZURE_SUBSCRIPTION_ID'
$location = Env 'AZURE_LOCATION'
$phone = Env 'PHONE' 'false'
$network = Env 'NETWORK' 'public'

function Check-Tools {
    foreach ($tool in 'az', 'azd') {
        if (-not (Get-Command $tool -ErrorAction SilentlyContinue)) {
            NotOk tools "$tool is not installed" 'docs/deploy.md says from where'
            return
        }
    }
    Ok tools 'az and azd are there'
}

function Check-Names {
    $name = Env 'AZURE_ENV_NAME'
    if ($name -cnotmatch '^[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?$') {
        NotOk names "the environment's name '$name' does not fit the names of resources" `
            'azd env new <name>: 1 to 64 letters, digits and -, neither end a -'
    } elseif (-not $location -or -not $subscription) {
        NotOk names 'no region or no subscription is chosen' `
            'azd env set AZURE_LOCATION swedencentral; azd env set AZURE_SUBSCRIPTION_ID <id>'
    } else {
        Ok names "$name in $location"
    }
}

function Check-Login {
    azd auth login --check-status *> $null
    if ($LASTEXITCODE -ne 0) {
        NotOk login 'azd is not signed in' 'azd auth login'
    }
    # Separate from azd's: the checks below, and the hook after the deployment, ask az.
    $tenant = az account show --subscription $subscription --query tenantId -o tsv 2> $null
    if ($LASTEXITCODE -ne 0) {
        NotOk login "az is not signed in, or does not know subscription $subscription" 'az login'
        return $false
    }
    Ok login "az sees the subscription, of tenant $(Lines $tenant)"
    $true
}

function Check-Providers {
    $unregistered = @()
    foreach ($provider in 'App', 'Authorization', 'CognitiveServices', 'ContainerRegistry', 'DBforPostgreSQL', 'EventGrid',
        'Communication', 'Insights', 'KeyVault', 'ManagedIdentity', 'Network', 'OperationalInsights', 'Storage') {
        $state = az provider show --subscription $subscription --namespace "Microsoft.$provider" `
            --query registrationState -o tsv 2> $null
        if ("$(Lines $state)" -ne 'Registered') { $unregistered += "Microsoft.$provider" }
    }
    if ($unregistered) {
        NotOk providers "not registered in this subscription: $unregistered" `
            "'$($unregistered -join "','")' | ForEach-Object { az provider register --subscription $subscription --namespace `$_ --wait }"
    } else {
        Ok providers 'all are registered'
    }
}

function Check-Roles {
    $me = az ad signed-in-user show --query id -o tsv 2> $null
    if ($LASTEXITCODE -ne 0) {
        Skipped roles "this is no person's sign-in, so who may assign roles is not looked up"
        return
    }
    $held = az role assignment list --assignee "$(Lines $me)" --scope "/subscriptions/$subscription" `
        --include-inherited --include-groups --query '[].roleDefinitionName' -o tsv 2> $null
    $enough = 'Owner', 'User Access Administrator', 'Role Based Access Control Administrator'
    if (Lines $held | Where-Object { $enough -ccontains $_ }) {
        Ok roles 'you may assign roles'
    } else {
        NotOk roles 'you may not assign roles in this subscription, and the server needs some' `
            "have an owner run: az role assignment create --assignee $(Lines $me) --role 'Role Based Access Control Administrator' --scope /subscriptions/$subscription"
    }
}

function Check-Model {
    if (Env 'EXISTING_AI_ID') {
        Skipped model 'the AI account is your own: its deployments are yours to make'
        return $false
    }
    $skus = az cognitiveservices model list --subscription $subscription --location $location `
        --query "[?model.name=='$model' && model.version=='$version'].model.skus[].name" -o tsv 2> $null
    if (@(Lines $skus | ForEach-Object { $_ -split "`t" }) -ccontains $sku) {
        Ok model "$model $version ($sku) is offered in $location"
        return $true
    }
    NotOk model "$model $version ($sku) is not offered in $location" `
        "azd env set AZURE_LOCATION <region>, or another of models in infra/main.parameters.json; az cognitiveservices model list --location $location lists them"
    $false
}

function Check-Quota {
    $used = az cognitiveservices usage list --subscription $subscription --location $location `
        --query "[?name.value=='OpenAI.$sku.$model'].[limit,currentValue]" -o tsv 2> $null
    $numbers = @(Lines $used | ForEach-Object { $_ -split '\s+' })
    if ($numbers.Count -ne 2) {
        Skipped quota "Azure names no quota for OpenAI.$sku.$model here"
        return
    }
    $limit = [math]::Truncate([double]$numbers[0])
    $free = $limit - [math]::Truncate([double]$numbers[1])
    if ($free -ge $capacity) {
        Ok quota "$free of $limit are free, $capacity asked for"
    } elseif ((Env 'SERVICE_APP_RESOURCE_EXISTS' 'false') -eq 'true') {
        Ok quota 'used up, by this very deployment as it seems'
    } else {
        NotOk quota "$free of $limit are free for $model in $location, but $capacity asked for" `
            'less capacity in models of infra/main.parameters.json, another region, or ask for more: https://aka.ms/oai/quotaincrease'
    }
}

# Without it Azure refuses a gateway whose subnet denies what it does not name. Source: Microsoft's page
# "Private Application Gateway deployment"; the refusal is
# ApplicationGatewaySubnetOutboundTrafficBlockedByNetworkSecurityGroup.
function Check-Gateway {
    $feature = "--subscription $subscription --namespace Microsoft.Network --name EnableApplicationGatewayNetworkIsolation"
    if ($network -ne 'locked-down' -or (Env 'EXISTING_VNET_ID')) {
        Skipped gateway 'no gateway stands in a network that is made here'
        return
    }
    $state = az feature show --subscription $subscription --namespace Microsoft.Network `
        --name EnableApplicationGatewayNetworkIsolation --query properties.state -o tsv 2> $null
    if ("$(Lines $state)" -eq 'Registered') {
        Ok gateway 'it may stand in a subnet that denies by default'
    } else {
        NotOk gateway 'this subscription may not put one into a subnet that denies by default' `
            "az feature register $feature; wait until az feature show $feature says Registered; then az provider register --subscription $subscription --namespace Microsoft.Network"
    }
}

function Check-Image {
    $image = Env 'SERVICE_APP_IMAGE_NAME'
    if ($network -eq 'public' -or (Env 'EXISTING_REGISTRY_ID')) {
        Ok image 'azd has it built in the registry'
    } elseif ($image) {
        Ok image "$image, until the next deployment"
    } else {
        Note image "NETWORK=$network closes the registry to azd's builds" `
            'docs/networking.md, The image behind a closed door: three ways to get it in'
    }
}

function Check-Door {
    $users = Env 'SIGN_IN_CLIENT_ID'
    if ($users) {
        Ok door "users of $users may call"
    } elseif ((Env 'ALLOW_ANONYMOUS' 'false') -eq 'true') {
        Note door 'anybody who finds the page may call, at your expense'
    } else {
        NotOk door 'nobody is said to be allowed in' `
            'azd env set SIGN_IN_CLIENT_ID <application> (docs/deploy.md makes one), or ALLOW_ANONYMOUS true'
    }
}

function Check-Telephone {
    $audience = Env 'EVENT_GRID_AUDIENCE'
    if ($phone -ne 'true') {
        Skipped telephone 'PHONE is not true: the agent will talk in browsers only'
    } elseif ($audience) {
        Ok telephone "Event Grid shows its token for $audience"
    } elseif (Env 'EVENT_GRID_SECRET_URI') {
        Ok telephone 'Event Grid shows a secret from the vault'
    } else {
        NotOk telephone 'nothing says how Event Grid proves who it is' `
            'scripts/azd/eventgrid-application.sh registers the application; it sets EVENT_GRID_AUDIENCE'
    }
}

if (Wanted tools) { Check-Tools }
End
if (Wanted names) { Check-Names }
End
if (Wanted login) { if (-not (Check-Login)) { End } }
if (Wanted providers) { Check-Providers }
if (Wanted roles) { Check-Roles }
if (Wanted model) { if (Check-Model) { if (Wanted quota) { Check-Quota } } }
if (Wanted gateway) { Check-Gateway }
if (Wanted image) { Check-Image }
if (Wanted door) { Check-Door }
if (Wanted telephone) { Check-Telephone }
End
