// One page for whoever is on duty: calls, answers, tools, models, money, faults.

@description('The region.')
param location string
@description('The tags of every resource.')
param tags object
@description('What it reads: Application Insights.')
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'switchboard')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Switchboard: calls'
    category: 'workbook'
    sourceId: insightsId
    serializedData: loadTextContent('workbook.json')
  }
}
