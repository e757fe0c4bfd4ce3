/** Answers one question: does this work still belong to a call that is alive? */
export interface Scope {
  readonly alive: boolean;
  readonly signal: AbortSignal;
  /** Undo something when the call ends; at once, if it has ended already. */
  own(undo: () => void): void;
  /** Ends the call's work: undoes everything owned, newest first. Once; later calls do nothing. */
  end(): void;
}

export function createScope(): Scope {
  const life = new AbortController();
  const owned: (() => void)[] = [];
  return {
    get alive() {
      return !life.signal.aborted;
    },
    signal: life.signal,
    own(undo) {
      if (life.signal.aborted) undo();
      else owned.push(undo);
    },
    end() {
      if (life.signal.aborted) return;
      life.abort();
      for (const undo of owned.splice(0).reverse()) undo();
    },
  };
}
