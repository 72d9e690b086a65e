/**
 * A bound on open connections. What is beyond it is closed at once, before a byte of it is read: the cheapest refusal
 * there is, and the only one that costs no memory for each connection.
 */
import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';

export interface ConnectionCapOptions {
  readonly most: number;
  /** So many are open, and one more was closed or not. */
  onChange(open: number, isRefused: boolean): void;
}

export function capConnections(app: TemplatedApp, { most, onChange }: ConnectionCapOptions): void {
  let open = 0;
  const track = (res: HttpResponse, change: number): void => {
    open += change > 0 ? 1 : -1;
    const isRefused = change > 0 && open > most;
    onChange(open, isRefused);
    // Told of its end before this returns.
    if (isRefused) res.close();
  };
  app.filter(track);
}
