// Who the server is. Every role of this deployment hangs on this identity.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The identity\'s name.')
param name string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Its resource id.')
output id string = identity.id
@description('What AZURE_CLIENT_ID names.')
output clientId string = identity.properties.clientId
@description('What roles are given to.')
output principalId string = identity.properties.principalId
