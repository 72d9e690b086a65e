/** A page: rows of panels under one set of variables, with links to the other pages. */
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { type AnyPanelSpec, buildPanel, DATASOURCE } from './panels.ts';

/** Common to the pages: what the list of them is found by. */
const TAG = 'vigie';

export interface Row {
  readonly id: number;
  readonly title: string;
  readonly panels: readonly AnyPanelSpec[];
}

export interface Page {
  /** Stands in the page's address, and names its file. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

export function buildPage({ name, title, description, rows }: Page): DashboardBuilder {
  const page = new DashboardBuilder(`Vigie: ${title}`)
    .uid(`vigie-${name}`)
    .description(description)
    .tags([TAG])
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .link(
      new DashboardLinkBuilder('Vigie')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    );
  addVariables(page);
  for (const row of rows) {
    page.withRow(new RowBuilder(row.title).id(row.id));
    for (const panel of row.panels) page.withPanel(buildPanel(panel));
  }
  return page;
}

function addVariables(page: DashboardBuilder): void {
  page.withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  page.withVariable(
    new QueryVariableBuilder('job')
      .label('Job')
      .datasource(DATASOURCE)
      .query('label_values(vigie_build_info, job)')
      .refresh(VariableRefresh.OnDashboardLoad)
      .sort(VariableSort.AlphabeticalAsc),
  );
  page.withVariable(
    new QueryVariableBuilder('instance')
      .label('Gateway')
      .datasource(DATASOURCE)
      .query('label_values(vigie_build_info{job="$job"}, instance)')
      // A gateway may come while the page is open.
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(true)
      .includeAll(true)
      .allValue('.*')
      .current({ selected: true, text: 'All', value: '$__all' }),
  );
}
