/** Adds a feed or changes its settings. */
import {
  Accordion,
  AccordionHeader,
  AccordionItem,
  AccordionPanel,
  Field,
  Input,
  makeStyles,
  Switch,
} from '@fluentui/react-components';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { usePutFeed } from '@/api/intelligence';
import type { IntelligenceFeed } from '@/api/types';
import { useNotifications } from '@/app/notifications';
import { formOf, orderOf, problemsOf, type FeedForm } from '@/format/intelligence';
import { FormDialog } from '@/parts/form-dialog';
import { Pick } from '@/parts/pick';
import { feedPath } from './feed-badge';

const kTransports = [
  ['document', 'A document, or a folder of them'],
  ['taxii', 'TAXII 2.1 server'],
  ['misp-feed', 'MISP feed'],
] as const;
const kFormats = [
  ['auto', 'Told by the content'],
  ['plain', 'One a line'],
  ['csv', 'CSV'],
  ['json', 'JSON'],
  ['stix', 'STIX 2.1'],
  ['misp', 'MISP event'],
  ['warning-list', 'Warning list: what indicates nothing'],
] as const;
const kDecays = [
  ['none', 'Stays, then ends'],
  ['linear', 'Falls evenly'],
  ['late', 'Falls late'],
] as const;

const useStyles = makeStyles({
  grid: { display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(180px, 1fr))', gap: '12px' },
  more: { display: 'flex', flexDirection: 'column', gap: '12px', paddingTop: '4px' },
});

export function FeedDialog({ feed, onClose }: { feed?: IntelligenceFeed; onClose(): void }) {
  const styles = useStyles();
  const [form, setForm] = useState(() => formOf(feed));
  const put = usePutFeed();
  const { done } = useNotifications();
  const navigate = useNavigate();
  const problems = problemsOf(form);
  const set = (change: Partial<FeedForm>) => setForm((old) => ({ ...old, ...change }));
  const text = (name: keyof FeedForm, label: string, hint?: string, type: 'text' | 'password' | 'number' = 'text') => (
    <Field label={label} hint={hint} validationMessage={form[name] === '' ? undefined : problems[name]}>
      <Input
        type={type}
        value={String(form[name])}
        maxLength={2048}
        autoComplete={type === 'password' ? 'new-password' : 'off'}
        onChange={(_, data) => set({ [name]: data.value })}
      />
    </Field>
  );
  const submit = () =>
    put.mutate(
      { name: form.name, order: orderOf(form, feed?.settings) },
      {
        onSuccess: () => {
          done(feed ? 'The feed was changed' : 'The feed was added');
          onClose();
          if (!feed) navigate(feedPath(form.name));
        },
      },
    );
  return (
    <FormDialog
      title={feed ? `Feed ${feed.name}` : 'Add a feed'}
      submitLabel={feed ? 'Save' : 'Add'}
      invalid={Object.keys(problems).length > 0}
      pending={put.isPending}
      error={put.error}
      onSubmit={submit}
      onClose={onClose}
    >
      {!feed && text('name', 'Name')}
      {text('source', 'Source', 'An address, or a path of the server. Empty: its content is handed in.')}
      <div className={styles.grid}>
        <Pick
          label="Transport"
          value={form.transport}
          options={kTransports}
          onPick={(value) => set({ transport: value as FeedForm['transport'] })}
        />
        <Pick
          label="Format"
          value={form.format}
          options={kFormats}
          onPick={(value) => set({ format: value as FeedForm['format'] })}
        />
        {form.transport === 'taxii' && text('collection', 'Collection', 'Empty: all that may be read.')}
        {text('intervalMinutes', 'Minutes between reads', '0: on request.', 'number')}
        {text('confidence', 'Confidence', 'Where the source gives none; 1 to 100.', 'number')}
        {text('lifeDays', 'Days an indicator lasts', '0: for ever.', 'number')}
        <Pick
          label="Confidence with age"
          value={form.decay}
          options={kDecays}
          onPick={(value) => set({ decay: value as FeedForm['decay'] })}
        />
        {text('licence', 'Licence')}
        {text('threat', 'Threat', 'Where the source names none.')}
        {text('reference', 'Reference')}
      </div>
      <Accordion collapsible>
        <AccordionItem value="credentials">
          <AccordionHeader size="small">Credentials of the source</AccordionHeader>
          <AccordionPanel className={styles.more}>
            {text('user', 'User', 'For basic authentication.')}
            {text('authHeader', 'Header', 'That carries the secret, such as Auth-Key. Without it and without a user: bearer.')}
            {text('secret', 'Secret', feed?.hasSecret ? 'One is kept. Empty: it stays.' : undefined, 'password')}
          </AccordionPanel>
        </AccordionItem>
      </Accordion>
      <Switch label="Read it" checked={form.enabled} onChange={(_, data) => set({ enabled: data.checked })} />
    </FormDialog>
  );
}
