/**
 * Markdown as a tree that React draws: no HTML comes out of it, tags in the text are left away, and links lead only to
 * this portal or, as https and http, elsewhere. Pictures are named, not loaded: nothing is fetched from other hosts.
 */
export type Inline =
  | { kind: 'text' | 'code' | 'strong' | 'emphasis'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'image'; text: string };
export type Block =
  | { kind: 'heading'; level: number; content: Inline[] }
  | { kind: 'paragraph' | 'quote'; content: Inline[] }
  | { kind: 'list'; ordered: boolean; items: Inline[][] }
  | { kind: 'code'; text: string }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' };

const kTag = /<\/?[A-Za-z!][^<>]*>/g;
const kEntities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: '\u00a0', '#39': "'" };

function clean(text: string): string {
  return text.replace(/<!--[\s\S]*?-->/g, '').replace(kTag, '');
}

/** Entities become letters last, so that none of them can be a mark. */
function decoded(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|(\w+|#39));/gi, (whole, hex: string | undefined, name: string | undefined) =>
    hex ? String.fromCodePoint(Math.min(parseInt(hex, 16), 0x10ffff)) : (kEntities[name!] ?? whole),
  );
}

/** An address that a link may lead to; undefined: it stays text. */
export function safeHref(href: string): string | undefined {
  const trimmed = href.trim();
  if (/^https?:\/\/[^\s]+$/i.test(trimmed)) return trimmed;
  return /^\/(?!\/)[^\s\\]*$/.test(trimmed) ? trimmed : undefined;
}

const kInline =
  /`([^`\n]+)`|!\[([^\]\n]*)\]\(([^)\s]+)[^)]*\)|\[([^\]\n]+)\]\(([^)\s]+)[^)]*\)|\*\*([^*\n]+)\*\*|__([^_\n]+)__|\*([^*\n]+)\*|(?<!\w)_([^_\n]+)_(?!\w)/g;

export function inlines(source: string): Inline[] {
  const text = clean(source);
  const out: Inline[] = [];
  const plain = (part: string) => {
    if (part) out.push({ kind: 'text', text: decoded(part) });
  };
  let at = 0;
  for (const found of text.matchAll(kInline)) {
    plain(text.slice(at, found.index));
    at = found.index + found[0].length;
    const [, code, alt, , label, href, strong, strong2, emphasis, emphasis2] = found;
    if (code !== undefined) out.push({ kind: 'code', text: decoded(code) });
    else if (alt !== undefined) out.push({ kind: 'image', text: decoded(alt) });
    else if (label !== undefined) {
      const safe = safeHref(decoded(href!));
      if (safe) out.push({ kind: 'link', text: decoded(label), href: safe });
      else plain(label);
    } else if (strong ?? strong2) out.push({ kind: 'strong', text: decoded((strong ?? strong2)!) });
    else out.push({ kind: 'emphasis', text: decoded((emphasis ?? emphasis2)!) });
  }
  plain(text.slice(at));
  return out;
}

const cells = (line: string) =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => inlines(cell.trim()));

export function parseMarkdown(source: string): Block[] {
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  const out: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    const text = paragraph.join(' ').trim();
    const content = text ? inlines(text) : [];
    if (content.some((part) => part.text.trim() !== '')) out.push({ kind: 'paragraph', content });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]!;
    const heading = /^\s{0,3}(#{1,6})\s*(.*?)#*\s*$/.exec(line);
    const item = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (/^\s*(```|~~~)/.test(line)) {
      flush();
      const code: string[] = [];
      for (at += 1; at < lines.length && !/^\s*(```|~~~)/.test(lines[at]!); at += 1) code.push(lines[at]!);
      out.push({ kind: 'code', text: code.join('\n') });
    } else if (line.trim() === '') flush();
    else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      flush();
      out.push({ kind: 'rule' });
    } else if (heading) {
      flush();
      out.push({ kind: 'heading', level: heading[1]!.length, content: inlines(heading[2]!) });
    } else if (item) {
      flush();
      const ordered = item[1] !== undefined;
      const last = out.at(-1);
      const content = inlines(item[2]!);
      if (last?.kind === 'list' && last.ordered === ordered) last.items.push(content);
      else out.push({ kind: 'list', ordered, items: [content] });
    } else if (/^\s*>/.test(line)) {
      flush();
      out.push({ kind: 'quote', content: inlines(line.replace(/^\s*>\s?/, '')) });
    } else if (line.includes('|') && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[at + 1] ?? '')) {
      flush();
      const rows: Inline[][][] = [];
      const head = cells(line);
      for (at += 2; at < lines.length && lines[at]!.includes('|'); at += 1) rows.push(cells(lines[at]!));
      at -= 1;
      out.push({ kind: 'table', head, rows });
    } else paragraph.push(line);
  }
  flush();
  return out;
}

/** A value inside of Markdown: it is text there, whatever it holds. */
export function escapeMarkdown(value: string): string {
  return value
    .replace(/[\\`*_{}[\]()#+\-!|<>~]/g, (letter) => `&#x${letter.charCodeAt(0).toString(16)};`)
    .replace(/[\r\n]+/g, ' ');
}
