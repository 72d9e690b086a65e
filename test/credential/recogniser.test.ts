/** What the recogniser learns, and from whom: room for everybody's headers, whatever one issuer writes. */
import { describe, expect, it } from 'vitest';
import { createRecogniser, MAX_HEADERS_OF_ISSUER } from '../../src/credential/recogniser.ts';
import { nativeAddon } from '../support/path-world.ts';

describe('the recogniser', () => {
  it('learns a pair of header and issuer once', () => {
    const recogniser = createRecogniser<string>(nativeAddon(), 1_000);
    recogniser.learn('aGVhZGVy', 'https://issuer.example', 'first');
    recogniser.learn('aGVhZGVy', 'https://issuer.example', 'again');
    recogniser.learn('aGVhZGVy', 'https://other.example', 'other');
    expect(recogniser.owners).toEqual(['first', 'other']);
  });

  it('learns so many headers of one issuer, and goes on to learn those of others', () => {
    const recogniser = createRecogniser<string>(nativeAddon(), 1_000);
    for (let i = 0; i < 5_000; i++) {
      recogniser.learn(Buffer.from(`header ${i}`).toString('base64url'), 'https://odd.example', 'odd');
    }
    expect(recogniser.owners).toHaveLength(MAX_HEADERS_OF_ISSUER);
    recogniser.learn('aGVhZGVy', 'https://issuer.example', 'other');
    expect(recogniser.owners).toHaveLength(MAX_HEADERS_OF_ISSUER + 1);
  });
});
