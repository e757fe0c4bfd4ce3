// The records' database where a container's own disk is not enough: Entra only, no password at all.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The server\'s name, which is also its host name.')
@minLength(3)
@maxLength(63)
param name string
@description('The server\'s identity by name: the user that it signs in as.')
param identityName string
@description('The same identity: its object id.')
param principalId string
@description('Whether only private endpoints reach it.')
param isolated bool
@description('Whether a second server stands by in another zone.')
param highlyAvailable bool
@description('How many days back it can be restored to.')
@minValue(7)
@maxValue(35)
param backupDays int
@description('Where its logs go.')
param workspaceId string

var databaseName = 'switchboard'

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: name
  location: location
  tags: tags
  // A standby needs General Purpose; burstable servers have none.
  sku: highlyAvailable
    ? { name: 'Standard_D2ds_v5', tier: 'GeneralPurpose' }
    : { name: 'Standard_B1ms', tier: 'Burstable' }
  properties: {
    version: '16'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: { storageSizeGB: 32, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: backupDays, geoRedundantBackup: 'Disabled' }
    highAvailability: { mode: highlyAvailable ? 'ZoneRedundant' : 'Disabled' }
    network: { publicNetworkAccess: isolated ? 'Disabled' : 'Enabled' }
  }
}

resource encryptedOnly 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = {
  parent: server
  name: 'ssl_min_protocol_version'
  properties: { value: 'TLSv1.2', source: 'user-override' }
}

// The server refuses two changes at once, so each waits for the one before.
resource owner 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01' = {
  parent: server
  name: principalId
  properties: {
    principalName: identityName
    principalType: 'ServicePrincipal'
    tenantId: tenant().tenantId
  }
  dependsOn: [encryptedOnly]
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: server
  name: databaseName
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
  dependsOn: [owner]
}

// Development only: the container's outgoing address is not known beforehand. Nobody gets in
// without a token of the administrator above.
resource fromAzure 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2024-08-01' = if (!isolated) {
  parent: server
  name: 'from-azure'
  properties: { startIpAddress: '0.0.0.0', endIpAddress: '0.0.0.0' }
  dependsOn: [database]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Its resource id.')
output id string = server.id
@description('What DATABASE_URL is: a user without a password, who shows a token instead.')
output url string = 'postgresql+asyncpg://${identityName}@${server.properties.fullyQualifiedDomainName}:5432/${databaseName}?ssl=require'
