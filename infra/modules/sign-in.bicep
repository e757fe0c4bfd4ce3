// The door before the page: the platform asks Entra who is there. What others come to with tokens
// of their own stays outside it: ACS and Event Grid, and the probes. No client secret is used.

@description('The app.')
param appName string
@description('The application registered in Entra, whose users may come in.')
param clientId string
@description('Whether a gateway stands before it, which names the host that people use.')
param behindGateway bool

resource app 'Microsoft.App/containerApps@2025-01-01' existing = {
  name: appName
}

resource door 'Microsoft.App/containerApps/authConfigs@2025-01-01' = {
  parent: app
  name: 'current'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
      excludedPaths: ['/health', '/livez', '/readyz', '/api/phone/incoming', '/api/phone/events/*', '/api/phone/media/*']
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [clientId, 'api://${clientId}'] }
      }
    }
    httpSettings: {
      requireHttps: true
      // Or people would be sent back to a name that only the network knows.
      forwardProxy: behindGateway
        ? { convention: 'Custom', customHostHeaderName: 'X-Original-Host', customProtoHeaderName: 'X-Forwarded-Proto' }
        : { convention: 'NoProxy' }
    }
  }
}
