import { useEffect, useState } from 'react';

export interface MicrophoneChoice {
  readonly id: string;
  readonly title: string;
}

/** The microphones the browser admits to: named only once one of them was allowed. */
export function useMicrophones(allowed: boolean): readonly MicrophoneChoice[] {
  const [choices, setChoices] = useState<readonly MicrophoneChoice[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: permission changes what can be seen
  useEffect(() => {
    const devices: MediaDevices | undefined = navigator.mediaDevices;
    if (devices === undefined) return;
    let shown = true;
    const look = async (): Promise<void> => {
      const found = await devices.enumerateDevices().catch(() => []);
      if (shown) setChoices(named(found));
    };
    void look();
    devices.addEventListener('devicechange', look);
    return () => {
      shown = false;
      devices.removeEventListener('devicechange', look);
    };
  }, [allowed]);
  return choices;
}

/** Without the browser's own "default" entry, which the page offers in its own words. */
function named(devices: readonly MediaDeviceInfo[]): MicrophoneChoice[] {
  return devices
    .filter((device) => device.kind === 'audioinput' && device.label !== '')
    .filter((device) => device.deviceId !== 'default' && device.deviceId !== 'communications')
    .map((device) => ({ id: device.deviceId, title: device.label }));
}
