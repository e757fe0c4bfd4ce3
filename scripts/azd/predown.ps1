# Before `azd down`: a telephone number that was bought is paid for by the month. Whether it is released
# with the resource that goes is documented nowhere, so nothing is deleted while there is one.
# predown.sh is its twin.
. "$PSScriptRoot/common.ps1"

$acs = Env 'ACS_RESOURCE'
$acsGroup = Env 'ACS_RESOURCE_GROUP'
$subscription = Env 'AZURE_SUBSCRIPTION_ID'

function Check-Numbers {
    if (-not $acs -or (Env 'EXISTING_ACS_ID')) {
        Skipped numbers 'no carrier goes'
        return
    }
    $acsHost = az resource show --name $acs --resource-group $acsGroup --subscription $subscription `
        --resource-type Microsoft.Communication/communicationServices --query properties.hostName -o tsv 2> $null
    $owned = az rest --method get --url "https://$(Lines $acsHost)/phoneNumbers?api-version=2025-06-01" `
        --resource https://communication.azure.com --query 'phoneNumbers[].phoneNumber' -o tsv 2> $null
    if ($LASTEXITCODE -ne 0) {
        Note numbers 'who owns which number cannot be told with your sign-in' `
            "look in the portal: $acs, Phone numbers; what is bought there may go on costing"
    } elseif (Lines $owned) {
        NotOk numbers "bought, and paid for until released: $(Lines $owned)" `
            "in the portal: $acs, Phone numbers, Release; or keep them, and pay: azd env set SKIP_CHECKS numbers"
    } else {
        Ok numbers 'none is bought'
    }
}

if (Wanted numbers) { Check-Numbers }
End
