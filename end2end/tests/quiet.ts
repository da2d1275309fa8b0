// Every test fails on what a page says in its console and on any request that leaves its origin.
import { test as base, expect } from "@playwright/test";

export const test = base.extend<{ quiet: void }>({
  quiet: [
    async ({ page, baseURL }, use) => {
      const faults: string[] = [];
      page.on("console", (message) => {
        // How fast a browser reads its own pictures back, where the processor draws them, is no word of the page.
        if (message.text().includes("GL Driver Message (OpenGL, Performance")) return;
        if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`);
      });
      page.on("pageerror", (error) => faults.push(`page: ${error.message}`));
      page.on("request", (request) => {
        const url = request.url();
        const own = url.startsWith(`${baseURL}/`) || url.startsWith("data:") || url.startsWith("blob:");
        if (!own) faults.push(`request to ${url}`);
      });
      await use();
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };
