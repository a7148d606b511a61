/** A button that lets a file be chosen. */
import { Button } from '@fluentui/react-components';
import { useRef } from 'react';

export function FileButton({ label, accept, onFile }: { label: string; accept?: string; onFile(file: File | undefined): void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        style={{ display: 'none' }}
        type="file"
        accept={accept}
        aria-label={label}
        onChange={(event) => onFile(event.target.files?.[0])}
      />
      <Button onClick={() => input.current?.click()}>Choose a file…</Button>
    </>
  );
}
