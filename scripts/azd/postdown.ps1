# After `azd down`: what was deleted softly keeps its name, and an AI account its quota, until it is
# purged. `azd down --purge` leaves nothing; this says what another `azd down` left.
# postdown.sh is its twin.
. "$PSScriptRoot/common.ps1"

$group = Env 'AZURE_RESOURCE_GROUP'
$location = Env 'AZURE_LOCATION'

function Left-Accounts {
    if (-not $group) { return }
    $ids = az cognitiveservices account list-deleted `
        --query "[?contains(id, '/resourceGroups/$group/')].name" -o tsv 2> $null
    if ($LASTEXITCODE -ne 0) { return }
    foreach ($name in Lines $ids) {
        Note ai-account "$name holds its name and its quota for 48 hours" `
            "az cognitiveservices account purge --name $name --resource-group $group --location $location"
    }
}

function Left-Vaults {
    if (-not $group) { return }
    $names = az keyvault list-deleted --resource-type vault `
        --query "[?contains(properties.vaultId, '/resourceGroups/$group/')].name" -o tsv 2> $null
    if ($LASTEXITCODE -ne 0) { return }
    foreach ($name in Lines $names) {
        Note key-vault "$name holds its name until it is purged; it costs nothing" `
            "az keyvault purge --name $name --location $location"
    }
}

Left-Accounts
Left-Vaults
Ok down 'nothing that is left of this deployment costs anything'
