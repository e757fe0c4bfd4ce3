/** Any JSON as rows of a small table: what it is called, and what it is. */

export interface Fact {
  readonly name: string;
  readonly value: string;
}

const ROW_LIMIT = 60;
const TEXT_LIMIT = 400;

export function facts(json: unknown): Fact[] {
  const rows: Fact[] = [];
  collect(json, [], rows);
  return rows;
}

function collect(json: unknown, path: readonly string[], rows: Fact[]): void {
  if (rows.length >= ROW_LIMIT) return;
  const inner = children(json);
  if (inner === null) {
    rows.push({ name: named(path), value: worded(json) });
    return;
  }
  for (const [key, value] of inner) collect(value, [...path, key], rows);
}

/** What is inside, by name; `null` for a plain value or a list of plain values. */
function children(json: unknown): [string, unknown][] | null {
  if (typeof json !== 'object' || json === null) return null;
  if (!Array.isArray(json)) return Object.entries(json).filter(([, value]) => value !== null);
  if (json.every((value) => typeof value !== 'object')) return null;
  return json.map((value, index) => [`${index + 1}`, value]);
}

function worded(json: unknown): string {
  if (json === null || json === undefined || json === '') return '–';
  if (Array.isArray(json)) return json.length === 0 ? 'none' : json.map(worded).join(', ');
  if (typeof json === 'boolean') return json ? 'yes' : 'no';
  const text = String(json);
  return text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text;
}

/** `["bills", "1", "due_date"]` is "Bills 1, due date". */
function named(path: readonly string[]): string {
  const words = path.map((part) =>
    part
      .replaceAll(/[_-]+/g, ' ')
      .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
      .toLowerCase(),
  );
  const text = words
    .reduce((sofar, word) => (/^\d+$/.test(word) ? `${sofar} ${word}` : `${sofar}, ${word}`), '')
    .replace(/^[, ]+/, '');
  return text === '' ? 'Value' : text.charAt(0).toUpperCase() + text.slice(1);
}
