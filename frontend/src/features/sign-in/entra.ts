/**
 * Signing in with Entra, by MSAL: authorization code with PKCE, in a window of its own, so that
 * tokens can stay in memory. The window comes back to `signed-in.html`, which tells this page.
 * Loaded only where people sign in.
 */
import {
  type AuthenticationResult,
  CacheLookupPolicy,
  PublicClientApplication,
} from '@azure/msal-browser';
import type { SignInChoice } from '../../voice/protocol.gen';
import type { Account, SignIn } from './signin';

/** For passwords, second factors and consent. Whether the window was closed, nobody can tell. */
const PATIENCE_MS = 600_000;

export async function openEntra(choice: SignInChoice): Promise<SignIn> {
  const back = `${window.location.origin}/signed-in.html`;
  const app = new PublicClientApplication({
    auth: {
      clientId: choice.clientId,
      redirectUri: back,
      postLogoutRedirectUri: back,
      ...(await authorityOf(choice.authority)),
    },
    cache: { cacheLocation: 'memoryStorage' },
    system: { popupBridgeTimeout: PATIENCE_MS },
  });
  await app.initialize();
  const scopes = [choice.scope];
  const begin = async (): Promise<Account> => {
    const again = { overrideInteractionInProgress: true };
    const result = await app.loginPopup({ scopes, prompt: 'select_account', ...again });
    return accountOf(app, result, scopes);
  };
  return { begin };
}

function accountOf(
  app: PublicClientApplication,
  { account }: AuthenticationResult,
  scopes: string[],
): Account {
  return {
    // The hidden frame that MSAL would try last is one that this page's policy forbids.
    token: async () => {
      const cacheLookupPolicy = CacheLookupPolicy.AccessTokenAndRefreshToken;
      return (await app.acquireTokenSilent({ scopes, account, cacheLookupPolicy })).accessToken;
    },
    signOut: async () => {
      void app.logoutPopup({ account }).catch(() => undefined);
    },
  };
}

/** MSAL takes an authority on this machine, which has no TLS, only when it is told its addresses. */
async function authorityOf(authority: string) {
  const url = new URL(authority);
  const known = { knownAuthorities: [url.host] };
  if (url.protocol === 'https:') return { authority, ...known };
  const answer = await fetch(`${authority}/v2.0/.well-known/openid-configuration`);
  url.protocol = 'https:';
  return { authority: url.href, authorityMetadata: await answer.text(), ...known };
}
