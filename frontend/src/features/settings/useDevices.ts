import { useEffect, useState } from 'react';

export interface DeviceChoice {
  readonly id: string;
  readonly title: string;
}

export interface Devices {
  readonly microphones: readonly DeviceChoice[];
  readonly speakers: readonly DeviceChoice[];
}

/** The devices the browser admits to: named only once a microphone was allowed. */
export function useDevices(allowed: boolean): Devices {
  const [choices, setChoices] = useState<Devices>({ microphones: [], speakers: [] });
  // biome-ignore lint/correctness/useExhaustiveDependencies: permission changes what can be seen
  useEffect(() => {
    const devices: MediaDevices | undefined = navigator.mediaDevices;
    if (devices === undefined) return;
    let shown = true;
    const look = async (): Promise<void> => {
      const found = await devices.enumerateDevices().catch(() => []);
      if (shown)
        setChoices({
          microphones: named(found, 'audioinput'),
          speakers: named(found, 'audiooutput'),
        });
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
function named(devices: readonly MediaDeviceInfo[], kind: MediaDeviceKind): DeviceChoice[] {
  return devices
    .filter((device) => device.kind === kind && device.label !== '')
    .filter((device) => device.deviceId !== 'default' && device.deviceId !== 'communications')
    .map((device) => ({ id: device.deviceId, title: device.label }));
}
