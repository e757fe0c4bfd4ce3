import { useCallback, useEffect, useRef, useState } from 'react';
import { showBearer } from '../api/bearer';
import { fetchConfig, fetchSignIn, NotLetIn } from '../api/http';
import { type Account, openSignIn } from '../features/sign-in/signin';
import type { PageConfig, SignInChoice } from '../voice/protocol.gen';

/** What the page can be, once it has asked. */
export type Entry =
  | { readonly at: 'asking' }
  | { readonly at: 'unreachable' }
  | { readonly at: 'door'; readonly choice: SignInChoice | null }
  /** `ours`: whether they have signed in by this page. */
  | { readonly at: 'no role'; readonly text: string; readonly ours: boolean }
  | { readonly at: 'desk'; readonly config: PageConfig };

export interface Entrance {
  readonly entry: Entry;
  /** Ask the server anew. */
  readonly again: () => void;
  /** Have somebody sign in, and ask anew as they. Raises when it does not come off. */
  readonly signIn: (choice: SignInChoice | null) => Promise<void>;
  /** `elsewhere`: where that is done, if not by this page. */
  readonly signOut: (elsewhere: string | null) => void;
}

export function useConfig(): Entrance {
  const [entry, setEntry] = useState<Entry>({ at: 'asking' });
  const [attempt, setAttempt] = useState(0);
  const account = useRef<Account | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks anew
  useEffect(() => {
    const life = new AbortController();
    enter(life.signal)
      .catch((): Entry => ({ at: 'unreachable' }))
      .then((found) => {
        if (!life.signal.aborted) setEntry(found);
      });
    return () => life.abort();
  }, [attempt]);
  const again = useCallback(() => {
    setEntry({ at: 'asking' });
    setAttempt((count) => count + 1);
  }, []);
  const be = useCallback(
    (somebody: Account | null) => {
      account.current = somebody;
      showBearer(somebody?.token ?? null);
      again();
    },
    [again],
  );
  const signIn = useCallback(
    async (choice: SignInChoice | null) => {
      // The platform in front of the server signs people in when they load the page.
      if (choice === null) window.location.reload();
      else be(await (await openSignIn(choice)).begin());
    },
    [be],
  );
  const signOut = useCallback(
    (elsewhere: string | null) => {
      if (elsewhere !== null) return window.location.assign(elsewhere);
      void account.current?.signOut();
      be(null);
    },
    [be],
  );
  return { entry, again, signIn, signOut };
}

async function enter(signal: AbortSignal): Promise<Entry> {
  try {
    const config = await fetchConfig(signal);
    if (config.signIn !== null) prepare(config.signIn);
    return { at: 'desk', config };
  } catch (error) {
    if (!(error instanceof NotLetIn)) throw error;
    const choice = await fetchSignIn(signal);
    if (error.status === 403) return { at: 'no role', text: error.text, ours: choice !== null };
    if (choice !== null) prepare(choice);
    return { at: 'door', choice };
  }
}

/** Whoever presses the button does not wait then; what fails now is tried again by then. */
function prepare(choice: SignInChoice): void {
  openSignIn(choice).catch(() => undefined);
}
