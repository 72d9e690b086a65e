/** k6's own modules, as far as the script uses them. */
declare const __ENV: { readonly TASK_FILE: string; readonly SUMMARY_FILE: string };
declare function open(path: string): string;

declare module 'k6' {
  export function check<Value>(value: Value, sets: Record<string, (value: Value) => boolean>): boolean;
}

declare module 'k6/data' {
  export const SharedArray: new <Value>(name: string, make: () => Value[]) => readonly Value[];
}

declare module 'k6/execution' {
  const execution: { readonly scenario: { readonly iterationInTest: number } };
  export default execution;
}

declare module 'k6/http' {
  interface Response {
    /** 0: no answer came. */
    readonly status: number;
    readonly body: string | null;
    readonly headers: Readonly<Record<string, string | undefined>>;
    /** Milliseconds, from the first byte sent to the last one read. */
    readonly timings: { readonly duration: number };
  }
  const http: {
    post(
      url: string,
      body: string,
      params: { readonly headers: Readonly<Record<string, string>>; readonly timeout: number },
    ): Response;
  };
  export default http;
}

declare module 'k6/metrics' {
  interface Metric {
    add(value: number): void;
  }
  export const Counter: new (name: string) => Metric;
  export const Trend: new (name: string, isTime: boolean) => Metric;
}
