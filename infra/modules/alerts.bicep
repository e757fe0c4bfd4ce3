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
@description('Application Insights\' name: a workspace that was brought may hold the telemetry of others too.')
param insightsName string
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
  query: string
  severity: int
  says: string
}

// Each finds rows only when somebody should know. The names are those of
// src/switchboard/telemetry/names.py; docs/operations.md says why these thresholds.
var log = 'ContainerAppConsoleLogs | where ContainerAppName == "${appName}" | extend message = tostring(parse_json(Log).message)'
var metrics = 'AppMetrics | where _ResourceId endswith "/${insightsName}"'
var spans = 'AppDependencies | where _ResourceId endswith "/${insightsName}"'
var lines logAlert[] = [
  {
    name: 'failed-calls'
    query: '${log} | where message == "call failed"'
    severity: 2
    says: 'A call ended by a fault of the server.'
  }
  {
    name: 'failed-part'
    query: '${log} | where message == "part of the server failed"'
    severity: 0
    says: 'A part of the server stopped: it takes no calls until it is started again.'
  }
  {
    name: 'model-unreachable'
    query: '${metrics} | where Name == "switchboard.model.dial.duration" | summarize failed = sumif(ItemCount, isnotempty(tostring(Properties["error.type"]))), dials = sum(ItemCount) | where failed >= 5 and failed * 4 > dials'
    severity: 1
    says: 'More than a quarter of the dials to the model fail.'
  }
  {
    name: 'slow-answers'
    query: '${spans} | where Name startswith "chat " | summarize turns = sum(ItemCount), p95 = percentile(DurationMs, 95) | where turns >= 20 and p95 > 2500'
    severity: 2
    says: 'One answer in twenty begins more than 2.5 s after the caller has finished.'
  }
  {
    name: 'failing-tools'
    query: '${metrics} | where Name == "gen_ai.client.operation.duration" | summarize failed = sumif(ItemCount, tostring(Properties["error.type"]) == "failed"), runs = sum(ItemCount) by tool = tostring(Properties["gen_ai.tool.name"]) | where failed >= 5 and failed * 5 > runs'
    severity: 2
    says: 'A tool fails in more than a fifth of its runs.'
  }
  {
    name: 'busy-lines'
    query: '${metrics} | where Name in ("switchboard.calls.active", "switchboard.calls.limit") | summarize value = avg(Sum) by Name, AppRoleInstance, channel = tostring(Properties["switchboard.channel"]) | summarize active = sumif(value, Name endswith ".active"), most = sumif(value, Name endswith ".limit") | where most > 0 and active > 0.85 * most'
    severity: 2
    says: 'Almost every line is taken, on all replicas together.'
  }
  {
    name: 'dropped-records'
    query: '${metrics} | where Name == "switchboard.records.dropped" | summarize rows = sum(Sum) | where rows > 0'
    severity: 1
    says: 'Records of calls are lost: the database does not take them.'
  }
  {
    name: 'refused-carrier'
    query: 'AppRequests | where _ResourceId endswith "/${insightsName}" and Name startswith "POST /api/phone/" and ResultCode in ("401", "403") | summarize refused = sum(ItemCount) | where refused >= 10'
    severity: 2
    says: 'The carrier, or somebody in its name, is refused again and again.'
  }
  {
    name: 'silent-telemetry'
    query: '${metrics} | where Name == "switchboard.calls.limit" | summarize heard = count() | where heard == 0'
    severity: 3
    says: 'No measurement has arrived for a quarter of an hour: the other alerts are blind.'
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
      // The tables appear with the first row that is sent.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: line.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]
