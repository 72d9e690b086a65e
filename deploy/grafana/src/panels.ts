/** Panels as data, and what the foundation SDK makes of them. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type RunbookSection, runbookUrl } from './runbook.ts';

export type Query = readonly [expression: string, legend: string];

export interface PanelSpec {
  /** Stands in links to the panel, so it is given by hand and never used again for another one. */
  readonly id: number;
  readonly title: string;
  readonly unit: string;
  /** What is seen, and what to do when it looks wrong. */
  readonly description: string;
  readonly runbook: RunbookSection;
  readonly queries: readonly Query[];
  /** From which value on which colour; the first holds from the beginning. Default: green alone. */
  readonly thresholds?: readonly (readonly [from: number, colour: string])[];
  /** Of 24 columns. Default: 8, or 4 for a single figure. */
  readonly width?: number;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
}

export interface GraphSpec extends PanelSpec {
  readonly kind: 'graph';
  /** Parts of a whole, one upon the other. */
  readonly stacked?: true;
}

/** One figure a series: the newest. */
export interface FigureSpec extends PanelSpec {
  readonly kind: 'figure';
}

export type AnyPanelSpec = GraphSpec | FigureSpec;

export const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

const GRAPH_HEIGHT = 8;
const FIGURE_HEIGHT = 4;

export function buildPanel(spec: AnyPanelSpec): TimeseriesBuilder | StatBuilder {
  return spec.kind === 'graph' ? graph(spec) : figure(spec);
}

function graph(spec: GraphSpec): TimeseriesBuilder {
  const { width = 8, stacked } = spec;
  const panel = common(new TimeseriesBuilder(), spec)
    .height(GRAPH_HEIGHT)
    .span(width)
    .lineWidth(1)
    .fillOpacity(stacked === true ? 30 : 8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  if (stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  for (const [index, query] of spec.queries.entries()) panel.withTarget(target(query, index).range());
  return panel;
}

function figure(spec: FigureSpec): StatBuilder {
  const { width = 4 } = spec;
  const panel = common(new StatBuilder(), spec)
    .height(FIGURE_HEIGHT)
    .span(width)
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  for (const [index, query] of spec.queries.entries()) panel.withTarget(target(query, index).instant());
  return panel;
}

function common<P extends TimeseriesBuilder | StatBuilder>(panel: P, spec: PanelSpec): P {
  const { thresholds = [[0, 'green']], decimals, min, max } = spec;
  panel.id(spec.id).title(spec.title).description(spec.description).unit(spec.unit).datasource(DATASOURCE);
  panel.links([
    // By name too: it is found in the repository where the address is not reachable.
    new DashboardLinkBuilder(`Runbook: ${spec.runbook}`)
      .type(DashboardLinkType.Link)
      .url(runbookUrl(spec.runbook))
      .targetBlank(true),
  ]);
  const steps = thresholds.map(
    ([from, color], index): Threshold => ({ value: index === 0 ? null : from, color }),
  );
  panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
  if (decimals !== undefined) panel.decimals(decimals);
  if (min !== undefined) panel.min(min);
  if (max !== undefined) panel.max(max);
  return panel;
}

function target([expression, legend]: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .datasource(DATASOURCE)
    .expr(expression)
    .legendFormat(legend);
}
