/** What the page knows of signing in, before it has loaded what does it. */
import type { SignInChoice } from '../../voice/protocol.gen';

/** Somebody who has signed in. */
export interface Account {
  /** A token that is good now. Raises when there is none to be had without them. */
  readonly token: () => Promise<string>;
  /** Forgets them here at once; the provider is told in a window of its own. */
  readonly signOut: () => Promise<void>;
}

export interface SignIn {
  /** Somebody signs in, in another window. Raises when that does not come off. */
  readonly begin: () => Promise<Account>;
}

let opened: Promise<SignIn> | null = null;

/**
 * The one sign-in of this page; tried anew where it could not be opened. Called before anybody
 * presses a button: a window that opens long after that is taken for an advertisement.
 */
export function openSignIn(choice: SignInChoice): Promise<SignIn> {
  opened ??= import('./entra').then(({ openEntra }) => openEntra(choice));
  opened.catch(() => {
    opened = null;
  });
  return opened;
}
