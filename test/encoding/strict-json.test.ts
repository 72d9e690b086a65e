import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isJsonObject,
  type JsonValue,
  MAX_JSON_DEPTH,
  parseStrictJson,
  parseStrictJsonBytes,
} from '../../src/encoding/strict-json.ts';
import { readReferenceJson } from './reference-json.ts';

function faultOf(input: string | Uint8Array): string | undefined {
  const result = typeof input === 'string' ? parseStrictJson(input) : parseStrictJsonBytes(input);
  return result.ok ? undefined : result.fault;
}

function parsed(text: string): JsonValue {
  const result = parseStrictJsonBytes(Buffer.from(text));
  if (!result.ok) throw new Error(result.fault);
  return result.value;
}

describe('bytes', () => {
  it.each([
    ['a lone continuation byte', [0x80]],
    ['a lead byte without its tail', [0xc3]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xe0, 0x80, 0x80]],
    ['an encoded lone surrogate', [0xed, 0xa0, 0x80]],
    ['a surrogate pair as two code points (CESU-8)', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that UTF-8 never has', [0xff]],
  ])('refuses %s inside a string', (_what, bytes) => {
    const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(faultOf(text)).toBe('not well-formed UTF-8');
  });

  it('refuses a byte order mark in each encoding, and UTF-16 without one', () => {
    expect(faultOf(Buffer.from('\ufeff{}', 'utf8'))).toBe('not JSON');
    expect(faultOf(Buffer.from('\ufeff{}', 'utf16le'))).toBe('not well-formed UTF-8');
    expect(faultOf(Buffer.from('{}', 'utf16le'))).toBe('not JSON');
    expect(faultOf(Buffer.from('{}', 'utf16le').swap16())).toBe('not JSON');
  });

  it('accepts a byte order mark where it is a character of a string', () => {
    expect(parsed('"\ufeff"')).toBe('\ufeff');
  });

  it('accepts escaped lone surrogates, keeps them apart, and repeats the text as it came', () => {
    const text = '{"\\ud800":1,"\\udfff":2}';
    const result = parseStrictJsonBytes(Buffer.from(text));
    expect(result).toEqual({ ok: true, value: { '\ud800': 1, '\udfff': 2 }, text });
  });

  it('reads a view of a larger buffer, not the buffer', () => {
    expect(parseStrictJsonBytes(new Uint8Array(Buffer.from('x[1]x')).subarray(1, 4))).toMatchObject({
      value: [1],
    });
  });
});

describe('duplicate names', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"":1,"":2}',
    '{"a":1,"\\u0061":2}',
    '{"/":1,"\\/":2}',
    '{"é":1,"\\u00e9":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"__proto__":{},"\\u005f_proto__":{}}',
    '{"constructor":1,"constructor":2}',
    '[[[{"deep":{"a":{},"a":{}}}]]]',
    '{"a":{"x":1,"x":2},"b":1}',
    '{"a":{"b":{"c":[{"d":1,"d":1}]}}}',
    '{"a":{"b":1,"c":2},"a":{}}',
    '{"a":":","a":"::"}',
  ])('refuses %s', (text) => {
    expect(faultOf(text)).toBe('duplicate member name');
  });

  it.each([
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":2}]',
    '{"a":":","b":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a:a":1,"a":":\\":\\\\"}',
    '{"\\"":1,"\\\\":2}',
    '{"é":1,"e\u0301":2}',
    '{"a":1,"A":2}',
    '{"__proto__":1,"constructor":2,"prototype":3,"toString":4,"hasOwnProperty":5}',
    '{"1":1,"01":2,"1.0":3}',
  ])('accepts %s', (text) => {
    expect(parseStrictJson(text)).toEqual({ ok: true, value: JSON.parse(text), text });
  });

  it('keeps __proto__ an ordinary name: nothing inherits from what stands there', () => {
    const value = parsed('{"__proto__":{"iss":"forged"}}');
    if (!isJsonObject(value)) throw new Error('no object');
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(value.iss).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).iss).toBeUndefined();
  });
});

describe('depth', () => {
  const arrays = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  it('accepts 32 containers and refuses 33, arrays and objects alike', () => {
    expect(MAX_JSON_DEPTH).toBe(32);
    expect(faultOf(arrays(32))).toBeUndefined();
    expect(faultOf(objects(32))).toBeUndefined();
    expect(faultOf(arrays(33))).toBe('nested too deep');
    expect(faultOf(objects(33))).toBe('nested too deep');
    expect(faultOf(`[${objects(32)}]`)).toBe('nested too deep');
  });

  it('counts containers that are open, not containers', () => {
    expect(faultOf(`[${Array(1_000).fill(arrays(31)).join(',')}]`)).toBeUndefined();
  });

  it('does not count brackets in strings', () => {
    expect(parsed(JSON.stringify('[{'.repeat(100)))).toBe('[{'.repeat(100));
  });

  it.each([
    ['10^6 opening brackets', '['.repeat(1e6), 'nested too deep'],
    ['10^6 nested arrays', arrays(1e6), 'nested too deep'],
    ['10^6 nested objects', objects(1e6), 'nested too deep'],
    ['brackets closed in advance', ']'.repeat(1e6) + '['.repeat(1e6), 'not JSON'],
  ])('answers %s without overflowing the stack', (_what, text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  it('counts commas, colons and opening brackets outside strings against a bound', () => {
    const text = '{"a,":[1,{"b:[":2},"\\",,"]}';
    const faultAt = (mostMarks: number) => {
      const parsedText = parseStrictJson(text, mostMarks);
      return parsedText.ok ? undefined : parsedText.fault;
    };
    expect([faultAt(6), faultAt(7)]).toEqual(['too many values', undefined]);
    expect(parseStrictJson(`[1,2,${arrays(33)}]`, 1)).toEqual({ ok: false, fault: 'nested too deep' });
  });

  it('reads 10^6 names, and finds the one that comes twice', () => {
    const names = Array.from({ length: 1e6 }, (_, index) => `"n${index}":0`);
    expect(faultOf(`{${names.join(',')}}`)).toBeUndefined();
    names.push('"n500000":0');
    expect(faultOf(`{${names.join(',')}}`)).toBe('duplicate member name');
  });
});

describe('the most tokens that a reader takes', () => {
  const fault = (text: string, most: number) => {
    const result = parseStrictJsonBytes(Buffer.from(text), most);
    return result.ok ? undefined : result.fault;
  };

  it.each([
    ['{}', 1],
    ['[0,0,0]', 3],
    ['{"a":[{"b":0},{"c":1}]}', 8],
    ['["{[:,",":"]', 2],
  ])('%s has %i', (text, tokens) => {
    expect([fault(text, tokens), fault(text, tokens - 1)]).toEqual([undefined, 'too many values']);
  });

  it('is looked at before the grammar, and depth before it', () => {
    expect(fault('[0,0,0', 2)).toBe('too many values');
    expect(fault('['.repeat(MAX_JSON_DEPTH + 1), MAX_JSON_DEPTH)).toBe('nested too deep');
  });
});

describe('grammar', () => {
  it.each([
    '',
    ' ',
    '{',
    '"',
    '"\\',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '[1,]',
    "{'a':1}",
    '{a:1}',
    '{}{}',
    '{} x',
    'NaN',
    'Infinity',
    '-',
    '+1',
    '01',
    '1.',
    '.5',
    '0x10',
    '1e',
    'undefined',
    'True',
    '"\t"',
    '"\\x41"',
    '"\\u12"',
    '// a\n1',
    '\u00a01',
    '\u2028"a"',
    '::::',
    '{"a"::1}',
  ])('refuses %j', (text) => {
    expect(faultOf(text)).toBe('not JSON');
  });

  it('accepts every kind of value, alone too', () => {
    for (const text of ['null', 'true', 'false', '0', '""', '[]', '{}', '\t\r\n 1 \t\r\n']) {
      expect(parseStrictJson(text)).toEqual({ ok: true, value: JSON.parse(text), text });
    }
  });

  it('reads numbers beyond doubles as JSON.parse does; who uses one must ask whether it is finite', () => {
    expect(parsed('[1e400,-1e400,9007199254740993,1e-400]')).toEqual([Infinity, -Infinity, 2 ** 53, 0]);
    expect(Object.is(parsed('-0'), -0)).toBe(true);
  });
});

describe('properties', () => {
  it('parses what JSON.stringify wrote, to the same value', () => {
    const json = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' });
    fc.assert(
      fc.property(json, (value) => {
        const text = JSON.stringify(value);
        expect(parseStrictJsonBytes(Buffer.from(text))).toEqual({ ok: true, value: JSON.parse(text), text });
      }),
      { numRuns: 2_000 },
    );
  });

  /** Texts near the border: tokens strung together, half of the time in a grammatical order. */
  const name = fc.constantFrom('"a"', '"\\u0061"', '"b"', '"__proto__"', '"a:b"', '"\\""', '"{"');
  const scalar = fc.constantFrom(
    '1',
    '-0',
    '1e400',
    '01',
    '"x:y"',
    'null',
    'true',
    '"\\ud800"',
    '"\\',
    '" [{"',
  );
  const { tree } = fc.letrec<{ tree: string; list: string; map: string }>((tie) => ({
    tree: fc.oneof({ maxDepth: 5 }, scalar, tie('list'), tie('map')),
    list: fc.array(tie('tree'), { maxLength: 3 }).map((elements) => `[${elements.join(',')}]`),
    map: fc
      .array(fc.tuple(name, tie('tree')), { maxLength: 3 })
      .map((members) => `{${members.map(([key, value]) => `${key} : ${value}`).join(',')}}`),
  }));
  const soup = fc
    .array(fc.oneof(name, scalar, fc.constantFrom('{', '}', '[', ']', ':', ',', ' ', '\n', '\ufeff')), {
      maxLength: 10,
    })
    .map((tokens) => tokens.join(''));
  const deep = fc
    .tuple(fc.integer({ min: 28, max: 36 }), tree)
    .map(([depth, inner]) => '['.repeat(depth) + inner + ']'.repeat(depth));

  it('agrees with an independent slow reader on hostile texts', () => {
    fc.assert(
      fc.property(fc.oneof(tree, soup, deep, fc.string({ unit: 'binary' })), (text) => {
        const read = readReferenceJson(text, MAX_JSON_DEPTH);
        const result = parseStrictJson(text);
        expect(result.ok).toBe(read.ok);
        if (result.ok && read.ok) expect(result.value).toEqual(read.value);
      }),
      { numRuns: 20_000 },
    );
  });

  it('never throws on arbitrary bytes, and accepts only well-formed UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const result = parseStrictJsonBytes(bytes);
        if (result.ok) expect(Buffer.from(result.text)).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 5_000 },
    );
  });
});
