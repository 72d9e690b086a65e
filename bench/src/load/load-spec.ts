/** One run of load, in terms that both generators understand. */

/** `prebuilt`: requests that a file holds as they are sent; the others are made of the corpus by the generator. */
export type LoadForm = 'single-json' | 'batch-json' | 'batch-lines' | 'prebuilt';

/** Requests made beforehand, one behind the other. */
export interface RequestsFile {
  readonly path: string;
  /** Bytes of each. */
  readonly bytes: number;
  /** The run ends with the last one, if its time is not over before; else they are sent anew from the first on. */
  readonly isSentOnce: boolean;
}

export interface LoadSpec {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly path: string;
  readonly form: LoadForm;
  readonly contentType: string;
  readonly accept: string;
  /** Credentials in a request. */
  readonly batch: number;
  readonly connections: number;
  readonly seconds: number;
  /** Count the verdicts of one answer in so many, which costs the generator time; of the others see that they are whole. 0: neither. */
  readonly checkOneIn: number;
  readonly credentialsFile: string;
  /** Of the form `prebuilt`. */
  readonly requests?: RequestsFile | undefined;
  readonly serverPid: number;
  /** Another process that the server needs, beside the generator on its core. */
  readonly besidePid?: number | undefined;
  readonly generatorCore: number;
}

/** An answer that takes longer counts as a socket error. */
export const ANSWER_TIMEOUT_SECONDS = 30;

/** The environment by which a generator's process learns its task. */
export function loadEnvironment(spec: LoadSpec): Record<string, string> {
  return {
    LOAD_CREDENTIALS_FILE: spec.credentialsFile,
    LOAD_FORM: spec.form,
    LOAD_PATH: spec.path,
    LOAD_HOST: new URL(spec.origin).host,
    LOAD_CONTENT_TYPE: spec.contentType,
    LOAD_ACCEPT: spec.accept,
    LOAD_BATCH: String(spec.batch),
    LOAD_CONNECTIONS: String(spec.connections),
    LOAD_SECONDS: String(spec.seconds),
    LOAD_CHECK_ONE_IN: String(spec.checkOneIn),
    LOAD_SERVER_PID: String(spec.serverPid),
    ...(spec.besidePid !== undefined && { LOAD_BESIDE_PID: String(spec.besidePid) }),
    ...(spec.requests && {
      LOAD_REQUESTS_FILE: spec.requests.path,
      LOAD_REQUEST_BYTES: String(spec.requests.bytes),
      LOAD_SENT_ONCE: spec.requests.isSentOnce ? 'yes' : 'no',
    }),
  };
}
