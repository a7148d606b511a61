import {
  Button,
  Card,
  Dropdown,
  makeStyles,
  Menu,
  MenuGroup,
  MenuGroupHeader,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
  Option,
  tokens,
  Tooltip,
} from '@fluentui/react-components';
import { BookOpen20Regular, History20Regular, Play20Filled, Save20Regular, Stop20Filled } from '@fluentui/react-icons';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router-dom';
import { useWorkspaceSchema } from '@/api/queries';
import { useTheme } from '@/app/theme';
import { useSaved } from '@/api/saved';
import { useMay } from '@/app/session';
import { CopyButton } from '@/parts/copy-button';
import { Page } from '@/parts/page';
import { LogsTabs } from '@/parts/logs-tabs';
import { blockAt } from './query-block';
import { QueryEditor, type EditorHandle } from './query-editor';
import { QueryOutcome } from './query-outcome';
import { readRecent, withRecent, writeRecent } from './recent';
import { kSamples, kTimespanDefault, kTimespans } from './samples';
import { SaveDialog } from './save-dialog';
import { useQueryRun } from './use-query-run';

const useStyles = makeStyles({
  bar: { display: 'flex', gap: '8px', alignItems: 'center', flexWrap: 'wrap' },
  timespan: { minWidth: '160px' },
  editor: {
    height: '180px',
    minHeight: '80px',
    maxHeight: '60vh',
    resize: 'vertical',
    overflow: 'hidden',
    padding: 0,
    flexShrink: 0,
    ':focus-within': { outline: `1px solid ${tokens.colorBrandStroke1}` },
  },
  outcome: { flexGrow: 1, minHeight: '220px', padding: 0, gap: 0, overflow: 'hidden' },
});

export default function LogsPage() {
  const styles = useStyles();
  const { dark } = useTheme();
  const [params, setParams] = useSearchParams();
  const [text, setText] = useState(() => params.get('q') ?? readRecent()[0] ?? kSamples[0]!.query);
  const [timespan, setTimespan] = useState(() => params.get('timespan') ?? (params.has('q') ? '' : kTimespanDefault));
  const [recent, setRecent] = useState(readRecent);
  const { data: schema } = useWorkspaceSchema();
  const { state, run, cancel, forgetError } = useQueryRun();
  const editor = useRef<EditorHandle>(null);
  const { data: saved } = useSaved('query');
  const maySave = useMay('Contributor');
  const [saving, setSaving] = useState(false);

  const start = useCallback(
    (block: { text: string; start: number }, span: string) => {
      if (!block.text.trim()) return;
      setRecent((old) => {
        const next = withRecent(old, block.text);
        writeRecent(next);
        return next;
      });
      setParams({ q: block.text, ...(span ? { timespan: span } : {}) }, { replace: true });
      void run(block, span);
    },
    [run, setParams],
  );
  const runNow = () => start(editor.current?.selection() ?? blockAt(text, editor.current?.cursor() ?? 0), timespan);

  const replace = (query: string, span: string) => {
    setText(query);
    setTimespan(span);
    start({ text: query, start: 0 }, span);
    editor.current?.focus();
  };

  // A link that carries a query is a question: answer it. Queries only read.
  const [linked] = useState(() => params.get('q'));
  useEffect(() => {
    if (linked) start({ text: linked, start: 0 }, params.get('timespan') ?? '');
    // Once, when the page opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  return (
    <Page title="Logs" fill>
      <LogsTabs />
      <div className={styles.bar} role="toolbar" aria-label="Query">
        {state.kind === 'running' ? (
          <Button appearance="primary" icon={<Stop20Filled />} onClick={cancel}>
            Cancel
          </Button>
        ) : (
          <Tooltip content="Shift+Enter in the editor" relationship="description">
            <Button appearance="primary" icon={<Play20Filled />} onClick={runNow}>
              Run
            </Button>
          </Tooltip>
        )}
        <Dropdown
          className={styles.timespan}
          aria-label="Time range"
          selectedOptions={[timespan]}
          value={kTimespans.find(({ value }) => value === timespan)?.text ?? timespan}
          onOptionSelect={(_, data) => setTimespan(data.optionValue ?? '')}
        >
          {kTimespans.map(({ value, text: name }) => (
            <Option key={value} value={value}>
              {name}
            </Option>
          ))}
        </Dropdown>
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <Button icon={<BookOpen20Regular />}>Samples</Button>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              {kSamples.map((sample) => (
                <MenuItem key={sample.name} onClick={() => replace(sample.query, sample.timespan)}>
                  {sample.name}
                </MenuItem>
              ))}
            </MenuList>
          </MenuPopover>
        </Menu>
        {saved && saved.length > 0 && (
          <Menu>
            <MenuTrigger disableButtonEnhancement>
              <Button icon={<Save20Regular />}>Saved</Button>
            </MenuTrigger>
            <MenuPopover>
              <MenuList>
                {saved.slice(0, 30).map((one) => (
                  <MenuItem key={one.name} onClick={() => replace(one.text, timespan)}>
                    {one.category ? `${one.category}: ${one.name}` : one.name}
                  </MenuItem>
                ))}
              </MenuList>
            </MenuPopover>
          </Menu>
        )}
        {recent.length > 0 && (
          <Menu>
            <MenuTrigger disableButtonEnhancement>
              <Button icon={<History20Regular />}>Recent</Button>
            </MenuTrigger>
            <MenuPopover>
              <MenuList>
                <MenuGroup>
                  <MenuGroupHeader>Queries of this browser</MenuGroupHeader>
                  {recent.map((query) => (
                    <MenuItem key={query} onClick={() => replace(query, timespan)}>
                      {query.replace(/\s+/g, ' ').slice(0, 70)}
                    </MenuItem>
                  ))}
                </MenuGroup>
              </MenuList>
            </MenuPopover>
          </Menu>
        )}
        {maySave && (
          <Button appearance="subtle" disabled={text.trim() === ''} onClick={() => setSaving(true)}>
            Save…
          </Button>
        )}
        <CopyButton
          text={() =>
            `${window.location.origin}/logs?${new URLSearchParams({ q: text, ...(timespan ? { timespan } : {}) }).toString()}`
          }
          label="Copy a link to this query"
        />
      </div>
      {saving && <SaveDialog text={text} onClose={() => setSaving(false)} />}
      <Card className={styles.editor}>
        <QueryEditor
          handle={editor}
          value={text}
          schema={schema}
          dark={dark}
          error={state.kind === 'failed' ? state.error : undefined}
          onChange={(value) => {
            setText(value);
            forgetError();
          }}
          onRun={runNow}
        />
      </Card>
      <Card className={styles.outcome}>
        <QueryOutcome state={state} text={text} onGoTo={(offset) => editor.current?.moveTo(offset)} />
      </Card>
    </Page>
  );
}
