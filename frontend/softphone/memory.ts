/** What a tab remembers while it is open: who it is, and which numbers it had. */

const TAB = 'softphone.tab';
const NUMBERS = 'softphone.numbers';
const DEFAULT: readonly (string | null)[] = [null, null];

export function tabName(storage: Storage): string {
  const known = storage.getItem(TAB);
  if (known !== null) return known;
  const fresh = crypto.randomUUID();
  storage.setItem(TAB, fresh);
  return fresh;
}

/** One for each line; `null` is any number. */
export function rememberedNumbers(storage: Storage, most: number): readonly (string | null)[] {
  try {
    const kept: unknown = JSON.parse(storage.getItem(NUMBERS) ?? 'null');
    if (!Array.isArray(kept) || kept.length === 0) return DEFAULT;
    return kept.slice(0, most).map((one) => (typeof one === 'string' && one !== '' ? one : null));
  } catch {
    return DEFAULT;
  }
}

export function rememberNumbers(storage: Storage, numbers: readonly string[]): void {
  storage.setItem(NUMBERS, JSON.stringify(numbers));
}
