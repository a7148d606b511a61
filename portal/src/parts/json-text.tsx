import { makeStyles, tokens } from '@fluentui/react-components';

const useStyles = makeStyles({
  text: {
    margin: 0,
    padding: '10px 12px',
    borderRadius: tokens.borderRadiusMedium,
    background: tokens.colorNeutralBackground3,
    fontFamily: tokens.fontFamilyMonospace,
    fontSize: tokens.fontSizeBase200,
    lineHeight: '1.5',
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
    maxHeight: '420px',
    overflowY: 'auto',
  },
});

export function JsonText({ text, label }: { text: string; label: string }) {
  const styles = useStyles();
  return (
    <pre className={styles.text} tabIndex={0} role="group" aria-label={label}>
      {text}
    </pre>
  );
}
