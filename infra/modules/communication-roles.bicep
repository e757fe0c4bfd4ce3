// What the server's identity may do with the carrier, in the carrier's own group.

@description('The resource\'s name.')
param acsName string
@description('The server\'s identity.')
param principalId string

// Communication and Email Service Owner. Broad, but the only built-in role known to carry Call
// Automation: docs/authentication.md says what that means.
var communicationOwner = '09976791-48a7-449e-bb21-39d1a415f350'

resource acs 'Microsoft.Communication/communicationServices@2025-05-01' existing = {
  name: acsName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(acs.id, principalId, communicationOwner)
  scope: acs
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', communicationOwner)
  }
}

@description('What ACS_ENDPOINT names.')
output endpoint string = 'https://${acs.properties.hostName}'
@description('Whom its tokens are for: ACS_RESOURCE_ID.')
output immutableId string = acs.properties.immutableResourceId
