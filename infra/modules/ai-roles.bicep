// What the server's identity may do with the models, in the account's own group.

@description('The account\'s name.')
param accountName string
@description('The server\'s identity.')
param principalId string

var roles = {
  openAiUser: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd' // Cognitive Services OpenAI User: Azure OpenAI
  cognitiveUser: 'a97b65f3-24c7-4388-baec-2e87135dc908' // Cognitive Services User: Voice Live
  foundryUser: '53ca6127-db72-4b80-b1b0-d745d6d5456d' // Foundry User: Voice Live and Foundry's agents
}

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: accountName
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    name: guid(account.id, principalId, role.value)
    scope: account
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    }
  }
]

@description('Azure OpenAI.')
output openAiEndpoint string = 'https://${account.properties.customSubDomainName}.openai.azure.com'
@description('Voice Live.')
output voiceLiveEndpoint string = 'https://${account.properties.customSubDomainName}.services.ai.azure.com'
