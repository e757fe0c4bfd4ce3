// The private zones, linked to the network: inside it, each service's name leads to its endpoint.

@description('The tags of every resource.')
param tags object
@description('The zones\' names.')
param names string[]
@description('The network that asks them.')
param vnetId string

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for name in names: {
    name: name
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (name, i) in names: {
    parent: zones[i]
    name: 'to-network'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: vnetId }
    }
  }
]
