import { Settings2, X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { Button } from '../../ui/Button';
import { Select } from '../../ui/Select';
import { canChooseSpeaker } from '../../voice/devices';
import type { Way } from '../../voice/plan';
import type { AgentChoice, PageConfig } from '../../voice/protocol.gen';
import { connectionChoices, connectionHint } from './connections';
import { isChoice, type Settings } from './settings';
import './settings.css';
import { useDevices } from './useDevices';
import type { Change } from './useSettings';

interface Props {
  config: PageConfig;
  agent: AgentChoice;
  settings: Settings;
  /** How the chosen model can be talked to. */
  ways: readonly Way[];
  change: Change;
  open: boolean;
  onOpen: (open: boolean) => void;
  inCall: boolean;
  listening: boolean;
}

export function SettingsPanel({ open, onOpen, ...rest }: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent): void => {
      if (event.target instanceof Node && box.current?.contains(event.target) === false)
        onOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open, onOpen]);
  return (
    <div className="settings" ref={box}>
      <Button look="plain" aria-expanded={open} aria-controls={id} onClick={() => onOpen(!open)}>
        <Settings2 size={20} aria-hidden="true" />
        <span className="settings-word">Settings</span>
      </Button>
      <section id={id} className="settings-panel" aria-label="Settings" hidden={!open}>
        {open ? <Fields {...rest} onClose={() => onOpen(false)} /> : null}
      </section>
    </div>
  );
}

interface FieldsProps extends Omit<Props, 'open' | 'onOpen'> {
  onClose: () => void;
}

function Fields(props: FieldsProps) {
  const { config, agent, settings, change, inCall, onClose } = props;
  return (
    <>
      <div className="settings-head">
        <h2>Settings</h2>
        <Button look="plain" className="settings-close" onClick={onClose}>
          <X size={20} aria-hidden="true" />
          Close
        </Button>
      </div>
      <Field
        label="Agent"
        hint={inCall ? 'Agent, voice, model, connection: from the next call.' : null}
      >
        {(id) => (
          <Select
            id={id}
            value={agent.id}
            onChange={(agent) => change({ agent })}
            options={config.agents}
            disabled={inCall}
          />
        )}
      </Field>
      <Field label="Voice">
        {(id) => (
          <Select
            id={id}
            value={settings.voice}
            onChange={(voice) => change({ voice })}
            options={config.voices}
            none={`Agent’s own (${titled(config.voices, agent.voice)})`}
            disabled={inCall}
          />
        )}
      </Field>
      <Field label="Model">
        {(id) => (
          <Select
            id={id}
            value={settings.model}
            onChange={(model) => change({ model })}
            options={config.models}
            none={`Agent’s own (${titled(config.models, agent.model)})`}
            disabled={inCall}
          />
        )}
      </Field>
      <ConnectionField {...props} />
      <DeviceFields {...props} />
      <Field label="Appearance">
        {(id) => (
          <Select
            id={id}
            value={settings.theme}
            onChange={(theme) =>
              change({ theme: theme === 'light' || theme === 'dark' ? theme : 'system' })
            }
            options={THEMES}
          />
        )}
      </Field>
      <p className="settings-keys">
        <kbd>Space</kbd> mute · <kbd>/</kbd> type · <kbd>Esc</kbd> end
      </p>
    </>
  );
}

/** Shown where there is a choice. */
function ConnectionField({ config, agent, settings, ways, change, inCall }: FieldsProps) {
  const choices = connectionChoices(config);
  if (choices.length === 0) return null;
  const model = titled(config.models, settings.model ?? agent.model);
  return (
    <Field label="Connection" hint={connectionHint(settings.connection, ways, model)}>
      {(id) => (
        <Select
          id={id}
          value={settings.connection}
          onChange={(choice) => change({ connection: isChoice(choice) ? choice : 'automatic' })}
          options={choices}
          disabled={inCall}
        />
      )}
    </Field>
  );
}

/** May be changed in the middle of a call. */
function DeviceFields({ settings, change, listening }: FieldsProps) {
  const { microphones, speakers } = useDevices(listening);
  return (
    <>
      <Field
        label="Microphone"
        hint={microphones.length === 0 ? 'Named here once you have allowed one.' : null}
      >
        {(id) => (
          <Select
            id={id}
            value={settings.device}
            onChange={(device) => change({ device })}
            options={microphones}
            none="The browser’s default"
          />
        )}
      </Field>
      {canChooseSpeaker() && speakers.length > 0 ? (
        <Field label="Speaker">
          {(id) => (
            <Select
              id={id}
              value={settings.speaker}
              onChange={(speaker) => change({ speaker })}
              options={speakers}
              none="The browser’s default"
            />
          )}
        </Field>
      ) : null}
    </>
  );
}

const THEMES = [
  { id: 'system', title: 'As the system' },
  { id: 'light', title: 'Light' },
  { id: 'dark', title: 'Dark' },
];

interface FieldProps {
  label: string;
  hint?: string | null;
  children: (id: string) => ReactNode;
}

function Field({ label, hint = null, children }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      {children(id)}
      {hint === null ? null : <p className="field-hint">{hint}</p>}
    </div>
  );
}

function titled(choices: readonly { id: string; title: string }[], id: string): string {
  return choices.find((choice) => choice.id === id)?.title ?? id;
}
