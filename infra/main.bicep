// The whole deployment: `azd up` makes this. docs/networking.md has the three levels as pictures,
// docs/authentication.md every role, docs/cost.md what it costs.
targetScope = 'subscription'

import { networkLevel, levels, zones, place } from 'levels.bicep'
import { modelDeployment } from 'modules/ai.bicep'

// ── What it is called, and where ─────────────────────────────────────────────────────────────
@description('The name of this environment; it names the resource group.')
@minLength(1)
@maxLength(64)
param environmentName string
@description('The region. It must offer the models.')
@minLength(1)
param location string
@description('More tags for every resource.')
param extraTags object = {}

// ── What it does ─────────────────────────────────────────────────────────────────────────────
@description('The models, by name and version.')
param models modelDeployment[] = [{ name: 'gpt-realtime-2.1', version: '2026-07-07', capacity: 10, sku: 'GlobalStandard' }]
@description('Whether there is a telephone.')
param phone bool = false
@description('Our own number, E.164, once it is bought.')
param phoneNumber string = ''
@description('The agent that answers the telephone, if not the first.')
param phoneAgent string = ''
@description('Countries (GB) and prefixes (+4420) that the agent may ring, separated by commas. Empty: nobody.')
param dialAllowed string = ''
@description('Where ACS keeps data at rest.')
param carrierData string = 'Europe'
@description('The Entra application that Event Grid\'s tokens are for.')
param eventGridAudience string = ''
@description('Or a Key Vault secret with what the web hook\'s address ends in.')
param eventGridSecretUri string = ''
@description('Whether calls over WebRTC are offered: auto is yes where the level has it.')
param webrtc 'auto' | 'on' | 'off' = 'auto'
@description('The records: auto is PostgreSQL where there is a telephone or may be several replicas.')
param records 'auto' | 'postgres' | 'sqlite' = 'auto'
@description('Whether there is a place for recordings.')
param recordings bool = false
@description('More variables of the server, by name: any that .env.example has.')
param settings object = {}

// ── Who may come in ──────────────────────────────────────────────────────────────────────────
@description('The Entra application whose users may open the page, and call with a role.')
param signInClientId string = ''
@description('Anybody who reaches the page may call, at your expense.')
param allowAnonymous bool = false

// ── How much of it ───────────────────────────────────────────────────────────────────────────
@description('Replicas, at least.')
@minValue(1)
@maxValue(100)
param minReplicas int = 1
@description('Replicas, at most.')
@minValue(1)
@maxValue(100)
param maxReplicas int = 1
@description('Calls that one replica takes.')
@minValue(1)
@maxValue(1000)
param maxCalls int = 20
@description('Whether the platform also counts live calls, by the server\'s own measurement, to add replicas.')
param scaleOnCalls bool = true
@description('How long a replica that is told to stop may finish its calls.')
@minValue(60)
@maxValue(600)
param graceSeconds int = 600
@description('Where alerts are mailed.')
param alertEmail string = ''
@description('How long logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30
@description('The image; azd knows it after the first deployment.')
param image string = ''

// ── How closed it is ─────────────────────────────────────────────────────────────────────────
@description('How far the deployment is closed off.')
param network networkLevel = 'public'
@description('The addresses of the network, a /22 or larger.')
param networkCidr string = '10.80.0.0/22'
@description('Where browsers may come from: address ranges separated by commas, or Internet. With a telephone only at locked-down.')
param callers string = 'Internet'
@description('The proxies in front, as networks, whose word about callers\' addresses is believed; if not the network made here.')
param trustedProxies string = ''
@description('The host name at the gateway, for locked-down.')
param gatewayHost string = ''
@description('Its certificate: a Key Vault secret that certificatesIdentityId may read.')
param gatewayCertificateSecretId string = ''
@description('The user-assigned identity that reads certificates.')
param certificatesIdentityId string = ''
@description('The firewall: Standard, or Premium with TLS inspection.')
param firewallTier 'Standard' | 'Premium' = 'Standard'
@description('For Premium: the certificate authority it signs with, a Key Vault secret.')
param inspectionCertificateSecretId string = ''
@description('A DDoS protection plan.')
param ddosPlanId string = ''
@description('Whether what crosses the network is logged. It needs a storage account for recordings.')
param flowLogs bool = false

// ── What is brought, by resource id, instead of made ─────────────────────────────────────────
@description('An AIServices account with the models.')
param existingAiId string = ''
@description('A Communication Services resource.')
param existingAcsId string = ''
@description('A container registry.')
param existingRegistryId string = ''
@description('A network with subnets named apps and endpoints, and gateway for locked-down.')
param existingVnetId string = ''
@description('A Log Analytics workspace.')
param existingWorkspaceId string = ''

// ── What contradicts itself is refused, all of it at once ────────────────────────────────────
var wanted = levels[network]
var everybody = callers == 'Internet'
var refusals = filter(
  [
    !allowAnonymous && empty(signInClientId) ? 'Nobody is said to be allowed in: set SIGN_IN_CLIENT_ID to an Entra application, or ALLOW_ANONYMOUS=true if anybody may call at your expense.' : ''
    allowAnonymous && !empty(signInClientId) ? 'ALLOW_ANONYMOUS and SIGN_IN_CLIENT_ID are both set: the page is either open or not.' : ''
    webrtc == 'on' && !wanted.webrtc ? 'WEBRTC=on needs browsers to reach Azure OpenAI themselves, which ${network} forbids: leave it on auto (calls then go over WebSockets), or take NETWORK=public.' : ''
    records == 'sqlite' && maxReplicas > 1 ? 'RECORDS=sqlite is for one replica: set MAX_REPLICAS=1, or leave RECORDS on auto.' : ''
    minReplicas > maxReplicas ? 'MIN_REPLICAS is more than MAX_REPLICAS.' : ''
    !phone && !empty(phoneNumber) ? 'PHONE_NUMBER is set, but PHONE is not: set PHONE=true.' : ''
    !phone && !empty(dialAllowed) ? 'DIAL_ALLOWED is set, but PHONE is not: set PHONE=true.' : ''
    phone && empty(eventGridAudience) && empty(eventGridSecretUri) ? 'PHONE=true needs a lock on incoming calls: set EVENT_GRID_AUDIENCE to an Entra application, or EVENT_GRID_SECRET_URI to a Key Vault secret.' : ''
    !phone && !empty(existingAcsId) ? 'EXISTING_ACS_ID is set, but PHONE is not: set PHONE=true.' : ''
    wanted.inspected && (empty(gatewayHost) || empty(gatewayCertificateSecretId) || empty(certificatesIdentityId)) ? 'NETWORK=locked-down needs GATEWAY_HOST, GATEWAY_CERTIFICATE_SECRET_ID and CERTIFICATES_IDENTITY_ID.' : ''
    !wanted.inspected && !empty(gatewayHost) ? 'GATEWAY_HOST is set, but only NETWORK=locked-down has a gateway.' : ''
    firewallTier == 'Premium' && !(wanted.inspected && empty(existingVnetId)) ? 'FIREWALL_TIER=Premium is set, but this deployment makes no firewall: only NETWORK=locked-down without EXISTING_VNET_ID does.' : ''
    firewallTier == 'Premium' && empty(inspectionCertificateSecretId) ? 'FIREWALL_TIER=Premium needs INSPECTION_CERTIFICATE_SECRET_ID to look inside TLS.' : ''
    firewallTier == 'Standard' && !empty(inspectionCertificateSecretId) ? 'INSPECTION_CERTIFICATE_SECRET_ID is set, but only FIREWALL_TIER=Premium looks inside TLS.' : ''
    !wanted.isolated && !empty(existingVnetId) ? 'EXISTING_VNET_ID is set, but NETWORK=public uses no network.' : ''
    !wanted.isolated && !empty(ddosPlanId) ? 'DDOS_PLAN_ID is set, but NETWORK=public makes no network to protect.' : ''
    !empty(existingVnetId) && !empty(ddosPlanId) ? 'DDOS_PLAN_ID is set, but the network is brought: protect it where it is made.' : ''
    phone && !everybody && !wanted.inspected ? 'CALLERS is set, and so is PHONE: the ingress of NETWORK=${network} would keep Event Grid out, whose addresses nobody publishes as ranges. Take NETWORK=locked-down, or leave CALLERS on Internet.' : ''
    flowLogs && !(wanted.isolated && recordings) ? 'FLOW_LOGS=true needs a network (NETWORK=private or locked-down) and a storage account (RECORDINGS=true).' : ''
  ],
  refusal => !empty(refusal)
)
var level = empty(refusals) ? wanted : fail(join(refusals, ' '))

// ── Names and places ─────────────────────────────────────────────────────────────────────────
var token = uniqueString(subscription().id, environmentName, location)
var tags = union(extraTags, { 'azd-env-name': environmentName })
var groupName = 'rg-${environmentName}'
// Not 80: the platform lets nobody but root listen below 1024, and the image does not run as root.
var port = 8000
var appName = 'ca-${token}'
var identityName = 'id-${token}'
var insightsName = 'appi-${token}'
var withPostgres = records == 'postgres' || (records == 'auto' && (phone || maxReplicas > 1))
var makesNetwork = level.isolated && empty(existingVnetId)
var aiPlace = place(existingAiId, subscription().subscriptionId, groupName, 'ai-${token}')
var acsPlace = place(existingAcsId, subscription().subscriptionId, groupName, 'acs-${token}')
var registryPlace = place(existingRegistryId, subscription().subscriptionId, groupName, 'cr${token}')
var workspacePlace = place(existingWorkspaceId, subscription().subscriptionId, groupName, 'log-${token}')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

// ── Who it is, and where its logs go ─────────────────────────────────────────────────────────
module identity 'modules/identity.bicep' = {
  scope: group
  params: { location: location, tags: tags, name: identityName }
}

module monitor 'modules/monitor.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceName: workspacePlace.name
    insightsName: insightsName
    existingWorkspaceId: existingWorkspaceId
    privateIngestion: level.isolated
    privateQueries: !level.scalesOnCalls
    retentionDays: logDays
  }
}

module monitorRoles 'modules/monitor-roles.bicep' = {
  scope: resourceGroup(workspacePlace.subscription, workspacePlace.group)
  params: { workspaceName: workspacePlace.name, principalId: identity.outputs.principalId }
  dependsOn: [monitor]
}

module insightsRoles 'modules/insights-roles.bicep' = {
  scope: group
  params: { insightsName: insightsName, principalId: identity.outputs.principalId }
  dependsOn: [monitor]
}

// ── What it talks with: models, telephone ────────────────────────────────────────────────────
module ai 'modules/ai.bicep' = if (empty(existingAiId)) {
  scope: group
  params: {
    location: location
    tags: tags
    name: aiPlace.name
    deployments: models
    isolated: level.isolated
    workspaceId: monitor.outputs.workspaceId
  }
}

module aiRoles 'modules/ai-roles.bicep' = {
  scope: resourceGroup(aiPlace.subscription, aiPlace.group)
  params: { accountName: aiPlace.name, principalId: identity.outputs.principalId }
  dependsOn: [ai]
}

module acs 'modules/communication.bicep' = if (phone && empty(existingAcsId)) {
  scope: group
  params: {
    tags: tags
    name: acsPlace.name
    dataLocation: carrierData
    workspaceId: monitor.outputs.workspaceId
  }
}

module acsRoles 'modules/communication-roles.bicep' = if (phone) {
  scope: resourceGroup(acsPlace.subscription, acsPlace.group)
  params: { acsName: acsPlace.name, principalId: identity.outputs.principalId }
  dependsOn: [acs]
}

module incoming 'modules/incoming.bicep' = if (phone) {
  // A system topic lies beside its source.
  scope: resourceGroup(acsPlace.subscription, acsPlace.group)
  params: {
    tags: tags
    name: 'evgt-${token}'
    acsId: empty(existingAcsId) ? acs!.outputs.id : existingAcsId
    workspaceId: monitor.outputs.workspaceId
  }
}

// ── What it keeps: image, secrets, records, recordings ───────────────────────────────────────
module registry 'modules/registry.bicep' = if (empty(existingRegistryId)) {
  scope: group
  params: {
    location: location
    tags: tags
    name: registryPlace.name
    isolated: level.isolated
    workspaceId: monitor.outputs.workspaceId
  }
}

module registryRoles 'modules/registry-roles.bicep' = {
  scope: resourceGroup(registryPlace.subscription, registryPlace.group)
  params: { registryName: registryPlace.name, principalId: identity.outputs.principalId }
  dependsOn: [registry]
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'kv-${token}'
    principalId: identity.outputs.principalId
    isolated: level.isolated
    workspaceId: monitor.outputs.workspaceId
  }
}

module postgres 'modules/postgres.bicep' = if (withPostgres) {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'psql-${token}'
    identityName: identityName
    principalId: identity.outputs.principalId
    isolated: level.isolated
    highlyAvailable: level.inspected
    backupDays: level.isolated ? 35 : 7
    workspaceId: monitor.outputs.workspaceId
  }
}

module storage 'modules/storage.bicep' = if (recordings) {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'st${token}'
    principalId: identity.outputs.principalId
    carrierPrincipalId: phone && empty(existingAcsId) && level.recordsAtCarrier ? acs!.outputs.principalId : ''
    isolated: level.isolated
    retentionDays: 90
    workspaceId: monitor.outputs.workspaceId
  }
}

// ── The network, where there is one ──────────────────────────────────────────────────────────
module vnet 'modules/network.bicep' = if (makesNetwork) {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'vnet-${token}'
    cidr: networkCidr
    callers: split(callers, ',')
    phone: phone
    inspected: level.inspected
    ddosPlanId: ddosPlanId
    workspaceId: monitor.outputs.workspaceId
  }
}

var vnetId = !level.isolated ? '' : makesNetwork ? vnet!.outputs.id : existingVnetId

module monitorScope 'modules/monitor-private.bicep' = if (level.isolated) {
  scope: group
  params: {
    tags: tags
    name: 'ampls-${token}'
    workspaceId: monitor.outputs.workspaceId
    insightsId: monitor.outputs.insightsId
    privateQueries: !level.scalesOnCalls
  }
}

// Every private service: its id, its group id, its zones.
var privateServices = filter(
  [
    { name: 'ai', present: level.isolated, group: 'account', zones: zones.ai }
    { name: 'registry', present: level.isolated, group: 'registry', zones: zones.registry }
    { name: 'vault', present: level.isolated, group: 'vault', zones: zones.vault }
    { name: 'monitor', present: level.isolated, group: 'azuremonitor', zones: zones.monitor }
    { name: 'postgres', present: level.isolated && withPostgres, group: 'postgresqlServer', zones: zones.postgres }
    { name: 'storage', present: level.isolated && recordings, group: 'blob', zones: zones.storage }
  ],
  service => service.present
)
var serviceIds = {
  ai: empty(existingAiId) ? ai!.outputs.id : existingAiId
  registry: empty(existingRegistryId) ? registry!.outputs.id : existingRegistryId
  vault: vault.outputs.id
  monitor: level.isolated ? monitorScope!.outputs.id : ''
  postgres: withPostgres ? postgres!.outputs.id : ''
  storage: recordings ? storage!.outputs.id : ''
}

module privateDns 'modules/private-dns.bicep' = if (level.isolated) {
  scope: group
  params: {
    tags: tags
    names: union(flatten(map(privateServices, service => service.zones)), [])
    vnetId: vnetId
  }
}

@batchSize(1)
module endpoints 'modules/private-endpoint.bicep' = [
  for service in privateServices: {
    name: 'endpoint-${service.name}'
    scope: group
    params: {
      location: location
      tags: tags
      name: 'pe-${service.name}-${token}'
      subnetId: '${vnetId}/subnets/endpoints'
      serviceId: serviceIds[service.name]
      group: service.group
      zoneNames: service.zones
    }
    dependsOn: [privateDns]
  }
]

module firewall 'modules/firewall.bicep' = if (makesNetwork && level.inspected) {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'afw-${token}'
    vnetId: vnetId
    appsCidr: vnet!.outputs.appsCidr
    tier: firewallTier
    inspectionCertificateSecretId: inspectionCertificateSecretId
    certificatesIdentityId: certificatesIdentityId
    carrierHost: phone ? replace(acsRoles!.outputs.endpoint, 'https://', '') : ''
    workspaceId: monitor.outputs.workspaceId
  }
}

module flows 'modules/flow-logs.bicep' = if (flowLogs) {
  // Azure's own group of network watchers.
  scope: resourceGroup('NetworkWatcherRG')
  params: {
    location: location
    tags: tags
    name: 'flow-${token}'
    vnetId: vnetId
    storageId: storage!.outputs.id
    workspaceId: monitor.outputs.workspaceId
  }
}

// ── The server ───────────────────────────────────────────────────────────────────────────────
module environment 'modules/environment.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'cae-${token}'
    subnetId: level.isolated ? '${vnetId}/subnets/apps' : ''
    internal: level.inspected
    workspaceId: monitor.outputs.workspaceId
  }
  dependsOn: [firewall]
}

var ownUrl = 'https://${appName}.${environment.outputs.domain}'
var publicUrl = level.inspected ? 'https://${gatewayHost}' : ownUrl

module app 'modules/app.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: appName
    environmentId: environment.outputs.id
    identityId: identity.outputs.id
    registryServer: registryRoles.outputs.loginServer
    image: image
    port: port
    // An ingress on a public address is not behind the subnet's security group.
    callers: everybody || level.inspected ? [] : split(callers, ',')
    environment: union(settings, {
      HOST: '0.0.0.0'
      PORT: port
      PUBLIC_URL: publicUrl
      // The gateway asks by the app's own name, which the server must then know as its own.
      ALLOWED_ORIGINS: level.inspected ? ownUrl : ''
      ALLOW_ANONYMOUS: allowAnonymous ? 'true' : 'false'
      // The platform's door asks people who they are; the server takes its word, and looks for a role.
      SIGN_IN: empty(signInClientId) ? '' : 'platform'
      SIGN_IN_CLIENT_ID: signInClientId
      SIGN_IN_TENANT_ID: empty(signInClientId) ? '' : tenant().tenantId
      // In a network made here, nobody else stands before the server.
      TRUSTED_PROXIES: empty(trustedProxies) && makesNetwork ? networkCidr : trustedProxies
      AZURE_CLIENT_ID: identity.outputs.clientId
      AZURE_OPENAI_ENDPOINT: aiRoles.outputs.openAiEndpoint
      AZURE_VOICELIVE_ENDPOINT: aiRoles.outputs.voiceLiveEndpoint
      WEBRTC: webrtc == 'off' || !level.webrtc ? 'false' : 'true'
      ACS_ENDPOINT: phone ? acsRoles!.outputs.endpoint : ''
      ACS_RESOURCE_ID: phone ? acsRoles!.outputs.immutableId : ''
      ACS_NUMBER: phoneNumber
      PHONE_AGENT: phoneAgent
      DIAL_ALLOWED: dialAllowed
      EVENT_GRID_TENANT_ID: phone && !empty(eventGridAudience) ? tenant().tenantId : ''
      EVENT_GRID_AUDIENCE: eventGridAudience
      DATA_DIR: '/data'
      DATABASE_URL: withPostgres ? postgres!.outputs.url : ''
      MAX_CALLS: maxCalls
      // The platform kills at the end of its own grace. Before that: goodbyes (10 s), hanging up (5),
      // closing sockets (5), the last records and telemetry (5 each).
      DRAIN_SECONDS: graceSeconds - 30
      LOG_FORMAT: 'json'
      APPLICATIONINSIGHTS_CONNECTION_STRING: monitor.outputs.ingestion
    })
    secrets: { EVENT_GRID_SECRET: eventGridSecretUri }
    minReplicas: minReplicas
    maxReplicas: maxReplicas
    maxCalls: maxCalls
    graceSeconds: graceSeconds
    callsWorkspace: level.scalesOnCalls && scaleOnCalls ? monitorRoles.outputs.customerId : ''
    insightsName: insightsName
  }
  // The image is pulled, the models called and the secrets read with roles: those come first.
  dependsOn: [endpoints, vault, insightsRoles]
}

module signIn 'modules/sign-in.bicep' = if (!empty(signInClientId)) {
  scope: group
  params: { appName: app.outputs.name, clientId: signInClientId, behindGateway: level.inspected }
}

module environmentDns 'modules/environment-dns.bicep' = if (level.inspected) {
  scope: group
  params: {
    tags: tags
    domain: environment.outputs.domain
    address: environment.outputs.address
    vnetId: vnetId
  }
}

module gateway 'modules/gateway.bicep' = if (level.inspected) {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'agw-${token}'
    subnetId: '${vnetId}/subnets/gateway'
    appHost: app.outputs.host
    hostName: gatewayHost
    certificateSecretId: gatewayCertificateSecretId
    certificatesIdentityId: certificatesIdentityId
    workspaceId: monitor.outputs.workspaceId
  }
  dependsOn: [environmentDns]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    email: alertEmail
    appId: app.outputs.id
    appName: appName
    insightsName: insightsName
    workspaceId: monitor.outputs.workspaceId
    databaseId: serviceIds.postgres
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: { location: location, tags: tags, insightsId: monitor.outputs.insightsId }
}

// ── What azd and its hooks go on with ────────────────────────────────────────────────────────
output AZURE_RESOURCE_GROUP string = groupName
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registryRoles.outputs.loginServer
output AZURE_AI_ACCOUNT string = aiPlace.name
output AZURE_KEY_VAULT string = 'kv-${token}'
output SERVICE_APP_NAME string = app.outputs.name
output SWITCHBOARD_URL string = publicUrl
output SWITCHBOARD_NETWORK string = network
output SWITCHBOARD_GATEWAY_ADDRESS string = level.inspected ? gateway!.outputs.publicAddress : ''
output SWITCHBOARD_OUTGOING_ADDRESS string = makesNetwork && level.inspected ? firewall!.outputs.publicAddress : ''
output SWITCHBOARD_FOUNDRY_PROJECT string = empty(existingAiId) ? ai!.outputs.project : ''
output ACS_RESOURCE string = phone ? acsPlace.name : ''
output ACS_RESOURCE_GROUP string = phone ? acsPlace.group : ''
output EVENT_GRID_TOPIC string = phone ? incoming!.outputs.topic : ''
