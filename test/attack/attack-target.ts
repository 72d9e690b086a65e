/** A fresh gateway to be attacked, and what honest callers see of it meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf, scrape } from '../support/call.ts';
import { type Gateway, listedIssuer, startGateway, trustListDocument } from '../support/gateway.ts';
import { PHARMACY } from '../support/presentation.ts';
import { exchangeRaw, type RawExchange, type RawOptions } from '../support/raw-http.ts';
import { credential, goodClaims, signerOf } from '../support/synthetic-issuer.ts';

/** Stands in everything that attacks send where they send text of their own: it must be found in no log. */
export const PAYLOAD_MARK = 'ATTACK-PAYLOAD-4711';

/** Another issuer, whose key has the same kid as the first one's. */
export const TWIN_ISS = 'https://twin.example';
export const TWIN_SIGNER = signerOf('twin issuer');
/** An issuer whose cards need a proof of their holder. */
export const HELD_ISS = 'https://held.example';

export interface AttackTarget {
  readonly gateway: Gateway;
  /** A credential that is good for an hour, always the same. */
  readonly good: string;
  /** Bytes on a connection to the data listener, and what came back. */
  send(
    pieces: string | Uint8Array | readonly (string | Uint8Array)[],
    options?: RawOptions,
  ): Promise<RawExchange>;
  /** What the next honest caller sees; throws when the process is not well, or the attack's text stands in its log. */
  stillHonest(): Promise<void>;
  dispose(): Promise<void>;
}

/** The issuers whose cards attacks are made of. */
export function attackedTrustList(): object {
  return trustListDocument(1, [
    listedIssuer(),
    listedIssuer({ iss: TWIN_ISS }, [TWIN_SIGNER]),
    listedIssuer({ iss: HELD_ISS, holderProof: 'required', audiences: [PHARMACY] }),
  ]);
}

export async function openTarget(env: Readonly<Record<string, string>> = {}): Promise<AttackTarget> {
  const gateway = await startGateway({
    trustList: attackedTrustList(),
    env: { VIGIE_LOG_LEVEL: 'trace', VIGIE_ACCESS_LOG_ONE_IN: '1', ...env },
  });
  const good = credential({ payload: goodClaims({ jti: 'honest-card' }, Math.floor(Date.now() / 1000)) });
  return {
    gateway,
    good,
    send: (pieces, options) =>
      exchangeRaw(
        gateway.dataPort,
        typeof pieces === 'string' || pieces instanceof Uint8Array ? [pieces] : pieces,
        options,
      ),
    stillHonest: async () => {
      const reason = await reasonOf(gateway.data, good);
      if (reason !== 'ok') throw new Error(`an honest credential is answered ${reason}`);
      if (gateway.stderr().includes(PAYLOAD_MARK)) throw new Error("the attack's text stands in the log");
    },
    dispose: gateway.dispose,
  };
}

/** What came, in one form: `400 bad-framing, closed`; `200 ok, open` for a verdict; answers of the parser say so. */
export function described({ answers, closed }: RawExchange): string {
  const end = closed ? 'closed' : 'open';
  if (answers.length === 0) return `no answer, ${end}`;
  return `${answers.map(describedAnswer).join(' + ')}, ${end}`;
}

function describedAnswer({ status, headers, body }: RawExchange['answers'][number]): string {
  if (headers['x-request-id'] === undefined) return `parser ${status}`;
  const document = body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : {};
  if (typeof document.type === 'string') return `${status} ${document.type}`;
  if (typeof document.reason === 'string') return `${status} ${document.reason}`;
  return String(status);
}

/** Memory and descriptors of the process, as its metrics have them from the system. */
export interface Footprint {
  readonly residentMiB: number;
  readonly descriptors: number;
}

/** At rest: connections that were left are closed by their idle timeout, and the collector has had its time. */
export async function atRest(
  target: AttackTarget,
  descriptorsBefore: number,
  patienceMs = 40_000,
): Promise<Footprint> {
  const endsAt = Date.now() + patienceMs;
  for (;;) {
    const now = await footprint(target);
    if (now.descriptors <= descriptorsBefore || Date.now() > endsAt) return now;
    await sleep(200);
  }
}

export async function footprint({ gateway }: AttackTarget): Promise<Footprint> {
  const samples = await scrape(gateway.metrics);
  return {
    residentMiB: (samples.get('vigie_process_resident_memory_bytes') ?? Number.NaN) / 1024 ** 2,
    descriptors: samples.get('vigie_process_open_fds') ?? Number.NaN,
  };
}
