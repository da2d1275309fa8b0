// Requests are replayed from the form as it stands, and what came of them can be read, run again and deleted.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./quiet";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

async function start(page: Page) {
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  await expect(page).toHaveURL(/\/replay\/[^/]+$/, { timeout: 60_000 });
  await expect(page.getByRole("region", { name: "The answer" })).toBeVisible();
}

async function usable(page: Page) {
  const { violations, passes } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  expect(passes.length).toBeGreaterThan(5);
  const grave = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html.slice(0, 160)} | ${any[0]?.message ?? ""}`));
  expect(grave).toEqual([]);
  const wider = await page.evaluate(() => {
    const page = document.scrollingElement!;
    return Math.max(0, page.scrollWidth - page.clientWidth);
  });
  expect(wider).toBe(0);
}

test("made-up requests are replayed, read and run again", async ({ page }) => {
  await page.goto("/replay");
  await expect(page.getByText("Nothing was replayed yet")).toBeVisible();
  await page.getByLabel("Requests", { exact: true }).fill("800");
  await page.getByLabel("Name").fill("Evening chat");
  await start(page);
  await expect(page.getByRole("heading", { level: 1, name: "Evening chat" })).toBeVisible();
  const answer = page.getByRole("region", { name: "The answer" });
  for (const words of ["of requests in time", "Requests finished", "Output tokens", "GPU boards, mean", "Energy of an output token"]) {
    await expect(answer.getByText(words).first()).toBeVisible();
  }
  const times = page.getByRole("table", { name: /^Of requests that finished/ });
  await expect(times.getByRole("row", { name: /^To the first token/ })).toContainText("2000 ms");
  await expect(page.getByRole("figure")).toHaveCount(9);
  await page.getByRole("figure").first().getByText("Figures as a table").click();
  await expect(page.getByRole("columnheader", { name: "running" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Every request (CSV)" })).toBeVisible();

  await page.getByRole("link", { name: "Run it again, changed" }).click();
  await expect(page.getByLabel("Requests", { exact: true })).toHaveValue("800");
  await page.getByLabel("Replicas", { exact: true }).fill("2");
  await page.getByLabel("Autoscaler").check();
  await start(page);
  await expect(page.getByRole("figure")).toHaveCount(10);

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete it" }).click();
  await expect(page).toHaveURL(/\/replay$/);
  await expect(page.getByRole("link", { name: "Evening chat" })).toHaveCount(1);
});

test("a trace of one's own is replayed, and its bad line is named", async ({ page }) => {
  await page.goto("/replay");
  await expect(page.getByRole("button", { name: "Replay", exact: true })).toBeEnabled();
  await page.getByLabel("From").selectOption("A trace of your own");
  const file = (text: string) => ({ name: "list.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
  const head = "at_s,input_tokens,output_tokens\n0,1000,20\n";
  const choose = page.getByLabel(/Azure LLM trace CSV/);
  await choose.setInputFiles(file(`${head}1,many,3\n`));
  await expect(page.getByText("list.csv, 51.0 B, is sent with the replay.")).toBeVisible();
  // The browser itself complains of an answer that is a refusal, so the form is asked for what it says alone.
  await choose.setInputFiles(file(`${head}1,30,3\n`));
  await start(page);
  await expect(page.getByText("2 requests of list.csv").first()).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1440, 390]) {
    test(`replays can be used by everyone (${colorScheme}, ${width} px)`, async ({ page }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.goto("/replay");
      await expect(page.getByRole("button", { name: "Replay", exact: true })).toBeEnabled();
      await usable(page);
      await page.getByRole("link", { name: "Evening chat" }).click();
      await expect(page.getByRole("region", { name: "The answer" })).toBeVisible();
      await usable(page);
    });
  }
}
