import { Mic } from 'lucide-react';
import { type ReactNode, type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import { EndButton, HumanButton, MuteButton } from '../features/call/CallControls';
import '../features/call/call.css';
import { Composer } from '../features/call/Composer';
import { Connection } from '../features/call/Connection';
import { FloorBand } from '../features/call/FloorBand';
import { Suggestions } from '../features/call/Suggestions';
import { useCaller } from '../features/call/useCaller';
import { useKeys } from '../features/call/useKeys';
import { becauseWords, microphoneWords, troubleWords } from '../features/call/words';
import { RecordingLine } from '../features/recording/RecordingLine';
import { SettingsPanel } from '../features/settings/SettingsPanel';
import { useSettings } from '../features/settings/useSettings';
import { YouLine } from '../features/sign-in/YouLine';
import { PhoneLine } from '../features/telephone/PhoneLine';
import { useRinger } from '../features/telephone/useRinger';
import { ToolLine } from '../features/tools/ToolLine';
import { Announcer } from '../features/transcript/Announcer';
import { SaveButtons } from '../features/transcript/SaveButtons';
import { Transcript } from '../features/transcript/Transcript';
import { Button } from '../ui/Button';
import { Note } from '../ui/Note';
import { Select } from '../ui/Select';
import type { Caller } from '../voice/caller';
import type { Way } from '../voice/plan';
import type { AgentChoice, PageConfig } from '../voice/protocol.gen';
import { RECORDING, type Snapshot, type Trouble } from '../voice/session';
import { chosenAgent, offered, waysFor } from './choices';
import { useAccent, useDeviceChoice } from './effects';
import type { Entrance } from './useEntrance';

interface TalkProps extends Pick<Entrance<PageConfig>, 'signIn' | 'signOut'> {
  config: PageConfig;
}

export function Talk({ config, signIn, signOut }: TalkProps) {
  const { caller, snapshot } = useCaller();
  const { ringer, ringing } = useRinger();
  const [settings, change] = useSettings();
  const [settingsOpen, setSettingsOpen] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const agent = chosenAgent(config, settings);
  const ways = waysFor(config, settings);
  const inCall = isInCall(snapshot);
  useAccent(agent);
  useDeviceChoice(caller, settings, inCall);

  const call = useCallback(
    ({ listen = true, first, way }: Call = {}) => {
      setSettingsOpen(false);
      const { device, speaker, connection } = settings;
      void caller.start({
        ...offered(config, settings),
        ...{ agent: agent.id, device, speaker, listen, first },
        choice: way ?? connection,
        ways: waysFor(config, settings),
        recorded: agent.recorded,
      });
    },
    [caller, config, settings, agent],
  );
  const bySocket = (): void => {
    change({ connection: 'websocket' });
    call({ way: 'websocket' });
  };
  const say = (text: string): void =>
    inCall ? caller.say(text) : call({ listen: false, first: text });
  const suggest = (text: string): void => (inCall ? caller.say(text) : call({ first: text }));

  useKeys({
    space: () => {
      if (snapshot.microphone === 'on') caller.mute(!snapshot.muted);
    },
    escape: () => {
      if (settingsOpen) setSettingsOpen(false);
      else caller.end();
    },
    slash: () => field.current?.focus(),
  });

  const desk: Desk = {
    caller,
    snapshot,
    agent,
    field,
    say,
    suggest,
    call,
    bySocket,
    device: settings.device,
    telephone:
      config.phone === null ? null : (
        <PhoneLine phone={config.phone} agents={config.agents} {...{ agent, ringer, ringing }} />
      ),
  };
  return (
    <div className="page">
      <header className="bar">
        <Select
          look="title"
          label="Who you talk to"
          value={agent.id}
          onChange={(id) => change({ agent: id })}
          options={config.agents}
          disabled={inCall}
        />
        <Connection snapshot={snapshot} />
        <YouLine {...{ config, signIn, signOut, inCall }} />
        <SettingsPanel
          {...{ config, agent, settings, ways, change, inCall }}
          open={settingsOpen}
          onOpen={setSettingsOpen}
          listening={snapshot.microphone === 'on'}
        />
      </header>
      {snapshot.phase === 'idle' ? <Welcome {...desk} /> : <Conversation {...desk} />}
      <Announcer entries={snapshot.entries} agent={agent.title} />
    </div>
  );
}

interface Call {
  listen?: boolean;
  first?: string;
  /** This once, whatever the settings say. */
  way?: Way;
}

interface Desk {
  caller: Caller;
  snapshot: Snapshot;
  agent: AgentChoice;
  field: RefObject<HTMLInputElement | null>;
  device: string | null;
  /** The other way to talk, where there is a telephone. */
  telephone: ReactNode;
  say: (text: string) => void;
  suggest: (text: string) => void;
  call: (call?: Call) => void;
  bySocket: () => void;
}

/** Before a call: one thing to do. */
function Welcome({ snapshot, agent, field, say, suggest, call, bySocket, telephone }: Desk) {
  return (
    <main className="welcome">
      <div className="welcome-middle">
        <h1 className="welcome-title">{agent.tagline}</h1>
        <p className="welcome-how">Speak as you would on the telephone. Interrupt when you like.</p>
        <div className="welcome-line">
          <Button look="primary" onClick={() => call()}>
            <Mic size={24} aria-hidden="true" />
            Talk to {agent.title}
          </Button>
        </div>
        <WelcomeTrouble trouble={snapshot.trouble} bySocket={bySocket} />
        <div className="welcome-type">
          <Composer field={field} placeholder="Or type" disabled={false} onSay={say} />
          <Suggestions suggestions={agent.suggestions} onChoose={suggest} disabled={false} />
          {telephone}
        </div>
      </div>
    </main>
  );
}

interface WelcomeTroubleProps {
  trouble: Trouble | null;
  bySocket: () => void;
}

function WelcomeTrouble({ trouble, bySocket }: WelcomeTroubleProps) {
  if (trouble === null) return null;
  const words = troubleWords(trouble, false);
  const way = words.otherWay ? <Button onClick={bySocket}>Use WebSocket</Button> : undefined;
  return (
    <div className="welcome-trouble">
      <Note tone="trouble" title={words.title} actions={way}>
        {words.text}
      </Note>
    </div>
  );
}

/** A call, live or over: the same places, so that nothing jumps when it ends. */
function Conversation(desk: Desk) {
  const { caller, snapshot, agent } = desk;
  return (
    <main className="conversation">
      <h1 className="unseen">Call with {agent.title}</h1>
      <FloorBand snapshot={snapshot} agent={agent.title} levels={caller.levels} />
      <RecordingLine
        recording={snapshot.phase === 'ended' ? null : snapshot.recording}
        onDecide={(agreed) => caller.decide(RECORDING, agreed)}
      />
      <Transcript
        snapshot={snapshot}
        agent={agent.title}
        preface={snapshot.phase === 'dialling' ? null : becauseWords(snapshot.because)}
        renderTool={(tool) => <ToolLine key={tool.id} tool={tool} onDecide={caller.decide} />}
        empty={
          snapshot.phase === 'dialling'
            ? 'If your browser asks for the microphone, choose Allow.'
            : 'What you both say will be written here.'
        }
      />
      {snapshot.phase === 'ended' ? <EndedDock {...desk} /> : <LiveDock {...desk} />}
    </main>
  );
}

function LiveDock({ caller, snapshot, agent, field, device, say, suggest }: Desk) {
  const connected = snapshot.phase === 'live';
  const words = microphoneWords(snapshot.microphone);
  const listen = (): void => void caller.listen(device);
  return (
    <div className="dock">
      {snapshot.phase === 'away' ? (
        <Note tone="quiet" title="The connection was lost: trying to come back">
          The call is held for a few seconds, and nothing said so far is lost.
        </Note>
      ) : null}
      {words === null ? null : (
        <Note tone="trouble" title={words.title}>
          {words.text}
        </Note>
      )}
      <Suggestions suggestions={agent.suggestions} onChoose={suggest} disabled={!connected} />
      <div className="dock-row">
        <MuteButton snapshot={snapshot} onMute={caller.mute} onListen={listen} />
        <Composer field={field} placeholder="Type here" disabled={!connected} onSay={say} />
        <HumanButton
          snapshot={snapshot}
          onAsk={caller.askForHuman}
          onWithdraw={caller.wantNoHuman}
        />
        <EndButton onEnd={caller.end} />
      </div>
    </div>
  );
}

function EndedDock({ snapshot, agent, call, telephone }: Desk) {
  const again = useRef<HTMLButtonElement>(null);
  useEffect(() => again.current?.focus({ preventScroll: true }), []);
  return (
    <div className="dock dock-ended">
      <EndedWords snapshot={snapshot} />
      <div className="ended-row">
        <Button ref={again} look="primary" className="ended-again" onClick={() => call()}>
          <Mic size={24} aria-hidden="true" />
          Talk again
        </Button>
        {snapshot.entries.length === 0 ? null : (
          <SaveButtons snapshot={snapshot} agent={agent.title} />
        )}
      </div>
      {telephone}
    </div>
  );
}

function EndedWords({ snapshot }: { snapshot: Snapshot }) {
  if (snapshot.trouble === null)
    return <p className="ended-words">{snapshot.ended?.text ?? 'You ended the call.'}</p>;
  const words = troubleWords(snapshot.trouble, snapshot.entries.length > 0);
  return (
    <Note tone="trouble" title={words.title}>
      {words.text}
    </Note>
  );
}

function isInCall(now: Snapshot): boolean {
  return now.phase === 'dialling' || now.phase === 'live' || now.phase === 'away';
}
