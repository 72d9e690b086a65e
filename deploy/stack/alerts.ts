/** What Prometheus says of its alerts, asked each second: which were pending and which fired, and when. */
import { askPrometheus } from './prometheus-api.ts';

export interface AlertSpan {
  readonly alert: string;
  readonly severity: string;
  /** Of what it speaks: its other labels. */
  readonly about: string;
  /** Monotonic; `undefined`: not. */
  readonly pendingMs: number;
  firingMs: number | undefined;
  lastSeenMs: number;
}

export interface AlertWatch {
  readonly spans: readonly AlertSpan[];
  /** Questions that Prometheus did not answer. */
  unanswered(): number;
  stop(): void;
}

const ASK_EVERY_MS = 1_000;
/** Not seen for so long: an alert of the same name is another one. */
const GAP_MS = 2_500;

interface Reported {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
}

export function watchAlerts(port: number): AlertWatch {
  const spans: AlertSpan[] = [];
  let unanswered = 0;
  const note = ({ labels, state }: Reported, nowMs: number): void => {
    const { alertname: alert = '', severity = '', ...others } = labels;
    const about = aboutOf(others);
    let span = spans.findLast(
      (one) => one.alert === alert && one.severity === severity && one.about === about,
    );
    if (span === undefined || nowMs - span.lastSeenMs > GAP_MS) {
      span = { alert, severity, about, pendingMs: nowMs, firingMs: undefined, lastSeenMs: nowMs };
      spans.push(span);
    }
    if (state === 'firing') span.firingMs ??= nowMs;
    span.lastSeenMs = nowMs;
  };
  const ask = async (): Promise<void> => {
    try {
      const { alerts } = await askPrometheus<{ alerts: Reported[] }>(port, 'alerts');
      for (const alert of alerts) note(alert, performance.now());
    } catch {
      unanswered++;
    }
  };
  const timer = setInterval(() => void ask(), ASK_EVERY_MS);
  return { spans, unanswered: () => unanswered, stop: () => clearInterval(timer) };
}

/** Labels that tell one alert from another of its name. */
function aboutOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .sort()
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
