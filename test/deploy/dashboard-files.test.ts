/** The committed dashboards are those that the code makes, and what Grafana needs to load them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dashboardFiles } from '../../deploy/grafana/src/dashboards.ts';
import { DASHBOARD_FOLDER, dashboards, leafPanels } from '../support/dashboards.ts';

const PAGES = dashboards();

describe('the dashboards', () => {
  it('are committed as the code makes them (npm run dashboards writes them)', () => {
    const made = dashboardFiles();
    expect(readdirSync(DASHBOARD_FOLDER).sort()).toEqual([...made.keys()].sort());
    for (const [name, text] of made) {
      expect(readFileSync(join(DASHBOARD_FOLDER, name), 'utf8') === text, `${name} has drifted`).toBe(true);
    }
  });

  it('have unique names, and addresses that Grafana takes', () => {
    expect(PAGES.length).toBeGreaterThanOrEqual(4);
    expect(new Set(PAGES.map(({ uid }) => uid)).size).toBe(PAGES.length);
    expect(new Set(PAGES.map(({ title }) => title)).size).toBe(PAGES.length);
    for (const { uid } of PAGES) expect(uid).toMatch(/^[a-z0-9-]{8,40}$/);
  });

  it('have the variables that their queries use', () => {
    for (const page of PAGES) {
      const names = page.templating.list.map(({ name }) => name);
      expect(names).toEqual(['datasource', 'job', 'instance']);
    }
  });
});

describe.each(PAGES)('$title', ({ panels }) => {
  const shown = leafPanels(panels);

  it('gives each panel and row an id of its own', () => {
    const ids = panels.map(({ id }) => id);
    expect(ids.every((id) => Number.isInteger(id) && id > 0)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says of each panel what it shows, in which unit, and where to read on', () => {
    expect(shown.length).toBeGreaterThan(5);
    for (const { title, description, fieldConfig, links } of shown) {
      expect(description.length, title).toBeGreaterThan(40);
      expect(fieldConfig.defaults.unit, title).toBeTruthy();
      expect(links[0]?.url, title).toMatch(/^https:\/\/\S+#\S+$/);
    }
  });

  it('lets no two panels overlap, nor reach beyond the page', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x},${y}`), title).toBeUndefined();
          taken.set(`${x},${y}`, title);
        }
      }
    }
  });

  it('asks of the chosen gateways alone', () => {
    for (const { title, targets } of shown) {
      for (const { expr } of targets) {
        const selectors = expr.match(/\b(?:vigie_|vigie:|up|ALERTS)[a-z0-9_:]*(?:\{[^}]*\})?/g) ?? [];
        expect(selectors.length, title).toBeGreaterThan(0);
        for (const selector of selectors) expect(selector, title).toMatch(/\{job="\$job"/);
      }
    }
  });
});
