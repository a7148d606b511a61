/** Asks what is known of an address, a name, a URL or a hash, as a device that was seen with it would be judged now. */
import { Badge, Button, Field, Input, makeStyles, MessageBar, MessageBarBody, MessageBarTitle } from '@fluentui/react-components';
import { Search20Regular } from '@fluentui/react-icons';
import { useState, type FormEvent } from 'react';
import { useLookup } from '@/api/intelligence';
import type { IndicatorLookup } from '@/api/types';
import { indicatorKindText } from '@/format/intelligence';
import { Facts, Muted, Section } from '@/parts/page';
import { TimeText } from '@/parts/time-text';
import { WebLink } from '@/parts/web-link';

const kValueMax = 2048;

const useStyles = makeStyles({
  form: { display: 'flex', gap: '8px', alignItems: 'flex-end', flexWrap: 'wrap' },
  field: { flexGrow: 1, minWidth: '200px', maxWidth: '560px' },
  found: { marginTop: '12px', display: 'flex', flexDirection: 'column', gap: '12px' },
  value: { overflowWrap: 'anywhere' },
});

export function LookupBox() {
  const styles = useStyles();
  const [value, setValue] = useState('');
  const lookup = useLookup();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (value.trim()) lookup.mutate(value.trim());
  };
  return (
    <Section title="Look up">
      <form className={styles.form} onSubmit={submit}>
        <Field className={styles.field} label="Address, name, URL or hash">
          <Input
            value={value}
            maxLength={kValueMax}
            spellCheck={false}
            autoComplete="off"
            placeholder="www.evil.example"
            onChange={(_, data) => setValue(data.value)}
          />
        </Field>
        <Button type="submit" icon={<Search20Regular />} disabled={!value.trim() || lookup.isPending}>
          Look up
        </Button>
      </form>
      <div className={styles.found} aria-live="polite">
        {lookup.error && (
          <MessageBar intent="error" layout="multiline" role="alert">
            <MessageBarBody>{lookup.error.message}</MessageBarBody>
          </MessageBar>
        )}
        {lookup.data && <Found found={lookup.data} />}
      </div>
    </Section>
  );
}

function Found({ found }: { found: IndicatorLookup }) {
  const styles = useStyles();
  const { listed, value, kind, warningList, indicator, indicatorKind, sources } = found;
  return (
    <>
      <MessageBar intent={listed && !warningList ? 'warning' : 'info'} layout="multiline">
        <MessageBarBody className={styles.value}>
          <MessageBarTitle>{listed ? 'Listed' : 'Not listed'}</MessageBarTitle> {indicatorKindText(kind)} {value}
          {listed && indicator !== value && `, because of ${indicatorKindText(indicatorKind)} ${indicator}`}
          {warningList && `. It raises nothing: the warning list ${warningList} speaks for it`}.
        </MessageBarBody>
      </MessageBar>
      {sources.map(({ feed, licence, confidence, from, until, threat, reference }, index) => (
        <div key={index}>
          <Facts
            facts={[
              ['Feed', feed],
              ['Threat', threat],
              [
                'Confidence now',
                confidence === undefined ? undefined : (
                  <Badge
                    key="confidence"
                    appearance="tint"
                    color={confidence >= 90 ? 'danger' : confidence >= 30 ? 'warning' : 'subtle'}
                  >
                    {confidence} of 100
                  </Badge>
                ),
              ],
              ['Since', from && <TimeText key="from" value={from} />],
              ['Until', until ? <TimeText key="until" value={until} /> : <Muted key="until">for good</Muted>],
              ['Licence', licence],
              ['Reference', reference && <WebLink key="reference" text={reference} />],
            ]}
          />
        </div>
      ))}
    </>
  );
}
