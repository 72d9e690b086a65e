/** One run of load, in terms that both generators understand. */

export type LoadForm = 'single-json' | 'batch-json' | 'batch-lines';

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
  readonly serverPid: number;
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
  };
}
