/** The KQL box in Monaco: colours, completion from GET /schema, and the server's error underlined. */
import { makeStyles } from '@fluentui/react-components';
import { useEffect, useImperativeHandle, useRef, useState } from 'react';
import { kEditorLabel, type EditorProps } from './query-editor';
import { kThemes, monaco, setSchema } from './monaco-setup';

const kMarkerOwner = 'picket';

const useStyles = makeStyles({ box: { width: '100%', height: '100%' } });

function create(box: HTMLElement, value: string): monaco.editor.IStandaloneCodeEditor {
  return monaco.editor.create(box, {
    value,
    language: 'kusto',
    ariaLabel: kEditorLabel,
    automaticLayout: true,
    fixedOverflowWidgets: true,
    folding: false,
    fontSize: 14,
    lineHeight: 20,
    lineNumbersMinChars: 3,
    minimap: { enabled: false },
    overviewRulerLanes: 0,
    padding: { top: 8, bottom: 8 },
    renderLineHighlight: 'none',
    scrollBeyondLastLine: false,
    suggest: { showStatusBar: false },
    // Tab leaves the editor, as in any other field; completions are taken with Enter or Tab while their list is open.
    tabFocusMode: true,
    wordWrap: 'on',
  });
}

export default function MonacoEditor({ value, onChange, onRun, error, schema, dark, handle }: EditorProps) {
  const styles = useStyles();
  const box = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<monaco.editor.IStandaloneCodeEditor>();
  // Monaco keeps the first callbacks, so they read the newest ones from here.
  const latest = useRef({ onChange, onRun });
  useEffect(() => {
    latest.current = { onChange, onRun };
  });

  useEffect(() => {
    if (!box.current) return;
    const made = create(box.current, value);
    made.onDidChangeModelContent(() => latest.current.onChange(made.getValue()));
    made.addAction({
      id: 'picket.run',
      label: 'Run the query',
      keybindings: [monaco.KeyMod.Shift | monaco.KeyCode.Enter],
      run: () => latest.current.onRun(),
    });
    setEditor(made);
    return () => {
      made.getModel()?.dispose();
      made.dispose();
    };
    // The editor owns the text once it exists; later values come in below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  useEffect(() => {
    if (editor && editor.getValue() !== value) editor.setValue(value);
  }, [editor, value]);

  useEffect(() => {
    monaco.editor.setTheme(dark ? kThemes.dark : kThemes.light);
  }, [dark]);

  useEffect(() => {
    const model = editor?.getModel();
    // Without a schema the editor still edits; only completion lacks table names.
    if (model && schema)
      setSchema(model, schema).catch((cause: unknown) => console.warn('KQL completion is not available', cause));
  }, [editor, schema]);

  useEffect(() => {
    const model = editor?.getModel();
    if (!model) return;
    const marker = (span: { start: number; length: number }): monaco.editor.IMarkerData => {
      const from = model.getPositionAt(span.start);
      const to = model.getPositionAt(span.start + span.length);
      return {
        severity: monaco.MarkerSeverity.Error,
        message: error?.message ?? '',
        startLineNumber: from.lineNumber,
        startColumn: from.column,
        endLineNumber: to.lineNumber,
        endColumn: to.column,
      };
    };
    monaco.editor.setModelMarkers(model, kMarkerOwner, error?.span ? [marker(error.span)] : []);
  }, [editor, error]);

  useImperativeHandle(
    handle,
    () => ({
      focus: () => editor?.focus(),
      cursor: () => {
        const position = editor?.getPosition();
        return position ? (editor?.getModel()?.getOffsetAt(position) ?? 0) : 0;
      },
      selection: () => {
        const [model, range] = [editor?.getModel(), editor?.getSelection()];
        if (!model || !range || range.isEmpty()) return undefined;
        return { text: model.getValueInRange(range), start: model.getOffsetAt(range.getStartPosition()) };
      },
      moveTo: (offset) => {
        const position = editor?.getModel()?.getPositionAt(offset);
        if (position) editor?.setPosition(position);
        editor?.focus();
      },
    }),
    [editor],
  );

  return <div ref={box} className={styles.box} data-testid="monaco" />;
}
