// Azure Monitor behind one private endpoint: the scope that names what may be reached through it.

@description('The tags of every resource.')
param tags object
@description('The scope\'s name.')
param name string
@description('The workspace.')
param workspaceId string
@description('Application Insights.')
param insightsId string
@description('Whether queries, too, must come through the endpoint.')
param privateQueries bool

resource linkScope 'Microsoft.Insights/privateLinkScopes@2021-09-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    accessModeSettings: {
      ingestionAccessMode: 'PrivateOnly'
      queryAccessMode: privateQueries ? 'PrivateOnly' : 'Open'
    }
  }
}

resource workspace 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = {
  parent: linkScope
  name: 'workspace'
  properties: { linkedResourceId: workspaceId }
}

resource insights 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = {
  parent: linkScope
  name: 'insights'
  properties: { linkedResourceId: insightsId }
  dependsOn: [workspace]
}

@description('What the endpoint leads to.')
output id string = linkScope.id
