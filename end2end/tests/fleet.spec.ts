// The live fleet in a real browser, on a made-up fleet of 2,000 GPUs that a program of its own serves.
import AxeBuilder from "@axe-core/playwright";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test as quiet } from "./quiet";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const program = process.env.MILLWRIGHT_BIN ?? "../target/release/millwright";
let demo: ChildProcess, folder: string;

const test = quiet.extend<object, { address: string }>({
  address: [
    async ({}, use) => {
      folder = mkdtempSync(join(tmpdir(), "millwright-demo-"));
      demo = spawn(program, ["serve", "--demo", "--listen", "127.0.0.1:0", "--data", folder]);
      const address = await new Promise<string>((found, failed) => {
        let said = "";
        demo.stdout!.on("data", (part) => {
          const at = /http:\/\/[\d.:]+/.exec((said += part));
          if (at) found(at[0]);
        });
        demo.on("exit", (code) => failed(new Error(`the demo ended with ${code}: ${said}`)));
      });
      await use(address);
      await new Promise((ended) => {
        demo.removeAllListeners("exit");
        demo.once("exit", ended);
        demo.kill();
      });
      rmSync(folder, { recursive: true });
    },
    { scope: "worker", timeout: 60_000 },
  ],
  baseURL: async ({ address }, use) => use(address),
});

test("the fleet says what it is, what it makes and where the rest went", async ({ page }) => {
  await page.goto("/fleet");
  await expect(page.getByText("made up by the simulator")).toBeVisible();
  const strip = page.getByLabel("The fleet now");
  await expect(strip).toContainText("tok/s");
  await expect(strip).toContainText("of 2", { timeout: 30_000 });
  // The building's meter is read over its bus: the megawatt is the facility's.
  await expect(strip).toContainText("utility meter", { timeout: 45_000 });
  await expect(page.getByRole("region", { name: "From the plan to what is made" })).toBeVisible();
  const before = await page.getByText(/^As of/).first().textContent();
  await expect(async () => expect(await page.getByText(/^As of/).first().textContent()).not.toBe(before)).toPass();
});

test("a GPU is found by keyboard, and its page has charts with the time in the address", async ({ page }) => {
  await page.goto("/fleet");
  const map = page.getByRole("application");
  await expect(map).toBeVisible();
  await expect(page.getByText("made up by the simulator")).toBeVisible();
  await page.waitForTimeout(1_000);
  await map.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/fleet\/at\/gpu/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("GPU");
  await expect(page.locator("figure svg").first()).toBeVisible({ timeout: 30_000 });
  await page.getByRole("group", { name: "Until now" }).getByText("6 h").click();
  await expect(page).toHaveURL(/6h/);
});

test("an alert is taken on, and says by whom after a reload", async ({ page }) => {
  // Whether the made-up fleet has a fault just now is its own affair: this one is told, as an agent tells it.
  const fault = { at_ms: Date.now(), source: "kernel", host: "gpu-r01-1", what: "xid", code: 79, message: "NVRM: Xid (PCI:0000:06:00): 79, GPU has fallen off the bus." };
  expect((await page.request.post("/api/v1/fleet/happened", { data: [fault] })).status()).toBe(204);
  await page.goto("/alerts");
  await page.getByRole("button", { name: "Take it on" }).first().click({ timeout: 60_000 });
  const form = page.getByRole("region", { name: /^Take on/ });
  await form.getByLabel("Your name").fill("Ada");
  await form.getByLabel("What you do about it").fill("Draining the node.");
  await form.getByRole("button", { name: "Take it on" }).click();
  await expect(form).toBeHidden();
  await page.goto("/alerts?show=taken");
  await expect(page.getByText("Ada").first()).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const path of ["/fleet", "/fleet/at/rack:R01", "/fleet/at/node:gpu-r01-1", "/events", "/alerts", "/sources", "/facility", "/fleet/plan", "/fleet/report/today"]) {
    test(`${path} can be used by everyone (${colorScheme})`, async ({ page }) => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await page.waitForTimeout(1_500);
      const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
      const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`)).toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wider).toBeLessThanOrEqual(0);
    });
  }
}
