/** Content types and what the caller accepts (RFC 9110 sections 8.3 and 12.5.1), as far as the contract asks. */

/**
 * The media type without parameters, in lower case; `undefined` when there is none, or when it asks for
 * another character set than UTF-8, in which all text here is read.
 */
export function mediaType(contentType: string | undefined): string | undefined {
  if (contentType === undefined || contentType === 'application/json') return contentType;
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  for (const parameter of parameters) {
    const [name, value = ''] = parameter.split('=');
    if (name === 'charset' && value.replaceAll('"', '') !== 'utf-8') return undefined;
  }
  return type === '' ? undefined : type;
}

export const BATCH_MEDIA_TYPES = [
  'application/json',
  'application/x-ndjson',
  'application/octet-stream',
] as const;
export type BatchMediaType = (typeof BATCH_MEDIA_TYPES)[number];

/**
 * The form of a batch answer: the offered type with the highest quality value. JSON serves where nothing that
 * is offered was named, since an answer in the default form is more use to a caller than none.
 */
export function negotiateBatchAnswer(accept: string | undefined): BatchMediaType {
  let best: BatchMediaType = 'application/json';
  let bestQuality = 0;
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const offered = BATCH_MEDIA_TYPES.find((candidate) => candidate === type);
    if (offered === undefined) continue;
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    if (quality > bestQuality) {
      best = offered;
      bestQuality = quality;
    }
  }
  return best;
}
