/** What a telephone sounds like: keys (ITU-T Q.23), and ringing as it is heard in Britain. */

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];

export const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;

export type Key = (typeof KEYS)[number];

/** The two tones of a key, in hertz; `null` where it is none of a telephone's. */
export function tonesOf(key: string): readonly [number, number] | null {
  const at = (KEYS as readonly string[]).indexOf(key);
  const row = ROWS[Math.floor(at / 3)];
  const column = COLUMNS[at % 3];
  return at < 0 || row === undefined || column === undefined ? null : [row, column];
}

export const RING: readonly [number, number] = [400, 450];
export const RING_EVERY_MS = 3_000;
/** When the bell sounds within its time, in seconds: begin and length. */
export const RING_BURSTS: readonly (readonly [number, number])[] = [
  [0, 0.4],
  [0.6, 0.4],
];
export const KEY_S = 0.12;
