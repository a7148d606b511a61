import { Button, makeStyles, tokens, Tooltip } from '@fluentui/react-components';
import { Checkmark16Regular, Copy16Regular } from '@fluentui/react-icons';
import { useState } from 'react';

const kConfirmMs = 2_000;

/** Copies `text`; the label says what, for people who cannot see the icon. */
export function CopyButton({ text, label }: { text: string | (() => string); label: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
      setState('copied');
    } catch {
      setState('failed');
    }
    setTimeout(() => setState('idle'), kConfirmMs);
  };
  const words = state === 'copied' ? 'Copied' : state === 'failed' ? 'The browser did not allow copying' : label;
  return (
    <Tooltip content={words} relationship="label">
      <Button
        size="small"
        appearance="subtle"
        icon={state === 'copied' ? <Checkmark16Regular /> : <Copy16Regular />}
        onClick={() => void copy()}
      />
    </Tooltip>
  );
}

const useStyles = makeStyles({
  command: {
    display: 'flex',
    alignItems: 'center',
    gap: '8px',
    padding: '4px 4px 4px 12px',
    borderRadius: tokens.borderRadiusMedium,
    background: tokens.colorNeutralBackground3,
    textAlign: 'left',
  },
  text: {
    flexGrow: 1,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    overflowWrap: 'anywhere',
    userSelect: 'all',
  },
});

/** A text that is there to be copied: a command, a key. */
export function Copyable({ text, label }: { text: string; label: string }) {
  const styles = useStyles();
  return (
    <div className={styles.command}>
      <code className={styles.text}>{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  );
}
