import { afterEach, expect, test, vi } from 'vitest';
import { faultOf, listen } from './devices';

afterEach(() => vi.unstubAllGlobals());

/** A browser with one microphone, `there`, and what it was asked for. */
function browser() {
  const asked: unknown[] = [];
  const stream = {};
  const getUserMedia = ({ audio }: { audio: MediaTrackConstraints }) => {
    asked.push(audio.deviceId);
    const { exact = 'there' } = (audio.deviceId ?? {}) as { exact?: string };
    return exact === 'there'
      ? Promise.resolve(stream)
      : Promise.reject(named('OverconstrainedError'));
  };
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia } });
  return { asked, stream };
}

function named(name: string): unknown {
  return { name };
}

test('the microphone one chose is asked for exactly', async () => {
  const { asked, stream } = browser();
  expect(await listen('there')).toBe(stream);
  expect(asked).toEqual([{ exact: 'there' }]);
});

test('where the one chosen has gone, the default listens', async () => {
  const { asked, stream } = browser();
  expect(await listen('gone')).toBe(stream);
  expect(asked).toEqual([{ exact: 'gone' }, undefined]);
});

test('a refusal is final, and keeps its name', async () => {
  const getUserMedia = vi.fn(() => Promise.reject(named('NotAllowedError')));
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia } });
  await expect(listen('there')).rejects.toMatchObject({ fault: 'denied' });
  expect(getUserMedia).toHaveBeenCalledOnce();
});

test('a browser’s error is known by its name, whatever it is made of', () => {
  expect(faultOf(named('OverconstrainedError'))).toBe('missing');
  expect(faultOf(new DOMException('', 'NotReadableError'))).toBe('busy');
  expect(faultOf('no')).toBe('unsupported');
});
