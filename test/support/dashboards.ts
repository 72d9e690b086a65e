/** The committed dashboards, as far as tests look at them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const DASHBOARD_FOLDER = fileURLToPath(new URL('../../deploy/grafana/dashboards', import.meta.url));

export interface DashboardPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly links: readonly { readonly url: string }[];
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly targets: readonly { readonly expr: string; readonly instant?: boolean }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly DashboardPanel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

export function dashboards(): Dashboard[] {
  return readdirSync(DASHBOARD_FOLDER).map((name) =>
    JSON.parse(readFileSync(join(DASHBOARD_FOLDER, name), 'utf8')),
  );
}

/** All but the rows. */
export function leafPanels(panels: readonly DashboardPanel[]): DashboardPanel[] {
  return panels.filter(({ type }) => type !== 'row');
}
