import { useEffect, useRef } from 'react';
import type { Telephone } from './store';

/** What was said: one's own typed words, and what the local ears made of the other's. */
export function HeardList({ telephone }: { telephone: Telephone | undefined }) {
  const list = useRef<HTMLUListElement>(null);
  const heard = telephone?.heard ?? [];
  const last = heard.at(-1)?.id;
  useEffect(() => {
    if (list.current !== null && last !== undefined)
      list.current.scrollTop = list.current.scrollHeight;
  }, [last]);
  return (
    <section className="heard" aria-labelledby="heard">
      <h2 id="heard">Heard</h2>
      {heard.length === 0 ? (
        <p className="heard-empty">
          In words, as the local ears make them out: what this line hears, and what you type.
        </p>
      ) : null}
      <ul ref={list} aria-live="polite" tabIndex={heard.length === 0 ? -1 : 0}>
        {heard.map((one) => (
          <li key={one.id} data-who={one.who}>
            <span className="heard-who">{one.who === 'you' ? 'You' : 'Ear'}</span> {one.text}
          </li>
        ))}
      </ul>
    </section>
  );
}
