// A service's address inside the network, and its names in the private zones.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The endpoint\'s name.')
param name string
@description('The subnet it lies in.')
param subnetId string
@description('The service.')
param serviceId string
@description('Which part of the service: what Azure calls the group id.')
param group string
@description('The private zones that get its names, in this resource group.')
param zoneNames string[]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: name
        properties: { privateLinkServiceId: serviceId, groupIds: [group] }
      }
    ]
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      for zone in zoneNames: {
        name: replace(zone, '.', '-')
        properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zone) }
      }
    ]
  }
}
