/** What a choice does besides being remembered. */
import { useEffect, useLayoutEffect, useRef } from 'react';
import type { Settings } from '../features/settings/settings';
import type { Caller } from '../voice/caller';
import type { AgentChoice } from '../voice/protocol.gen';

export function useAccent(agent: AgentChoice): void {
  useLayoutEffect(() => {
    const { style } = document.documentElement;
    style.setProperty('--accent-light', agent.accent);
    style.setProperty('--accent-dark', agent.accentDark);
    document.title = `${agent.title} · Switchboard`;
  }, [agent]);
}

/** Another microphone or speaker chosen in the middle of a call is used there and then. */
export function useDeviceChoice(caller: Caller, settings: Settings, inCall: boolean): void {
  const { device, speaker } = settings;
  const before = useRef({ device, speaker });
  useEffect(() => {
    const { device: microphone, speaker: output } = before.current;
    before.current = { device, speaker };
    if (!inCall) return;
    if (microphone !== device) void caller.listen(device);
    if (output !== speaker) void caller.hearOn(speaker);
  }, [caller, device, speaker, inCall]);
}
