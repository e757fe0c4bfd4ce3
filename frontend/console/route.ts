/** Where one is in the console, as the address says it: what stands after `#`. Pure. */

export type Route =
  | { readonly page: 'live' }
  | { readonly page: 'call'; readonly id: string }
  | { readonly page: 'history'; readonly filters: Filters }
  | { readonly page: 'agents' }
  | { readonly page: 'agent'; readonly id: string }
  | { readonly page: 'evals' }
  | { readonly page: 'eval'; readonly id: string }
  | { readonly page: 'overview'; readonly days: number; readonly agent: string | null };

export interface Filters {
  readonly q: string;
  readonly agent: string | null;
  readonly channel: string | null;
  readonly outcome: string | null;
  readonly goals: string | null;
  /** Days, `2026-03-04`, both included. */
  readonly from: string | null;
  readonly to: string | null;
}

export const NO_FILTERS: Filters = {
  q: '',
  agent: null,
  channel: null,
  outcome: null,
  goals: null,
  from: null,
  to: null,
};

export const RANGES = [1, 7, 30, 90] as const;
const USUAL_DAYS = 7;
const CALL = /^\/calls\/([A-Za-z0-9_-]{1,64})$/;
const AGENT = /^\/agents\/([a-z0-9][a-z0-9._-]{0,63})$/;
const EVAL = /^\/evals\/([A-Za-z0-9-]{1,64})$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
  const asked = new URLSearchParams(query);
  const call = CALL.exec(path)?.[1];
  if (call !== undefined) return { page: 'call', id: call };
  if (path === '/history') return { page: 'history', filters: filtersOf(asked) };
  if (path === '/agents') return { page: 'agents' };
  const agent = AGENT.exec(path)?.[1];
  if (agent !== undefined) return { page: 'agent', id: agent };
  if (path === '/evals') return { page: 'evals' };
  const run = EVAL.exec(path)?.[1];
  if (run !== undefined) return { page: 'eval', id: run };
  if (path !== '/overview') return { page: 'live' };
  const days = Number(asked.get('days'));
  return {
    page: 'overview',
    days: RANGES.find((range) => range === days) ?? USUAL_DAYS,
    agent: asked.get('agent'),
  };
}

export function hashOf(route: Route): string {
  switch (route.page) {
    case 'live':
      return '#/';
    case 'call':
      return `#/calls/${route.id}`;
    case 'history':
      return joined('#/history', { ...route.filters });
    case 'agents':
      return '#/agents';
    case 'agent':
      return `#/agents/${route.id}`;
    case 'evals':
      return '#/evals';
    case 'eval':
      return `#/evals/${route.id}`;
    case 'overview': {
      const days = route.days === USUAL_DAYS ? null : String(route.days);
      return joined('#/overview', { days, agent: route.agent });
    }
  }
}

function filtersOf(asked: URLSearchParams): Filters {
  const day = (key: string): string | null => {
    const value = asked.get(key);
    return value !== null && DAY.test(value) ? value : null;
  };
  return {
    q: asked.get('q') ?? '',
    agent: asked.get('agent'),
    channel: asked.get('channel'),
    outcome: asked.get('outcome'),
    goals: asked.get('goals'),
    from: day('from'),
    to: day('to'),
  };
}

function joined(path: string, parts: Readonly<Record<string, string | null>>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parts))
    if (value !== null && value !== '') query.set(key, value);
  return query.size === 0 ? path : `${path}?${query}`;
}
