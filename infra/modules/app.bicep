// The server itself. Its environment is everything that src/switchboard/settings.py knows and that
// a deployment has an opinion on; tests/infra/test_variables.py compares the two.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('The app\'s name.')
@maxLength(32)
param name string
@description('The environment it runs in.')
param environmentId string
@description('The server\'s identity.')
param identityId string
@description('Where its image is.')
param registryServer string
@description('The image; empty before the first deployment, when a placeholder stands in.')
param image string
@description('The port of the image, and of the placeholder.')
@minValue(1024)
param port int
@description('Where callers may come from, as address ranges. Empty: from anywhere.')
param callers string[]
@description('Plain values of the environment, by name. An empty one is left out.')
param environment object
@description('Values that are read from the vault by the identity: name to secret URI. An empty one is left out.')
param secrets object
@description('How many run at least. A cold start would lose calls.')
@minValue(1)
param minReplicas int
@description('How many run at most.')
@minValue(1)
param maxReplicas int
@description('How many calls one takes.')
param maxCalls int
@description('How long one that is told to stop may finish its calls.')
@minValue(30)
@maxValue(600)
param graceSeconds int
@description('The GUID of the workspace in which live calls are counted, or empty: they are not.')
param callsWorkspace string
@description('Application Insights\' name, by which this deployment\'s calls are told from others\'.')
param insightsName string

var placeholder = 'mcr.microsoft.com/azurelinux/base/python:3.12'
var plain = filter(items(environment), item => !empty(item.value))
var secret = filter(items(secrets), item => !empty(item.value))

// The newest count of each replica that has told of itself lately: one that died is soon forgotten.
var liveCalls = 'AppMetrics | where TimeGenerated > ago(5m) and Name == "switchboard.calls.active" and _ResourceId endswith "/${insightsName}" | extend channel = tostring(Properties["switchboard.channel"]) | summarize arg_max(TimeGenerated, Sum) by AppRoleInstance, channel | summarize live = coalesce(sum(Sum), 0.0)'

// Each call holds sockets open, and by them counts as requests in flight.
var byConnections = {
  name: 'connections'
  http: { metadata: { concurrentRequests: string(maxCalls) } }
}
// Should sockets not count, the work that they make does.
var byWork = {
  name: 'work'
  custom: { type: 'cpu', metadata: { type: 'Utilization', value: '60' } }
}
var byCalls = {
  name: 'live-calls'
  custom: {
    type: 'azure-log-analytics'
    identity: identityId
    metadata: {
      tenantId: tenant().tenantId
      workspaceId: callsWorkspace
      query: liveCalls
      threshold: string(max(1, maxCalls * 7 / 10))
    }
  }
}

var probes = [
  {
    // Up to two minutes: migrations run before the first answer.
    type: 'Startup'
    httpGet: { path: '/livez', port: port }
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: 24
  }
  {
    type: 'Liveness'
    httpGet: { path: '/livez', port: port }
    periodSeconds: 10
    timeoutSeconds: 3
    failureThreshold: 3
  }
  {
    // Unready while it drains, or while no model can be had: no new calls, the live ones go on.
    type: 'Readiness'
    httpGet: { path: '/readyz', port: port }
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: 3
  }
]

resource app 'Microsoft.App/containerApps@2025-01-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 5
      ingress: {
        // On an internal environment this means: from the network.
        external: true
        targetPort: port
        transport: 'auto'
        allowInsecure: false
        // A caller who comes back, or whose call is over WebRTC, must come to the same replica.
        stickySessions: { affinity: maxReplicas > 1 ? 'sticky' : 'none' }
        ipSecurityRestrictions: [
          for (source, i) in callers: { name: 'callers-${i}', action: 'Allow', ipAddressRange: source }
        ]
        traffic: [{ latestRevision: true, weight: 100 }]
      }
      registries: [{ server: registryServer, identity: identityId }]
      secrets: [
        for item in secret: {
          name: toLower(replace(item.key, '_', '-'))
          keyVaultUrl: item.value
          identity: identityId
        }
      ]
    }
    template: {
      terminationGracePeriodSeconds: graceSeconds
      containers: [
        {
          name: 'switchboard'
          image: empty(image) ? placeholder : image
          command: empty(image) ? ['python3', '-c', loadTextContent('placeholder.py')] : []
          resources: { cpu: 1, memory: '2Gi' }
          env: concat(
            map(plain, item => { name: item.key, value: string(item.value) }),
            map(secret, item => { name: item.key, secretRef: toLower(replace(item.key, '_', '-')) })
          )
          probes: probes
          volumeMounts: [{ volumeName: 'data', mountPath: '/data' }]
        }
      ]
      // Gone with the replica: what must outlive it is in PostgreSQL.
      volumes: [{ name: 'data', storageType: 'EmptyDir' }]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        rules: empty(callsWorkspace) ? [byConnections, byWork] : [byConnections, byWork, byCalls]
      }
    }
  }
}

@description('The app\'s name.')
output name string = app.name
@description('Its host name.')
output host string = app.properties.configuration.ingress.fqdn
@description('Its resource id.')
output id string = app.id
