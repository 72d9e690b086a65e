import { describe, expect, it } from 'vitest';
import { mediaType, negotiateBatchAnswer } from '../../src/ingress/media-type.ts';

const JSON_TYPE = 'application/json';
const LINES = 'application/x-ndjson';
const BYTES = 'application/octet-stream';

describe('the content type', () => {
  it.each([
    ['application/json', JSON_TYPE],
    ['Application/JSON', JSON_TYPE],
    [' application/json ', JSON_TYPE],
    ['application/json; charset=utf-8', JSON_TYPE],
    ['application/json;charset="UTF-8"', JSON_TYPE],
    ['application/json; charset=utf-8; boundary=x', JSON_TYPE],
    ['application/json;', JSON_TYPE],
    ['application/problem+json', 'application/problem+json'],
    ['application/json, text/plain', 'application/json, text/plain'],
    ['application/json; charset=iso-8859-1', undefined],
    ['application/json; charset=utf-16', undefined],
    ['application/json; charset=', undefined],
    ['application/json; charset', undefined],
    ['application/json; charset=utf-8; charset=utf-16', undefined],
    ['', undefined],
    [';', undefined],
    [undefined, undefined],
  ])('%j is %j', (header, type) => {
    expect(mediaType(header)).toBe(type);
  });
});

describe('the form of a batch answer', () => {
  it.each([
    [undefined, JSON_TYPE],
    ['', JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    ['text/html', JSON_TYPE],
    ['application/json', JSON_TYPE],
    ['application/x-ndjson', LINES],
    ['APPLICATION/X-NDJSON', LINES],
    ['application/octet-stream', BYTES],
    [' application/octet-stream ', BYTES],
    ['text/html, application/x-ndjson', LINES],
    ['application/x-ndjson, */*', LINES],
    ['application/json, application/octet-stream', JSON_TYPE],
    ['application/octet-stream, application/json', BYTES],
    ['application/json;q=0.5, application/x-ndjson;q=0.9', LINES],
    ['application/json;q=0.9, application/x-ndjson;q=0.5', JSON_TYPE],
    ['application/octet-stream;q=0', JSON_TYPE],
    ['application/x-ndjson; q=0.001', LINES],
    ['application/octet-stream;profile=x;Q=0.2, application/x-ndjson;q=0.1', BYTES],
    ['application/octet-stream;q=x', JSON_TYPE],
    ['application/octet-stream;q=', JSON_TYPE],
    [',,;;,', JSON_TYPE],
  ])('for Accept %j is %s', (accept, form) => {
    expect(negotiateBatchAnswer(accept)).toBe(form);
  });
});
