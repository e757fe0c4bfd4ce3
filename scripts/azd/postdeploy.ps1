# After each deployment: wait for the app, subscribe to incoming calls, have the doctor look, and say
# what comes next. May be run any number of times. postdeploy.sh is its twin.
. "$PSScriptRoot/common.ps1"

$url = (Env 'SWITCHBOARD_URL').TrimEnd('/')
$group = Env 'AZURE_RESOURCE_GROUP'
$app = Env 'SERVICE_APP_NAME'
$topic = Env 'EVENT_GRID_TOPIC'
$acs = Env 'ACS_RESOURCE'
$acsGroup = Env 'ACS_RESOURCE_GROUP'
# A carrier that was there before may be in another subscription, and the topic lies beside it.
$acsSubscription = ((Env 'EXISTING_ACS_ID' "//$(Env 'AZURE_SUBSCRIPTION_ID')") -split '/')[2]
$subscription = 'incoming-calls'
$patience = [int](Env 'PATIENCE_S' '300')
$pause = [int](Env 'PAUSE_S' '5')
$script:endpoint = ''

# Whether it succeeds in time.
function Until-True([scriptblock] $look) {
    $waited = 0
    while (-not (& $look)) {
        if ($waited -ge $patience) { return $false }
        Start-Sleep -Seconds $pause
        $waited += $pause + 1
    }
    $true
}

# The placeholder that stands in before the first deployment answers 204.
function App-Answers {
    try { (Invoke-WebRequest -Uri "$url/livez" -TimeoutSec 10 -UseBasicParsing).StatusCode -eq 200 } catch { $false }
}

# Event Grid asks the same before it delivers anything (CloudEvents 1.0, "HTTP 1.1 Web Hooks").
function Handshake-Answers {
    try {
        $answer = Invoke-WebRequest -Method Options -Uri $script:endpoint -TimeoutSec 10 -UseBasicParsing `
            -Headers @{ 'WebHook-Request-Origin' = 'eventgrid.azure.net' }
        "$($answer.Headers['WebHook-Allowed-Origin'])" -eq 'eventgrid.azure.net'
    } catch { $false }
}

function Wait-For-App {
    if (-not $url) {
        NotOk app 'azd knows no address of the app (SWITCHBOARD_URL)' 'azd provision'
        return $false
    }
    Say "Waiting for $url …"
    $gateway = Env 'SWITCHBOARD_GATEWAY_ADDRESS'
    if (Until-True { App-Answers }) {
        Ok app "$url answers"
        return $true
    }
    if ($gateway) {
        NotOk app "$url does not answer after $patience s" `
            "lead that name to $gateway in your DNS, then: azd hooks run postdeploy"
        return $false
    }
    NotOk app "$url does not answer after $patience s" `
        "az containerapp logs show --name $app --resource-group $group --tail 50; docs/troubleshooting.md"
    $false
}

function Subscribed-To {
    az eventgrid system-topic event-subscription show --name $subscription `
        --resource-group $acsGroup --system-topic-name $topic --subscription $acsSubscription `
        --include-full-endpoint-url true --query destination.endpointUrl -o tsv 2> $null
}

function Subscribe {
    if (-not $acs -or -not $topic) {
        Skipped incoming-calls 'there is no telephone'
        return
    }
    $address = "$url/api/phone/incoming"
    $script:endpoint = $address
    $audience = Env 'EVENT_GRID_AUDIENCE'
    $proof = '--azure-active-directory-tenant-id', (Env 'AZURE_TENANT_ID'),
        '--azure-active-directory-application-id-or-uri', $audience
    if (-not $audience) {
        $secret = az keyvault secret show --id (Env 'EVENT_GRID_SECRET_URI') --query value -o tsv 2> $null
        if ($LASTEXITCODE -ne 0) {
            NotOk incoming-calls 'the secret of EVENT_GRID_SECRET_URI cannot be read' `
                'give yourself the role Key Vault Secrets User, then: azd hooks run postdeploy'
            return
        }
        $script:endpoint = "${address}?secret=$(Lines $secret)"
        $proof = @()
    }
    if ("$(Lines (Subscribed-To))" -ceq $script:endpoint) {
        Ok incoming-calls "Event Grid delivers to $address already"
        return
    }
    if (-not (Until-True { Handshake-Answers })) {
        NotOk incoming-calls "the app does not answer Event Grid's handshake at $address" `
            'see whether the doctor below finds ACS_ENDPOINT set, then: azd hooks run postdeploy'
        return
    }
    # An event older than a minute is no call any more; a second try is enough for one that is.
    $reason = az eventgrid system-topic event-subscription create --name $subscription `
        --resource-group $acsGroup --system-topic-name $topic --subscription $acsSubscription `
        --endpoint $script:endpoint --endpoint-type webhook `
        --event-delivery-schema cloudeventschemav1_0 `
        --included-event-types Microsoft.Communication.IncomingCall `
        --max-delivery-attempts 2 --event-ttl 1 @proof -o none 2>&1
    if ($LASTEXITCODE -eq 0) {
        Ok incoming-calls "Event Grid delivers to $address"
    } else {
        # Its words may repeat the address, and that may end in the secret.
        $first = "$(Lines $reason | Select-Object -First 1)" -replace 'secret=\S*', 'secret=…'
        NotOk incoming-calls "Event Grid refused: $first" `
            'you must own the application EVENT_GRID_AUDIENCE; then: azd hooks run postdeploy'
    }
}

function Ask-Doctor {
    $byHand = "az containerapp exec --name $app --resource-group $group --command 'switchboard doctor'"
    $told = az containerapp exec --name $app --resource-group $group --command 'switchboard doctor' 2>&1
    if ($LASTEXITCODE -ne 0) {
        Note doctor 'could not be asked from here' $byHand
        return
    }
    $found = @(Lines $told | Where-Object { $_ -cmatch '^(ok|not ok|skipped) ' })
    if ($found) { $found | ForEach-Object { Say $_ } } else { Note doctor 'said nothing' $byHand }
    if ($found -cmatch '^not ok ') {
        Note doctor 'something is not ok yet; new roles take some minutes to count' $byHand
    }
}

$buy = 'buy one in the portal (docs/deploy.md), then: azd env set PHONE_NUMBER +<number> && azd up'

function Tell-Number {
    if (-not $acs) { return }
    $number = Env 'PHONE_NUMBER'
    if ($number) {
        Ok number "the agent answers $number"
        return
    }
    $acsHost = az resource show --name $acs --resource-group $acsGroup --subscription $acsSubscription `
        --resource-type Microsoft.Communication/communicationServices --query properties.hostName -o tsv 2> $null
    $owned = az rest --method get --url "https://$(Lines $acsHost)/phoneNumbers?api-version=2025-06-01" `
        --resource https://communication.azure.com --query 'phoneNumbers[].phoneNumber' -o tsv 2> $null
    if ($LASTEXITCODE -ne 0) {
        Note number 'who owns which number cannot be told with your sign-in' $buy
    } elseif (-not (Lines $owned)) {
        Note number 'none is bought yet, so nobody can ring' $buy
    } else {
        Note number "bought, and not set: $(Lines $owned)" `
            "azd env set PHONE_NUMBER $(Lines $owned | Select-Object -First 1) && azd up"
    }
}

if (-not (Wait-For-App)) { End }
Subscribe
Ask-Doctor
Tell-Number
End
Say "Next: open $url and talk to the agent. docs/troubleshooting.md helps where it does not answer."
