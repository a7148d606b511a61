/** The fields in which people say what they think of an alert or an incident. */
import { Button, Field, Input, makeStyles, Textarea } from '@fluentui/react-components';
import { useSession } from '@/app/session';
import { kClassifications, kReasons, type Decided, type Draft } from '@/format/triage';
import { Pick } from './pick';

const kCommentMax = 4000;
const kOwnerMax = 128;

const useStyles = makeStyles({ owner: { display: 'flex', gap: '6px' }, input: { flexGrow: 1, minWidth: 0 } });

interface TriageFieldsProps {
  now: Decided;
  draft: Draft;
  statuses: readonly string[];
  onDraft(change: Draft): void;
}

export function TriageFields({ now, draft, statuses, onDraft }: TriageFieldsProps) {
  const styles = useStyles();
  const { state } = useSession();
  const me = state.kind === 'in' ? state.session.user : '';
  const owner = draft.owner ?? now.owner ?? '';
  const classification = draft.classification ?? now.classification ?? '';
  const set = (change: Draft) => onDraft({ ...draft, ...change });
  return (
    <>
      <Pick
        label="Status"
        value={draft.status ?? now.status}
        options={statuses.map((name) => [name, name] as const)}
        onPick={(status) => set({ status })}
      />
      <div className={styles.owner}>
        <Field label="Owner" className={styles.input}>
          <Input
            value={owner}
            maxLength={kOwnerMax}
            placeholder="Nobody yet"
            onChange={(_, data) => set({ owner: data.value })}
          />
        </Field>
        {owner !== me && (
          <Button style={{ alignSelf: 'end' }} onClick={() => set({ owner: me })}>
            Take it
          </Button>
        )}
      </div>
      <Pick
        label="Classification"
        value={classification}
        none="None yet"
        options={kClassifications}
        onPick={(value) =>
          set({ classification: value as Decided['classification'], ...(value === '' ? { classificationReason: '' } : {}) })
        }
      />
      {classification !== '' && (
        <Pick
          label="Reason"
          value={draft.classificationReason ?? now.classificationReason ?? ''}
          none="None"
          options={kReasons}
          onPick={(value) => set({ classificationReason: value as Decided['classificationReason'] })}
        />
      )}
      <Field label="Comment">
        <Textarea
          value={draft.comment ?? ''}
          maxLength={kCommentMax}
          rows={3}
          resize="vertical"
          placeholder="What you found, for those after you"
          onChange={(_, data) => set({ comment: data.value })}
        />
      </Field>
    </>
  );
}
