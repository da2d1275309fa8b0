// Rooms of the bundle are loaded when they are opened, once, and it is said where one can't be had.
import { test as base } from "@playwright/test";
import { expect, test } from "./quiet";

test("a room is loaded with its first page, and by no other", async ({ page }) => {
  const modules: string[] = [];
  page.on("request", (request) => {
    const name = /\/pkg\/(.+\.wasm)$/.exec(request.url());
    if (name) modules.push(name[1]);
  });
  await page.goto("/", { waitUntil: "networkidle" });
  expect(modules).toEqual(["millwright_bg.wasm"]);
  const top = page.getByRole("navigation", { name: "Main" });
  await top.getByRole("link", { name: "Events" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Events" })).toBeVisible();
  await top.getByRole("link", { name: "Fleet" }).click();
  await expect(page).toHaveURL(/\/fleet$/);
  await expect(page.getByRole("heading", { level: 1 })).not.toHaveText("Events");
  expect(modules.filter((name) => name === "split_fleet.wasm")).toHaveLength(1);
  expect(modules).not.toContain("split_workshop.wasm");
});

test("a page that is opened by its address has its room loaded beside the bundle", async ({ page }) => {
  const answer = await page.goto("/sources");
  expect(await answer!.text()).toContain('<link rel="preload" href="/pkg/split_fleet.wasm"');
});

// The browser itself complains of a request that failed: not a quiet page.
base("a room that can't be had is said, and tried again", async ({ page }) => {
  await page.goto("/", { waitUntil: "networkidle" });
  await page.route("**/pkg/split_fleet.wasm", (route) => route.abort());
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Events" }).click();
  await expect(page.getByRole("heading", { name: "Could not show this page" })).toBeVisible();
  await page.unroute("**/pkg/split_fleet.wasm");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Events" })).toBeVisible();
});
