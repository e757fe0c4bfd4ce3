// Who is told, and of what.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('Where mail goes, or empty: alerts are kept in the portal only.')
param email string
@description('The app.')
param appId string
@description('The app\'s name, as its log lines have it.')
param appName string
@description('The workspace that the log alerts read.')
param workspaceId string
@description('The database, or empty.')
param databaseId string

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-on-duty'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'on-duty'
    enabled: true
    emailReceivers: empty(email)
      ? []
      : [{ name: 'on-duty', emailAddress: email, useCommonAlertSchema: true }]
  }
}

type metricAlert = {
  name: string
  metric: string
  operator: string
  threshold: int
  aggregation: string
  severity: int
  says: string
}

var measures metricAlert[] = [
  {
    name: 'restarts'
    metric: 'RestartCount'
    operator: 'GreaterThan'
    threshold: 0
    aggregation: 'Total'
    severity: 1
    says: 'A replica was restarted: its calls are gone.'
  }
  {
    name: 'replicas'
    metric: 'Replicas'
    operator: 'LessThan'
    threshold: 1
    aggregation: 'Maximum'
    severity: 0
    says: 'No replica runs: nobody can call.'
  }
]

resource ofApp 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for measure in measures: {
    name: 'alert-${measure.name}'
    location: 'global'
    tags: tags
    properties: {
      description: measure.says
      severity: measure.severity
      enabled: true
      scopes: [appId]
      evaluationFrequency: 'PT1M'
      windowSize: 'PT5M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: measure.name
            metricName: measure.metric
            operator: measure.operator
            threshold: measure.threshold
            timeAggregation: measure.aggregation
          }
        ]
      }
      actions: [{ actionGroupId: people.id }]
    }
  }
]

resource ofDatabase 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(databaseId)) {
  name: 'alert-database-storage'
  location: 'global'
  tags: tags
  properties: {
    description: 'The records\' database is almost full.'
    severity: 2
    enabled: true
    scopes: [databaseId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'storage'
          metricName: 'storage_percent'
          operator: 'GreaterThan'
          threshold: 80
          timeAggregation: 'Average'
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}

type logAlert = {
  name: string
  message: string
  threshold: int
  severity: int
  says: string
}

// Constant texts of the server's own log.
var lines logAlert[] = [
  {
    name: 'failed-calls'
    message: 'call failed'
    threshold: 0
    severity: 2
    says: 'A call ended by a fault of the server.'
  }
  {
    name: 'failed-part'
    message: 'part of the server failed'
    threshold: 0
    severity: 0
    says: 'A part of the server stopped: it takes no calls until it is started again.'
  }
]

resource ofLog 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for line in lines: {
    name: 'alert-${line.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: line.says
      severity: line.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      // The table appears with the first line that is logged.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: 'ContainerAppConsoleLogs | where ContainerAppName == "${appName}" | where tostring(parse_json(Log).message) == "${line.message}"'
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: line.threshold
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]
