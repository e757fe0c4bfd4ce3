/** What a person's wishes come to, given what the server offers. */
import type { Settings } from '../features/settings/settings';
import { recordedWays, type Way, waysOf } from '../voice/plan';
import type { AgentChoice, PageConfig } from '../voice/protocol.gen';

export function chosenAgent(config: PageConfig, settings: Settings): AgentChoice {
  const wanted = settings.agent ?? config.defaultAgent;
  const agent = config.agents.find(({ id }) => id === wanted) ?? config.agents[0];
  if (agent === undefined) throw new Error('a configuration always has an agent');
  return agent;
}

/** A remembered voice or model that is no longer offered is not asked for. */
export function offered(config: PageConfig, settings: Settings) {
  const known = (choices: PageConfig['voices'], id: string | null): string | null =>
    choices.some((choice) => choice.id === id) ? id : null;
  return {
    voice: known(config.voices, settings.voice),
    model: known(config.models, settings.model),
  };
}

/** How the model of the next call can be talked to. */
export function waysFor(config: PageConfig, settings: Settings): readonly Way[] {
  const id = offered(config, settings).model ?? chosenAgent(config, settings).model;
  const model = config.models.find((choice) => choice.id === id);
  const { recorded } = chosenAgent(config, settings);
  return recordedWays(
    waysOf(config.connections, model?.connections),
    settings.connection,
    recorded,
  );
}
