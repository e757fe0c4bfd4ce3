// What each level of networking offers, in one place. docs/networking.md draws the three.

@export()
@description('How far the deployment is closed off.')
type networkLevel = 'public' | 'private' | 'locked-down'

@export()
@description('What a level closes, and what it can therefore not offer.')
var levels = {
  public: {
    isolated: false // a virtual network, private endpoints, no public access to the services
    inspected: false // a firewall on the way out, a gateway on the way in
    webrtc: true // browsers reach Azure OpenAI themselves
    recordsAtCarrier: true // ACS can write recordings to the storage account
    scalesOnCalls: true // the platform can query the workspace
  }
  private: {
    isolated: true
    inspected: false
    webrtc: false
    recordsAtCarrier: false
    scalesOnCalls: true
  }
  'locked-down': {
    isolated: true
    inspected: true
    webrtc: false
    recordsAtCarrier: false
    scalesOnCalls: false
  }
}

@export()
@description('The private DNS zones of each service. All of a service\'s zones hang on its one endpoint.')
var zones = {
  ai: [
    'privatelink.cognitiveservices.azure.com'
    'privatelink.openai.azure.com'
    'privatelink.services.ai.azure.com'
  ]
  registry: ['privatelink.azurecr.io']
  vault: ['privatelink.vaultcore.azure.net']
  postgres: ['privatelink.postgres.database.azure.com']
  storage: ['privatelink.blob.${environment().suffixes.storage}']
  monitor: [
    'privatelink.monitor.azure.com'
    'privatelink.oms.opinsights.azure.com'
    'privatelink.ods.opinsights.azure.com'
    'privatelink.agentsvc.azure-automation.net'
    'privatelink.blob.${environment().suffixes.storage}'
  ]
}

@export()
@description('Where the media and the callbacks of ACS come from. Source: Microsoft\'s page on securing web hooks of Call Automation.')
var carrierRanges = ['52.112.0.0/14', '52.122.0.0/15']

@export()
@description('Where a resource is: in our group under our name, or where the given id says.')
func place(id string, subscriptionId string, group string, name string) object =>
  empty(id)
    ? { subscription: subscriptionId, group: group, name: name }
    : { subscription: split(id, '/')[2], group: split(id, '/')[4], name: last(split(id, '/')) }
