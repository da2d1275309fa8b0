// A real browser against the built program. The program is `../target/release/millwright`, or MILLWRIGHT_BIN; the browser is
// CHROMIUM, or the system's, or Playwright's own. Nothing leaves this machine.
import { defineConfig } from "@playwright/test";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const port = Number(process.env.MILLWRIGHT_PORT ?? 8391);
const program = process.env.MILLWRIGHT_BIN ?? "../target/release/millwright";
const browser = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
// Playwright reads this file once for each worker; the folder is made once and told to them.
const data = (process.env.MILLWRIGHT_TEST_DATA ??= mkdtempSync(join(tmpdir(), "millwright-")));

export default defineConfig({
  testDir: "tests",
  // Times are told by `make bench` and asserted nowhere.
  testIgnore: process.env.MILLWRIGHT_SPEED ? [] : ["**/speed.spec.ts"],
  timeout: 90_000,
  expect: { timeout: 15_000 },
  fullyParallel: false,
  workers: 1,
  // Text, so the same on every system.
  snapshotPathTemplate: "{testDir}/golden/{arg}{ext}",
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: browser,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        // The 3D hall is drawn by the processor where a machine has no graphics of its own.
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: {
    command: `${program} serve --listen 127.0.0.1:${port} --data ${data}`,
    url: `http://127.0.0.1:${port}/`,
    timeout: 60_000,
    reuseExistingServer: false,
  },
});
