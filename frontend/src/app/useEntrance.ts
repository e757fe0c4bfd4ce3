/** How somebody comes in, at the callers' page and at the operators'. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { showBearer } from '../api/bearer';
import { fetchSignIn, NotLetIn } from '../api/http';
import { type Account, openSignIn } from '../features/sign-in/signin';
import type { SignInChoice } from '../voice/protocol.gen';

/** What the page can be, once it has asked. */
export type Entry<T> =
  | { readonly at: 'asking' }
  | { readonly at: 'unreachable' }
  | { readonly at: 'door'; readonly choice: SignInChoice | null }
  /** `ours`: whether they have signed in by this page. */
  | { readonly at: 'no role'; readonly text: string; readonly ours: boolean }
  | { readonly at: 'desk'; readonly value: T; readonly ours: boolean };

export interface Entrance<T> {
  readonly entry: Entry<T>;
  /** Ask the server anew. */
  readonly again: () => void;
  /** Have somebody sign in, and ask anew as they. Raises when it does not come off. */
  readonly signIn: (choice: SignInChoice | null) => Promise<void>;
  /** `elsewhere`: where that is done, if not by this page. */
  readonly signOut: (elsewhere: string | null) => void;
}

/** `ask` gets what the page is made of; it raises `NotLetIn`, or anything where nobody answers. */
export function useEntrance<T>(ask: (signal: AbortSignal) => Promise<T>): Entrance<T> {
  const [entry, setEntry] = useState<Entry<T>>({ at: 'asking' });
  const [attempt, setAttempt] = useState(0);
  const account = useRef<Account | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt asks anew
  useEffect(() => {
    const life = new AbortController();
    enter(ask, account.current !== null, life.signal)
      .catch((): Entry<T> => ({ at: 'unreachable' }))
      .then((found) => {
        if (!life.signal.aborted) setEntry(found);
      });
    return () => life.abort();
  }, [attempt, ask]);
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

async function enter<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  ours: boolean,
  signal: AbortSignal,
): Promise<Entry<T>> {
  try {
    return { at: 'desk', value: await ask(signal), ours };
  } catch (error) {
    if (!(error instanceof NotLetIn)) throw error;
    const choice = await fetchSignIn(signal);
    // A stranger who may not in has not shown yet who they are.
    if (error.status === 403 && (ours || choice === null))
      return { at: 'no role', text: error.text, ours };
    if (choice !== null) prepare(choice);
    return { at: 'door', choice };
  }
}

/** Whoever presses the button does not wait then; what fails now is tried again by then. */
export function prepare(choice: SignInChoice): void {
  openSignIn(choice).catch(() => undefined);
}
