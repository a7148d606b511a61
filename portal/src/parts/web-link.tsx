/** Somebody else's text that may be an address: a link only when it leads to the web. */
import { isWebAddress } from '@/format/rules';

export function WebLink({ text, label }: { text: string; label?: string }) {
  if (!isWebAddress(text)) return <span style={{ overflowWrap: 'anywhere' }}>{text}</span>;
  return (
    <a href={text} target="_blank" rel="noreferrer noopener" title={text} style={{ overflowWrap: 'anywhere' }}>
      {label ?? text}
    </a>
  );
}
