/** The KQL box: a plain text area at once, Monaco with completion as soon as it has been loaded. */
import { makeStyles, tokens } from '@fluentui/react-components';
import { Component, lazy, Suspense, useImperativeHandle, useRef, type KeyboardEvent, type ReactNode, type Ref } from 'react';
import type { WorkspaceSchema } from '@/api/types';
import type { QueryError } from './use-query-run';

export interface EditorHandle {
  focus(): void;
  cursor(): number;
  /** The selected text and where it starts; undefined when nothing is selected. */
  selection(): { text: string; start: number } | undefined;
  moveTo(offset: number): void;
}

export interface EditorProps {
  value: string;
  onChange(value: string): void;
  onRun(): void;
  error?: QueryError;
  schema?: WorkspaceSchema;
  dark: boolean;
  handle: Ref<EditorHandle>;
}

export const kEditorLabel = 'KQL query';

const MonacoEditor = lazy(() => import('./monaco-editor'));

const useStyles = makeStyles({
  text: {
    width: '100%',
    height: '100%',
    boxSizing: 'border-box',
    border: 'none',
    resize: 'none',
    padding: '8px 12px',
    background: 'transparent',
    color: tokens.colorNeutralForeground1,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: '14px',
    lineHeight: '20px',
    outline: 'none',
  },
});

function PlainEditor({ value, onChange, onRun, error, handle }: EditorProps) {
  const styles = useStyles();
  const area = useRef<HTMLTextAreaElement>(null);
  useImperativeHandle(handle, () => ({
    focus: () => area.current?.focus(),
    cursor: () => area.current?.selectionStart ?? 0,
    selection: () => {
      const { selectionStart: start = 0, selectionEnd: end = 0, value: text = '' } = area.current ?? {};
      return end > start ? { text: text.slice(start, end), start } : undefined;
    },
    moveTo: (offset) => {
      area.current?.focus();
      area.current?.setSelectionRange(offset, offset);
    },
  }));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !event.shiftKey) return;
    event.preventDefault();
    onRun();
  };
  return (
    <textarea
      ref={area}
      className={styles.text}
      aria-label={kEditorLabel}
      aria-invalid={error !== undefined}
      spellCheck={false}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={onKeyDown}
    />
  );
}

/** If Monaco cannot be loaded or breaks, the plain editor stays: queries can always be asked. */
class KeepPlain extends Component<{ plain: ReactNode; children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };
  static getDerivedStateFromError() {
    return { broken: true };
  }
  override render() {
    return this.state.broken ? this.props.plain : this.props.children;
  }
}

export function QueryEditor(props: EditorProps) {
  const plain = <PlainEditor {...props} />;
  return (
    <KeepPlain plain={plain}>
      <Suspense fallback={plain}>
        <MonacoEditor {...props} />
      </Suspense>
    </KeepPlain>
  );
}
