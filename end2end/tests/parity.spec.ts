// The browser and the server run one engine: every column of the same year agrees to 1e-9.
import { expect, test } from "./quiet";

const DESIGN = "facility-100mw";
const TOLERANCE = 1e-9;

test("the year in the browser is the year on the server", async ({ page }) => {
  await page.goto("/");
  const result = await page.evaluate(async (design) => {
    const bundle = "/pkg/millwright.js";
    const engine = await import(bundle);
    await engine.default({ module_or_path: "/pkg/millwright_bg.wasm" });
    const site = await (await fetch(`/api/v1/designs/${design}/site`)).text();
    const here = JSON.parse(engine.simulate_year(site, 60, 1, 5));
    const there = await (await fetch(`/api/v1/designs/${design}/year?step_minutes=60&seed=1`)).json();
    return { here, there };
  }, DESIGN);

  expect(result.here.error).toBeUndefined();
  const names = Object.keys(result.there.columns).sort();
  expect(Object.keys(result.here.columns).sort()).toEqual(names);
  expect(names.length).toBeGreaterThan(20);
  let worst = { name: "", at: 0, error: 0 };
  for (const name of names) {
    const [here, there]: number[][] = [result.here.columns[name], result.there.columns[name]];
    expect(here.length, name).toBe(8760);
    expect(there.length, name).toBe(8760);
    here.forEach((value, at) => {
      const error = Math.abs(value - there[at]) / Math.max(Math.abs(there[at]), 1e-12);
      if (!(error <= worst.error)) worst = { name, at, error };
    });
  }
  console.log(`the year took ${result.here.milliseconds.toFixed(1)} ms in the browser; largest difference ${worst.error.toExponential(1)} (${worst.name})`);
  expect(worst.error, `${worst.name} at step ${worst.at}`).toBeLessThanOrEqual(TOLERANCE);
});

test("a site that can't be read is refused in words", async ({ page }) => {
  await page.goto("/");
  const answer = await page.evaluate(async () => {
    const bundle = "/pkg/millwright.js";
    const engine = await import(bundle);
    await engine.default({ module_or_path: "/pkg/millwright_bg.wasm" });
    return JSON.parse(engine.simulate_year("{}", 60, 1, 1));
  });
  expect(answer.error).toContain("The site can't be read");
});
