import { fetchConfig } from '../api/http';
import type { PageConfig } from '../voice/protocol.gen';
import { type Entrance, prepare, useEntrance } from './useEntrance';

export function useConfig(): Entrance<PageConfig> {
  return useEntrance(configured);
}

async function configured(signal: AbortSignal): Promise<PageConfig> {
  const config = await fetchConfig(signal);
  if (config.signIn !== null) prepare(config.signIn);
  return config;
}
