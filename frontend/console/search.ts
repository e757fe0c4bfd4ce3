/** The words that were searched for, in what was found: before, themselves, after. Pure. */
export function split(text: string, words: string): [before: string, found: string, after: string] {
  const at = text.toLowerCase().indexOf(words.trim().toLowerCase());
  if (at < 0 || words.trim() === '') return [text, '', ''];
  const end = at + words.trim().length;
  return [text.slice(0, at), text.slice(at, end), text.slice(end)];
}
