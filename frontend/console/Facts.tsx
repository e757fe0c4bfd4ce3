import type { ReactNode } from 'react';
import type { CallDetail } from './protocol.gen';
import { lasting, money, reasonWords, recordedWords, secondsOf } from './words';

/** Beside the transcript: what the call came to, and what it is made of. */
export function Facts({ detail, lastedMs }: { detail: CallDetail; lastedMs: number }) {
  return (
    <>
      <section className="panel" aria-labelledby="came-to">
        <h2 id="came-to">{detail.live ? 'So far' : 'What it came to'}</h2>
        <dl className="pairs">
          <Pair name="Answered in">{latencyWords(detail)}</Pair>
          <Pair name="Interruptions">{detail.interruptions.length}</Pair>
          <Pair name="Tool calls">{toolWords(detail)}</Pair>
          <Pair name="Money">{moneyWords(detail)}</Pair>
          {detail.live ? null : <Pair name="Ended">{reasonWords(detail.call.endReason)}</Pair>}
        </dl>
      </section>
      <Tokens detail={detail} />
      <section className="panel" aria-labelledby="made-of">
        <h2 id="made-of">The call</h2>
        <dl className="pairs">
          <Pair name="Model">{detail.call.model}</Pair>
          <Pair name="Voice">{detail.call.voice}</Pair>
          <Pair name="Caller">
            <code>{detail.call.caller}</code>
          </Pair>
          <Pair name="Length">{lasting(lastedMs)}</Pair>
          <Pair name="Recorded">{recordedWords(detail.recording)}</Pair>
          <Pair name="Id">
            <code>{detail.call.id}</code>
          </Pair>
        </dl>
      </section>
    </>
  );
}

function Tokens({ detail }: { detail: CallDetail }) {
  const { usage } = detail;
  const rows = [
    ['Heard', usage.inputText, usage.inputAudio],
    ['of it cached', usage.cachedText, usage.cachedAudio],
    ['Said', usage.outputText, usage.outputAudio],
  ] as const;
  return (
    <section className="panel" aria-labelledby="tokens">
      <h2 id="tokens">Tokens</h2>
      <table className="small-table">
        <thead>
          <tr>
            <td />
            <th scope="col">Text</th>
            <th scope="col">Audio</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, text, audio]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{text.toLocaleString('en')}</td>
              <td>{audio.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function latencyWords({ answers }: CallDetail): string {
  const values = answers.map((answer) => answer.firstAudioMs).sort((one, other) => one - other);
  const middle = values[Math.floor((values.length - 1) / 2)];
  if (middle === undefined) return 'nothing measured';
  const worst = values.at(-1) ?? middle;
  return values.length === 1
    ? secondsOf(middle)
    : `${secondsOf(middle)} median, ${secondsOf(worst)} at worst`;
}

function toolWords({ tools }: CallDetail): string {
  const failed = tools.filter((tool) => tool.state === 'failed').length;
  return failed === 0 ? String(tools.length) : `${tools.length}, ${failed} failed`;
}

function moneyWords({ usage }: CallDetail): string {
  if (usage.costUsd === null) return 'no price known';
  const unknown = usage.unpriced === 0 ? '' : `, and ${usage.unpriced} replies without a price`;
  return `${money(usage.costUsd)}${unknown}`;
}
