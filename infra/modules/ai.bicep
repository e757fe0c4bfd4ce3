// The models: an AIServices account without keys, its deployments, and a project for Foundry agents.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The account\'s name, which is also its host name.')
@minLength(2)
@maxLength(64)
param name string
@description('The model deployments. An agent\'s model is a deployment\'s name.')
param deployments modelDeployment[]
@description('Whether only private endpoints reach it.')
param isolated bool
@description('Where its logs go.')
param workspaceId string

@export()
@description('A model, as it is deployed.')
type modelDeployment = {
  @description('The name that session_config.json gives.')
  name: string
  @description('Its version: pinned, for models retire by version.')
  version: string
  @description('Thousands of tokens a minute.')
  @minValue(1)
  capacity: int
  @description('Where it may compute: anywhere, in a data zone, or in the region.')
  sku: 'GlobalStandard' | 'DataZoneStandard' | 'Standard'
}

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'AIServices'
  sku: { name: 'S0' }
  identity: { type: 'SystemAssigned' }
  properties: {
    allowProjectManagement: true
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: isolated ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: isolated ? 'Deny' : 'Allow' }
  }
}

// One after the other: the account refuses two changes at once.
@batchSize(1)
resource models 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = [
  for deployment in deployments: {
    parent: account
    name: deployment.name
    tags: tags
    sku: { name: deployment.sku, capacity: deployment.capacity }
    properties: {
      model: { format: 'OpenAI', name: deployment.name, version: deployment.version }
      versionUpgradeOption: 'OnceCurrentVersionExpired'
    }
  }
]

resource project 'Microsoft.CognitiveServices/accounts/projects@2025-06-01' = {
  parent: account
  name: 'agents'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {}
  dependsOn: [models]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'Audit', enabled: true }
      { category: 'RequestResponse', enabled: true }
    ]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Its resource id, once the deployments are done: an endpoint must not come earlier.')
output id string = account.id
@description('The project that agents live in.')
output project string = project.name
