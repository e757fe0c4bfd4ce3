/** How a tool is told: "Check your fines" becomes what happens, and what happened. */
import type { ToolEntry } from '../../voice/session';

/** Verbs of tool titles: what happens now, and what was done. A title may begin otherwise. */
const VERBS: Readonly<Record<string, readonly [now: string, done: string]>> = {
  activate: ['Activating', 'Activated'],
  add: ['Adding', 'Added'],
  apply: ['Applying', 'Applied'],
  block: ['Blocking', 'Blocked'],
  book: ['Booking', 'Booked'],
  buy: ['Buying', 'Bought'],
  calculate: ['Calculating', 'Calculated'],
  cancel: ['Cancelling', 'Cancelled'],
  change: ['Changing', 'Changed'],
  check: ['Checking', 'Checked'],
  compare: ['Comparing', 'Compared'],
  convert: ['Converting', 'Converted'],
  create: ['Creating', 'Created'],
  dispute: ['Disputing', 'Disputed'],
  estimate: ['Estimating', 'Estimated'],
  file: ['Filing', 'Filed'],
  find: ['Finding', 'Found'],
  freeze: ['Freezing', 'Froze'],
  get: ['Getting', 'Got'],
  list: ['Listing', 'Listed'],
  look: ['Looking', 'Looked'],
  make: ['Making', 'Made'],
  move: ['Moving', 'Moved'],
  open: ['Opening', 'Opened'],
  order: ['Ordering', 'Ordered'],
  pay: ['Paying', 'Paid'],
  renew: ['Renewing', 'Renewed'],
  replace: ['Replacing', 'Replaced'],
  report: ['Reporting', 'Reported'],
  request: ['Requesting', 'Requested'],
  reschedule: ['Rescheduling', 'Rescheduled'],
  restart: ['Restarting', 'Restarted'],
  run: ['Running', 'Ran'],
  schedule: ['Scheduling', 'Scheduled'],
  search: ['Searching', 'Searched'],
  send: ['Sending', 'Sent'],
  set: ['Setting', 'Set'],
  show: ['Showing', 'Showed'],
  switch: ['Switching', 'Switched'],
  test: ['Testing', 'Tested'],
  track: ['Tracking', 'Tracked'],
  transfer: ['Transferring', 'Transferred'],
  turn: ['Turning', 'Turned'],
  unblock: ['Unblocking', 'Unblocked'],
  update: ['Updating', 'Updated'],
};

/** One line for a tool call, with its title where no tense is known: "Checked your fines". */
export function told(tool: Pick<ToolEntry, 'title' | 'state'>): string {
  switch (tool.state) {
    case 'running':
      return `${tense(tool.title, 0)}…`;
    case 'done':
      return tense(tool.title, 1);
    case 'asking':
      return tool.title;
    case 'failed':
      return `${tool.title}: did not work`;
    case 'declined':
      return `${tool.title}: you said no`;
    case 'abandoned':
      return `${tool.title}: not finished`;
  }
}

function tense(title: string, which: 0 | 1): string {
  const [first = '', ...rest] = title.split(' ');
  const verb = VERBS[first.toLowerCase()];
  return verb === undefined ? title : [verb[which], ...rest].join(' ');
}
