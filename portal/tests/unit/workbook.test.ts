import { describe, expect, it } from 'vitest';
import { chartData, chartKind } from '../../src/format/chart-data';
import { formatterOf, linkOf, paletteOf, shownText, thresholdOf, titleColumn, toneOf } from '../../src/format/workbook/cells';
import {
  defaultOf,
  initialChoices,
  isVisible,
  knownNames,
  neededBy,
  optionsOf,
  readChoices,
  substitute,
  unsetOf,
  valuesFor,
  withCriteria,
} from '../../src/format/workbook/choices';
import { pointsOfMap } from '../../src/format/workbook/map-points';
import { escapeMarkdown, inlines, parseMarkdown, safeHref } from '../../src/format/workbook/markdown';
import { everyParameter, readFormatter, readWorkbook } from '../../src/format/workbook/model';

const kDocument = {
  version: 'Notebook/1.0',
  items: [
    {
      type: 9,
      content: {
        parameters: [
          { name: 'Time', type: 4, value: { durationMs: 3_600_000 } },
          { name: 'Fixed', type: 2, isRequired: true, jsonData: '[{"value":"a","label":"A"},{"value":"b","selected":true}]' },
          { name: 'Asked', type: 2, query: 'T', multiSelect: true, value: ['value::all'] },
          { name: 'Free', type: 1 },
          {
            name: 'Level',
            type: 1,
            criteriaData: [
              { criteriaContext: { leftOperand: 'Fixed', operator: '==', rightVal: 'b', resultVal: 'is {Fixed}' } },
              { criteriaContext: { operator: 'Default', resultVal: 'other' } },
            ],
          },
        ],
      },
    },
    {
      type: 3,
      content: {
        query: "T | where x in ({Asked}) and '{Row}' != '' {unknown}",
        timeContextFromParameter: 'Time',
        exportParameterName: 'Row',
      },
    },
    { type: 11, content: { style: 'tabs', links: [{ cellValue: 'Tab', linkTarget: 'parameter', subTarget: 'one' }] } },
    { type: 12, content: { items: [{ type: 1, content: { json: 'in a group' } }, { type: 99 }, 7] } },
  ],
};

describe('a workbook', () => {
  const items = readWorkbook(kDocument);
  const parameters = everyParameter(items);

  it('is read with paths as the server names them', () => {
    expect(items.map(({ path, kind }) => [path, kind])).toEqual([
      ['0', 'parameters'],
      ['1', 'query'],
      ['2', 'links'],
      ['3', 'group'],
    ]);
    expect(parameters[1]!.path).toBe('0:Fixed');
    expect(items[3]).toMatchObject({
      items: [
        { path: '3.0', kind: 'text' },
        { path: '3.1', kind: 'other' },
      ],
    });
  });

  it('of any shape does not throw', () => {
    for (const odd of [
      null,
      7,
      [],
      {},
      { items: 3 },
      { items: [null, { type: 9, content: { parameters: [1, {}] } }, { type: 3 }] },
    ]) {
      expect(() => initialChoices(readWorkbook(odd), {})).not.toThrow();
    }
  });

  it('begins with its defaults, its first tab, and what the address says', () => {
    const choices = initialChoices(items, { Free: { values: ['x'] } });
    expect(choices).toMatchObject({
      Time: { durationMs: 3_600_000 },
      Fixed: { values: ['b'] },
      Tab: { values: ['one'] },
      Free: { values: ['x'] },
    });
    expect(choices.Asked).toBeUndefined();
  });

  it('knows what a query needs and what is still unset', () => {
    const known = knownNames(items);
    const query = items[1]!.kind === 'query' ? items[1] : undefined;
    const needed = neededBy(query!.query, query!.timeParameter, parameters, known);
    expect(needed).toEqual(['Asked', 'Row', 'Time']);
    expect(unsetOf(needed, parameters, {})).toBe('Asked');
    const choices = { Asked: { values: [] }, Row: { values: ['r'] }, Time: { durationMs: 1 } };
    expect(unsetOf(needed, parameters, choices)).toBeUndefined();
    expect(valuesFor(needed, choices)).toEqual({
      Asked: { values: [], labels: [] },
      Row: { values: ['r'], labels: [] },
      Time: { durationMs: 1 },
    });
  });

  it('waits for a row unless the author says what stands before one, or several are chosen', () => {
    const rows = (content: object) => ({ type: 3, content: { query: 'T', ...content } });
    const shown = readWorkbook({
      items: [
        rows({ exportParameterName: 'One', exportDefaultValue: '*' }),
        rows({ exportedParameters: [{ parameterName: 'Two', defaultValue: '' }, { parameterName: 'Three' }] }),
        rows({ exportMultipleValues: true, exportedParameters: [{ parameterName: 'Rows', defaultValue: 'x' }] }),
      ],
    });
    const choices = initialChoices(shown, {});
    expect(choices).toEqual({ One: { values: ['*'] }, Two: { values: [''] }, Rows: { values: [], list: true } });
    expect(unsetOf(['One', 'Rows', 'Two'], [], choices)).toBeUndefined();
    expect(unsetOf(['Three'], [], choices)).toBe('Three');
    expect(valuesFor(['Rows'], choices)).toEqual({ Rows: { values: [], labels: [] } });
    expect(initialChoices(shown, { One: { values: ['a'] } }).One).toEqual({ values: ['a'] });
  });

  it('draws every query that the server answers, whatever else of it is not shown', () => {
    const answered = (queryType?: number) => {
      const [item] = readWorkbook({ items: [{ type: 3, content: { query: 'T', queryType } }] });
      return item?.kind === 'query' && item.answered;
    };
    expect([undefined, 0, 1, 7, 8].map(answered)).toEqual([true, true, true, false, false]);
  });

  it('expands all of asked-for options, or says what the author wrote for all', () => {
    const asked = parameters[2]!;
    expect(defaultOf(asked, [{ value: 'x', label: 'X' }])).toEqual({ values: ['x'], labels: ['X'], all: true });
    expect(defaultOf({ ...asked, allValue: '*' }, [])).toEqual({ values: ['*'], labels: ['All'], all: true });
  });

  it('follows its criteria', () => {
    expect(withCriteria(parameters, { Fixed: { values: ['b'] } }).Level).toEqual({ values: ['is b'] });
    expect(withCriteria(parameters, {}).Level).toEqual({ values: ['other'] });
  });

  it('takes choices of an address only in their shape', () => {
    expect(readChoices('{"a":{"values":["x"]},"b":{"values":[1]},"c":7,"d":{"startTime":"x","endTime":"y"}}')).toEqual({
      a: { values: ['x'] },
    });
    expect(readChoices('nonsense')).toEqual({});
    expect(readChoices('[1]')).toEqual({});
  });

  it('hides and shows by conditions', () => {
    const condition = { parameter: 'Tab', equal: true, value: 'one' };
    expect(isVisible([condition], { Tab: { values: ['one'] } })).toBe(true);
    expect(isVisible([condition], {})).toBe(false);
    expect(isVisible([{ ...condition, equal: false, value: '' }], {})).toBe(false);
  });

  it('reads options by name or by place', () => {
    expect(optionsOf({ columns: [{ name: 'label' }, { name: 'value' }], rows: [['L', 'v']] })).toEqual([
      { value: 'v', label: 'L' },
    ]);
    expect(optionsOf({ columns: [{ name: 'x' }, { name: 'y' }], rows: [[1, 'one']] })).toEqual([{ value: '1', label: 'one' }]);
  });
});

describe('a text', () => {
  it('is a tree, never HTML', () => {
    const blocks = parseMarkdown(
      '# A <script>x</script>\n\n- one\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n<b>\n```\n---',
    );
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'list', 'table', 'code', 'rule']);
    expect(JSON.stringify(blocks[0])).not.toContain('<script>');
  });

  it('leads only to this portal or to http', () => {
    for (const bad of ['javascript:alert(1)', 'data:text/html,x', '//evil.example', 'vbscript:x', '/\\evil', 'ms-foo:x'])
      expect(safeHref(bad)).toBeUndefined();
    expect(safeHref('/devices/x')).toBe('/devices/x');
    expect(inlines('[x](javascript:alert(1))').every(({ kind }) => kind === 'text')).toBe(true);
    expect(inlines('[x](&#x6a;avascript:alert(1))').every(({ kind }) => kind === 'text')).toBe(true);
  });

  it('keeps values apart from marks', () => {
    const value = '**bold** [a](/x) <b> `c` | # - 1';
    const [block] = parseMarkdown(`Value: ${substitute('{V}', { V: { values: [value] } }, escapeMarkdown)}`);
    expect(block).toEqual({ kind: 'paragraph', content: [{ kind: 'text', text: `Value: ${value}` }] });
  });
});

describe('a cell', () => {
  const formatter = (options: object, kind = 18) => readFormatter({ columnMatch: 'c', formatter: kind, formatOptions: options });

  it('takes the first threshold that fits', () => {
    const grid = formatter({
      thresholdsOptions: 'icons',
      thresholdsGrid: [
        { operator: '>', thresholdValue: '10', representation: 'redBright', text: '{0} many' },
        { operator: 'Default', representation: 'Blank', text: '{0}{1}' },
      ],
    });
    expect(thresholdOf(grid, 11, '11')).toEqual({ tone: 'red', icon: 'redBright', text: '11 many' });
    expect(thresholdOf(grid, 9, '9')).toMatchObject({ icon: '', text: '9' });
  });

  it('is found by name or by pattern, and a pattern that is none harms nobody', () => {
    expect(formatterOf([readFormatter({ columnMatch: 'a.*' })], 'abc')).toBeDefined();
    expect(formatterOf([readFormatter({ columnMatch: '(((' })], 'abc')).toBeUndefined();
  });

  it('leads where its row says, with the values encoded', () => {
    const columns = [
      { name: 'c', type: 'string' as const },
      { name: 'Id', type: 'string' as const },
    ];
    const url = formatter({ linkTarget: 'Url', url: '/alerts/{Id}' }, 7);
    expect(linkOf(url, columns, ['x', 'a/b?c'], 0)).toBe('/alerts/a%2Fb%3Fc');
    expect(linkOf(formatter({ linkTarget: 'Url' }, 7), columns, ['javascript:alert(1)', ''], 0)).toBeUndefined();
    expect(linkOf(formatter({ linkTarget: 'OpenBlade' }, 7), columns, ['https://x.example', ''], 0)).toBeUndefined();
    expect(linkOf(formatter({ linkTarget: 'OpenBlade' }, 7), columns, ['/incidents/7', ''], 0)).toBe('/incidents/7');
    expect(linkOf(formatter({ linkTarget: 'OpenBlade' }, 7), columns, ['//x.example', ''], 0)).toBeUndefined();
  });

  it('heads a tile with the column that it names, or with a text that stands nowhere else', () => {
    const columns = [
      { name: 'n', type: 'long' as const },
      { name: 'Link', type: 'string' as const },
      { name: 'Name', type: 'string' as const },
    ];
    const of = (tileSettings: object) => {
      const [item] = readWorkbook({ items: [{ type: 3, content: { query: 'T', tileSettings } }] });
      return item?.kind === 'query' ? titleColumn(item.tiles, columns, 0) : undefined;
    };
    expect(of({})).toBe(1);
    expect(of({ secondaryContent: { columnMatch: 'Link' } })).toBe(2);
    expect(of({ titleContent: { columnMatch: 'Name' } })).toBe(2);
    expect(of({ titleContent: { formatter: 1 } })).toBe(-1);
  });

  it('shows numbers by their units', () => {
    const bytes = readFormatter({ columnMatch: 'c', formatter: 1, numberFormat: { unit: 2, options: {} } });
    expect(shownText({ name: 'c', type: 'long' }, 1536, bytes)).toBe('1.5 KB');
    expect(toneOf('redBright')).toBe('red');
    expect(paletteOf('greenRed')).toEqual(['green', 'red']);
  });
});

describe('a chart', () => {
  const column = (name: string, type: string) => ({ name, type: type as 'string' });

  it('parts rows of times into series', () => {
    const data = chartData(
      {
        columns: [column('t', 'datetime'), column('n', 'string'), column('c', 'long')],
        rows: [
          ['2026-01-01T01:00:00Z', 'b', 2],
          ['2026-01-01T00:00:00Z', 'b', 1],
          ['2026-01-01T00:00:00Z', 'a', null],
        ],
      },
      'line',
    )!;
    expect(data.axis).toBe('time');
    expect(data.series.map(({ name }) => name)).toEqual(['b', 'a']);
    expect(data.series[0]!.points.map(([, value]) => value)).toEqual([1, 2]);
  });

  it('unrolls make-series', () => {
    const data = chartData(
      {
        columns: [column('c', 'dynamic'), column('t', 'dynamic')],
        rows: [
          [
            [1, 2],
            ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
          ],
        ],
      },
      'line',
    )!;
    expect(data.series[0]!.points).toHaveLength(2);
  });

  it('names what it leaves out, and says when there is nothing to draw', () => {
    const rows = Array.from({ length: 40 }, (_, index) => [`n${index}`, index]);
    const pie = chartData({ columns: [column('n', 'string'), column('c', 'long')], rows }, 'pie')!;
    expect(pie.series[0]!.points.at(-1)![0]).toBe('Others');
    expect(pie.left).toBe(28);
    expect(chartData({ columns: [column('n', 'string')], rows: [['x']] }, 'bar')).toBeUndefined();
    expect(chartKind('TimeChart')).toBe('line');
    expect(chartKind('ladderchart')).toBeUndefined();
  });
});

describe('a map', () => {
  it('leaves out what has no place', () => {
    const columns = ['Place', 'latitude', 'longitude', 'n'].map((name, index) => ({
      name,
      type: index === 0 ? ('string' as const) : ('real' as const),
    }));
    const found = pointsOfMap(
      {
        columns,
        rows: [
          ['a', 1, 2, 4],
          ['b', null, 2, 1],
          ['c', 91, 0, 1],
        ],
      },
      {},
    );
    expect(found?.points).toEqual([{ latitude: 1, longitude: 2, share: 1, label: 'a', value: 4 }]);
    expect(pointsOfMap({ columns: columns.slice(0, 1), rows: [] }, {})).toBeUndefined();
  });
});
