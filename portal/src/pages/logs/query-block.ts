/** Which query of the editor is meant: queries are separated by blank lines, as in Azure's editors. */

export interface QueryBlock {
  text: string;
  /** Offset of `text` in the whole, in UTF-16 units. */
  start: number;
}

const kSeparator = /\n[ \t\r]*\n/g;

/** The block around `offset`; on a blank line the one before, else the next one. An empty text when there is none. */
export function blockAt(whole: string, offset: number): QueryBlock {
  const blocks = splitBlocks(whole);
  const before = blocks.filter((block) => block.start <= offset).at(-1);
  return before ?? blocks[0] ?? { text: '', start: 0 };
}

export function splitBlocks(whole: string): QueryBlock[] {
  const blocks: QueryBlock[] = [];
  let from = 0;
  const add = (to: number) => {
    const raw = whole.slice(from, to);
    const text = raw.trim();
    if (text) blocks.push({ text, start: from + raw.indexOf(text) });
  };
  for (const separator of whole.matchAll(kSeparator)) {
    add(separator.index);
    from = separator.index + separator[0].length - 1;
  }
  add(whole.length);
  return blocks;
}

export interface Place {
  line: number;
  column: number;
}

/** Line and column, both from 1, of an offset. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

/** The line that holds the span, cut into what is before, inside and after it; a span over several lines ends with the first. */
export function excerpt(text: string, start: number, length: number): { before: string; inside: string; after: string } {
  const at = Math.min(Math.max(0, start), text.length);
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const newline = text.indexOf('\n', at);
  const lineEnd = newline < 0 ? text.length : newline;
  const end = Math.min(Math.max(at + length, at), lineEnd);
  return { before: text.slice(lineStart, at), inside: text.slice(at, end), after: text.slice(end, lineEnd) };
}
