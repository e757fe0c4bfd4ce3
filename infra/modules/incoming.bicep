// Where the carrier's events come out. The subscription to it is made after the deployment, once
// the server answers Event Grid's handshake.

@description('The tags of every resource.')
param tags object
@description('The topic\'s name.')
param name string
@description('The carrier whose events these are.')
param acsId string
@description('Where its logs go.')
param workspaceId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    source: acsId
    topicType: 'Microsoft.Communication.CommunicationServices'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: topic
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('The topic that the hook subscribes to.')
output topic string = topic.name
