/** What the console says: figures with units, names instead of codes. */
import type {
  Acted,
  AgentName,
  CallFacts,
  Delivery,
  FloorAt,
  Goal,
  Recording,
} from './protocol.gen';

const CHANNELS: Readonly<Record<string, string>> = {
  browser: 'Browser',
  webrtc: 'Browser, WebRTC',
  phone: 'Telephone',
};

export const OUTCOMES: Readonly<Record<string, string>> = {
  finished: 'Finished',
  handed_over: 'Handed to a human',
  stopped: 'Stopped',
  lost: 'Caller lost',
  failed: 'Failed',
  machine: 'Answering machine',
  other: 'Other',
  live: 'Still going on',
};

const REASONS: Readonly<Record<string, string>> = {
  goodbye: 'the caller said goodbye',
  page_closed: 'the caller closed the page',
  agent_ended: 'the agent said goodbye',
  hung_up: 'the caller hung up',
  transferred: 'sent to a human',
  handed_over: 'joined with a human',
  caller_lost: 'the connection was lost for too long',
  page_gone: 'the page went away',
  silence: 'nobody spoke for a while',
  nobody_came: 'nobody came',
  operator: 'an operator ended it',
  max_duration: 'it reached its longest time',
  budget: 'it reached its budget',
  server_stopping: 'the server was stopped',
  cancelled: 'the server was stopped',
  answering_machine: 'a machine answered',
  message_left: 'a message was left',
  internal_error: 'a fault of the server',
  model_lost: 'the voice service was lost',
  interrupted: 'the server was cut off',
  lost: 'the server died',
  elsewhere: 'it went on at another server',
};

export function channelWord(channel: string): string {
  return CHANNELS[channel] ?? channel;
}

export function outcomeWord(outcome: string): string {
  return OUTCOMES[outcome] ?? outcome;
}

export function reasonWords(reason: string | null): string {
  if (reason === null) return '';
  const plain = reason.split(':')[0] ?? reason;
  return REASONS[plain] ?? plain.replaceAll('_', ' ');
}

export type Tone = 'good' | 'fair' | 'poor' | 'quiet';

export function outcomeTone(outcome: string): Tone {
  if (outcome === 'failed' || outcome === 'lost') return 'poor';
  if (outcome === 'stopped' || outcome === 'other') return 'fair';
  return outcome === 'finished' || outcome === 'handed_over' ? 'good' : 'quiet';
}

export type GoalOutcome = Goal['outcome'];

export const GOALS: Readonly<Record<GoalOutcome, string>> = {
  achieved: 'Achieved',
  partly: 'Partly achieved',
  not_achieved: 'Not achieved',
  unknown: 'Unknown',
};

export function goalWord(outcome: GoalOutcome): string {
  return GOALS[outcome];
}

export function goalTone(outcome: GoalOutcome): Tone {
  return ({ achieved: 'good', partly: 'fair', not_achieved: 'poor', unknown: 'quiet' } as const)[
    outcome
  ];
}

/** `card_blocked` as "Card blocked". */
export function named(id: string): string {
  const text = id.replaceAll(/[_-]+/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What became of a message to a webhook. */
export function deliveryWords({ state, attempts, host, error }: Delivery): string {
  const where = host === null ? 'The webhook' : `The webhook at ${host}`;
  const why = error === null ? '' : ` ${error}`;
  const times = count(attempts, 'attempt');
  switch (state) {
    case 'delivered':
      return `${where} has it, after ${times}.`;
    case 'stopped':
      return `${where} wants no more of it.${why}`;
    case 'given_up':
      return `${where} has not got it, and it was given up after ${times}.${why}`;
    case 'sending':
      return `${where} is being told.`;
    case 'waiting':
      return attempts === 0
        ? `${where} is told in a moment.`
        : `${where} has not got it yet, after ${times}; it is tried again.${why}`;
  }
}

/** Who calls, with how, where nothing beside it says so. */
export function callerWords(call: Pick<CallFacts, 'caller' | 'channel'>): string {
  return call.channel === 'phone' ? `Telephone ${callerShort(call)}` : callerShort(call);
}

/** Who calls, shortly: the records know a digest, an object id, or nobody in particular. */
export function callerShort({ caller }: Pick<CallFacts, 'caller'>): string {
  if (caller === 'local') return 'This machine';
  if (caller === 'anonymous') return 'Somebody';
  const id = caller.startsWith('telephone:') ? caller.slice('telephone:'.length) : caller;
  return id.length > 10 ? id.slice(0, 8) : id;
}

export function agentTitle(agents: readonly AgentName[], id: string): string {
  return agents.find((agent) => agent.id === id)?.title ?? id;
}

const FLOORS: Readonly<Record<FloorAt['floor'], string>> = {
  nobody: 'Quiet',
  caller: 'Caller speaks',
  agent: 'Agent speaks',
  thinking: 'Agent thinks',
};

export function floorWords(floor: FloorAt['floor']): string {
  return FLOORS[floor];
}

export function money(usd: number | null): string {
  if (usd === null) return '–';
  if (usd === 0) return '$0';
  if (usd < 0.01) return '<$0.01';
  return `$${usd.toFixed(2)}`;
}

/** `4:05`, or `1:02:03`. */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

export function secondsOf(ms: number | null): string {
  return ms === null ? '–' : `${(ms / 1_000).toFixed(1)} s`;
}

export function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${Math.round((part / whole) * 100)}%`;
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : many}`;
}

/** "Today 14:05", "Tue 3 Mar 14:05". */
export function when(atS: number, nowMs: number): string {
  const at = new Date(atS * 1_000);
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (at.toDateString() === new Date(nowMs).toDateString()) return `Today ${time}`;
  const day = at.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
  return `${day.replace(',', '')} ${time}`;
}

/** `2026-03-04` as "4 Mar". */
export function dayWord(day: string): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
  });
}

/** The beginning of a local day, epoch seconds; `plus` days later. */
export function dayStart(day: string, plus = 0): number {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + plus).getTime() / 1_000;
}

/** The local day of a moment, `2026-03-04`. */
export function dayOf(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

const RECORDED: Readonly<Record<Recording['state'], string>> = {
  told: 'The caller is being told',
  asked: 'The caller is asked',
  running: 'Running',
  paused: 'Paused',
  off: 'No',
  stopped: 'Yes',
  failed: 'Failed',
  filed: 'Yes',
};

/** Whether a call is recorded, or was; a carrier's recordings are heard elsewhere. */
export function recordedWords(recording: Recording | null): string {
  if (recording === null) return 'No';
  const words = RECORDED[recording.state];
  return recording.kept === 'carrier' ? `${words}, kept by the carrier` : words;
}

const DEEDS: Readonly<Record<Acted['kind'], string>> = {
  whisper: 'whispered',
  say: 'had it said',
  approve: 'approved',
  refuse: 'refused',
  human: 'asked for a human',
  end: 'ended the call politely',
  cut: 'ended the call at once',
  listen: 'listened in',
  replay: 'heard the recording',
  deliver: 'had the webhook told again',
  decline: 'said that nobody can come',
  take_over: 'took the call over',
  hand_back: 'handed the call back to the agent',
  desk_lost: 'lost the line while they had the call',
};

export function deedWords(action: Acted): string {
  const refused = action.outcome === 'refused' ? ', which the call did not take' : '';
  return `${action.by} ${DEEDS[action.kind]}${refused}`;
}
