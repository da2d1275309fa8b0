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

test("what happens meanwhile is asked, marked and told, by tenant too", async ({ page }) => {
  await page.goto("/replay");
  await expect(page.getByRole("button", { name: "Replay", exact: true })).toBeEnabled();
  await page.getByLabel("From").selectOption("A trace of your own");
  const row = (_: unknown, at: number) => `${at * 0.1},${500 + at},${20 + (at % 40)},${at % 3 ? "search" : "code"}\n`;
  const text = `at_s,input_tokens,output_tokens,tenant\n${Array.from({ length: 300 }, row).join("")}`;
  await page.getByLabel(/Azure LLM trace CSV/).setInputFiles({ name: "tenants.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.getByText(/^More: failures and power limits/).click();
  const events = page.getByLabel("Events");
  await events.fill("5:0:fails\n12:0:explodes");
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  await expect(page.getByText('What happens, line 2, “12:0:explodes”: "explodes" can\'t happen')).toBeVisible();
  await expect(events).toHaveValue("5:0:fails\n12:0:explodes");
  await events.fill("5:0:fails\n12:0:returns\n20:all:limit=400");
  await page.getByLabel("Host memory", { exact: true }).fill("200");
  await page.getByLabel("Tokens of a step").fill("4096");
  await start(page);
  await expect(page.getByText("after 5.00 s replica 0 fails", { exact: true })).toBeVisible();
  await expect(page.getByText("every replica is limited to 400 W a GPU").first()).toBeVisible();
  const tenants = page.getByRole("region", { name: "By tenant" });
  await expect(tenants.getByRole("row")).toHaveCount(3);
  await expect(tenants.getByRole("row", { name: /^search/ })).toContainText("200");
  await expect(page.getByRole("row", { name: /^Most tokens of a step/ })).toContainText("4096");

  await page.getByRole("link", { name: "Run it again, changed" }).click();
  await expect(page.getByLabel("Events")).toHaveValue("5:0:fails\n12:0:returns\n20:all:limit=400");
  await expect(page.getByLabel("Host memory", { exact: true })).toHaveValue("200");
  await page.goto("/replay");
  const earlier = page.getByRole("region", { name: "Earlier replays" }).getByRole("row").nth(1);
  for (const words of ["300 requests of tenants.csv", "Llama 3.1 70B", "4 replicas of 4 × H100", "to the least loaded"]) {
    await expect(earlier).toContainText(words);
  }
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
