/** How far into a line the voice has come. */
import type { LineEntry, Snapshot } from '../../voice/session';

/** Characters of `line` that were spoken by now, to the end of a word; all of them once it is over. */
export function spokenChars(line: LineEntry, now: Snapshot): number {
  const { length } = line.text;
  if (line.speaker === 'caller' || now.phase === 'ended') return length;
  if (now.spoken?.item === line.id) return wordEnd(line.text, now.spoken.share * length);
  // Its audio is here, but the play head is still elsewhere; over WebRTC the page knows neither.
  return now.sounded === line.id && now.way !== 'webrtc' ? 0 : length;
}

/** The heard part with the space after it, and the unheard rest. */
export function cutAt(text: string, heardChars: number): [heard: string, unheard: string] {
  const at = Math.max(0, Math.min(heardChars, text.length));
  const rest = text.slice(at);
  const unheard = rest.trimStart();
  return [text.slice(0, at) + rest.slice(0, rest.length - unheard.length), unheard];
}

function wordEnd(text: string, at: number): number {
  const end = text.indexOf(' ', Math.floor(at));
  return end < 0 ? text.length : end;
}
