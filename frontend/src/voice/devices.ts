/** Microphones and speakers as the browser has them. */
import { isRecord } from './wire';

/** What a microphone cannot do, in one word; the screen has the sentences. */
export type MicrophoneFault = 'denied' | 'missing' | 'busy' | 'unsupported';

export class MicrophoneFailed extends Error {
  readonly fault: MicrophoneFault;

  constructor(fault: MicrophoneFault, cause?: unknown) {
    super(`microphone ${fault}`, { cause });
    this.fault = fault;
  }
}

/**
 * `device` is the id the browser gave it, or `null` for the default, which also stands in for one
 * that is not there any more. Raises `MicrophoneFailed`.
 */
export async function listen(device: string | null): Promise<MediaStream> {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices === undefined) throw new MicrophoneFailed('unsupported');
  try {
    return await opened(devices, device);
  } catch (error) {
    throw new MicrophoneFailed(faultOf(error), error);
  }
}

async function opened(devices: MediaDevices, device: string | null): Promise<MediaStream> {
  const audio: MediaTrackConstraints = {
    channelCount: 1,
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  };
  if (device === null) return devices.getUserMedia({ audio });
  try {
    // Exactly: Chromium takes an ideal device for a wish, and opens the person's default.
    return await devices.getUserMedia({ audio: { ...audio, deviceId: { exact: device } } });
  } catch (error) {
    if (faultOf(error) !== 'missing') throw error;
    return devices.getUserMedia({ audio });
  }
}

export function faultOf(error: unknown): MicrophoneFault {
  // Not every browser's OverconstrainedError is an Error.
  const name = isRecord(error) ? error['name'] : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'unsupported';
}

export function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** Calls `lost` once if the stream's device is unplugged or taken away. Returns how to stop. */
export function watchDevice(stream: MediaStream, lost: () => void): () => void {
  const track = stream.getAudioTracks()[0];
  const devices = navigator.mediaDevices;
  const id = track?.getSettings().deviceId;
  let done = false;
  const finish = (): void => {
    done = true;
    if (track !== undefined) track.onended = null;
    devices.removeEventListener('devicechange', look);
  };
  const tell = (): void => {
    if (done) return;
    finish();
    lost();
  };
  // Not every browser ends the track of a device that has gone.
  const look = async (): Promise<void> => {
    const found = await devices.enumerateDevices().catch(() => []);
    const inputs = found.filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '');
    if (id === undefined || id === '' || inputs.length === 0) return;
    if (!inputs.some(({ deviceId }) => deviceId === id)) tell();
  };
  if (track !== undefined) track.onended = tell;
  devices.addEventListener('devicechange', look);
  return finish;
}

/** Whether this browser lets a page choose where it is heard. */
export function canChooseSpeaker(): boolean {
  return 'setSinkId' in HTMLMediaElement.prototype && 'setSinkId' in AudioContext.prototype;
}

/** A speaker that has gone is no reason to fail: the sound then comes from the default one. */
export async function sendTo(
  output: AudioContext | HTMLAudioElement,
  speaker: string | null,
): Promise<void> {
  // `lib.dom` has it for one of the two; a browser may have it for neither.
  if (!('setSinkId' in output) || typeof output.setSinkId !== 'function') return;
  const moved: Promise<void> = output.setSinkId(speaker ?? '');
  await moved.catch(() => undefined);
}
