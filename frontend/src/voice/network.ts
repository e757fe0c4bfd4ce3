/** Tells when the device goes on or off line; returns how to stop listening. */
export type Network = (heard: (online: boolean) => void) => () => void;

/** The browser's word for it, which is a hint: a line may live on, or be dead without one. */
export const browserNetwork: Network = (heard) => {
  const online = (): void => heard(true);
  const offline = (): void => heard(false);
  window.addEventListener('online', online);
  window.addEventListener('offline', offline);
  return () => {
    window.removeEventListener('online', online);
    window.removeEventListener('offline', offline);
  };
};
