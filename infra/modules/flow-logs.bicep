// What crossed the network: its flow log, in the group and under the watcher that Azure keeps for
// each region.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The log\'s name.')
param name string
@description('The network.')
param vnetId string
@description('The storage account that keeps it, in the same region.')
param storageId string
@description('Where it is analysed.')
param workspaceId string

resource watcher 'Microsoft.Network/networkWatchers@2024-07-01' existing = {
  name: 'NetworkWatcher_${location}'
}

resource log 'Microsoft.Network/networkWatchers/flowLogs@2024-07-01' = {
  parent: watcher
  name: name
  location: location
  tags: tags
  properties: {
    targetResourceId: vnetId
    storageId: storageId
    enabled: true
    format: { type: 'JSON', version: 2 }
    retentionPolicy: { enabled: true, days: 30 }
    flowAnalyticsConfiguration: {
      networkWatcherFlowAnalyticsConfiguration: {
        enabled: true
        workspaceResourceId: workspaceId
        workspaceRegion: location
        trafficAnalyticsInterval: 60
      }
    }
  }
}
