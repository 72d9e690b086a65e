/** A fresh gateway to be attacked, and what honest callers see of it meanwhile. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Gateway, type GatewayOptions, listedIssuer, startGateway } from '../support/gateway.ts';
import { PHARMACY } from '../support/presentation.ts';
import { exchangeRaw, head, type RawExchange, type RawOptions } from '../support/raw-http.ts';
import { credential, goodClaims, ISS, signerOf } from '../support/synthetic-issuer.ts';
import { FORGER_ISS, FORGER_KEY } from './forger.ts';

/** Stands in everything that attacks send where they send text of their own: it must be found in no log. */
export const PAYLOAD_MARK = 'ATTACK-PAYLOAD-4711';

/** Another issuer, whose key has the same kid as the first one's. */
export const TWIN_ISS = 'https://twin.example';
export const TWIN_SIGNER = signerOf('twin issuer');
/** An issuer whose name goes on where the first one's ends, with the first one's key. */
export const LONGER_ISS = `${ISS}-b`;
/** An issuer whose cards need a proof of their holder. */
export const HELD_ISS = 'https://held.example';

export const ATTACKED_ISSUERS: readonly object[] = [
  listedIssuer(),
  listedIssuer({ iss: TWIN_ISS }, [TWIN_SIGNER]),
  listedIssuer({ iss: LONGER_ISS }),
  listedIssuer({ iss: HELD_ISS, holderProof: 'required', audiences: [PHARMACY] }),
  { iss: FORGER_ISS, keys: [FORGER_KEY] },
];

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

/** Everything is logged, so that nothing is missed in it. */
export const TALKATIVE = { VIGIE_LOG_LEVEL: 'trace', VIGIE_ACCESS_LOG_ONE_IN: '1' } as const;

/** @param lines of the header by which an honest caller is let in, where the gateway asks for that. */
export async function openTarget(
  options: GatewayOptions = {},
  lines: readonly string[] = [],
): Promise<AttackTarget> {
  const gateway = await startGateway({
    trustList: { version: 1, issuers: ATTACKED_ISSUERS },
    ...options,
    env: { ...TALKATIVE, ...options.env },
  });
  return targetOf(gateway, lines);
}

/**
 * A gateway that trusts the synthetic issuer, and logs everything.
 * @param foreseen the message of an error that it is right to log, if there is one.
 */
export function targetOf(gateway: Gateway, lines: readonly string[] = [], foreseen?: string): AttackTarget {
  const good = credential({ payload: goodClaims({ jti: 'honest-card' }, Math.floor(Date.now() / 1000)) });
  return {
    gateway,
    good,
    send: (pieces, rawOptions) =>
      exchangeRaw(
        gateway.dataPort,
        typeof pieces === 'string' || pieces instanceof Uint8Array ? [pieces] : pieces,
        rawOptions,
      ),
    stillHonest: async () => {
      mustBeAlive(gateway);
      await mustAnswerRightly(gateway, good, lines);
      mustBeSilent(gateway, foreseen);
    },
    dispose: gateway.dispose,
  };
}

/** For a case that needs another gateway: looked after like the one that all others attack. */
export async function withTarget(
  options: GatewayOptions,
  use: (target: AttackTarget) => Promise<string>,
): Promise<string> {
  const target = await openTarget(options);
  try {
    const got = await use(target);
    await target.stillHonest();
    return got;
  } finally {
    await target.dispose();
  }
}

/** One gateway for cases that run side by side: opened for the first, disposed of when the last is done. */
export function shareTarget(open: () => Promise<AttackTarget>) {
  let users = 0;
  let opening: Promise<AttackTarget> | undefined;
  return async (use: (target: AttackTarget) => Promise<string>): Promise<string> => {
    users++;
    opening ??= open();
    const opened = opening;
    try {
      const target = await opened;
      const got = await use(target);
      await target.stillHonest();
      return got;
    } finally {
      if (--users === 0) {
        opening = undefined;
        await opened.then(
          (target) => target.dispose(),
          () => {},
        );
      }
    }
  };
}

function mustBeAlive({ pid }: Gateway): void {
  try {
    process.kill(pid, 0);
  } catch {
    throw new Error('the process has ended');
  }
}

/** On a new connection, as whoever comes next has one. */
async function mustAnswerRightly(
  { dataPort }: Gateway,
  good: string,
  lines: readonly string[],
): Promise<void> {
  const framing = ['Content-Type: application/jwt', `Content-Length: ${good.length}`, 'Connection: close'];
  const request = head('POST /v1/verify HTTP/1.1', 'Host: gateway.example', ...framing, ...lines) + good;
  const { answers } = await exchangeRaw(dataPort, [request], { untilClosed: true });
  const [answer] = answers;
  if (answer?.status !== 200 || JSON.parse(answer.body).reason !== 'ok') {
    throw new Error(`an honest credential is answered ${answer?.status ?? 'not at all'}: ${answer?.body}`);
  }
}

/** Neither the attack's text, nor any credential's beginning, nor an error that the gateway did not foresee. */
function mustBeSilent(gateway: Gateway, foreseen?: string): void {
  const logged = gateway.stderr() + gateway.stdout();
  if (logged.includes(PAYLOAD_MARK)) throw new Error("the attack's text stands in the log");
  if (logged.includes('eyJhbGciOi')) throw new Error('a credential stands in the log');
  const troubles = logged.match(/"level":"(?:error|fatal)".*/g) ?? [];
  const trouble = troubles.find((line) => foreseen === undefined || !line.includes(`"msg":"${foreseen}"`));
  if (trouble !== undefined) throw new Error(`the log tells of trouble: ${trouble}`);
}

/** A server of ours on loopback; how often it was asked. */
export async function countingServer(body: string): Promise<{ url: string; asked(): number; close(): void }> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.setHeader('content-type', 'application/json').end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/list`, asked: () => asked, close };
}
