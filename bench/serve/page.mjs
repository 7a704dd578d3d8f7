// The page in headless Chromium: a photo given by keyboard alone, bars, attention, no request to elsewhere.
// node page.mjs ADDRESS PHOTO PICTURE.png
import { chromium } from "playwright-core";

const [address, photo, picture] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage();
const elsewhere = [];
const wrong = [];
page.on("request", (request) => { if (!/^(http:\/\/127\.0\.0\.1|data:|blob:)/.test(request.url())) elsewhere.push(request.url()); });
page.on("console", (message) => { if (message.type() === "error") wrong.push(message.text()); });
page.on("pageerror", (error) => wrong.push(String(error)));
await page.goto(address);
await page.waitForSelector("#prompts input");
const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.value || document.activeElement.tagName);
const reached = [];
for (let tab = 0; tab < 12; tab++) {
  await page.keyboard.press("Tab");
  reached.push(await focused());
  if (reached.indexOf("attention") === tab) await page.keyboard.press("Space");
}
if (!reached.includes("files") || !reached.includes("attention")) throw new Error(`keyboard reaches ${reached}`);
await page.setInputFiles("#files", photo);
await page.waitForSelector("#results table", { timeout: 30000 });
await page.waitForFunction(() => document.getElementById("status").textContent.includes("classified"));
const bars = await page.$$eval("#results .bar", (all) => all.map((bar) => bar.style.width));
const status = await page.textContent("#status");
if (!bars.length || elsewhere.length || wrong.length) throw new Error(JSON.stringify({ bars, elsewhere, wrong }));
await page.screenshot({ path: picture, fullPage: true });
await page.goto(`${address}/docs`);
await page.waitForSelector("#paths section");
const paths = await page.$$eval("#paths section", (all) => all.length);
if (elsewhere.length || wrong.length) throw new Error(JSON.stringify({ elsewhere, wrong }));
console.log(`page: ${status}; ${bars.length} bars; keyboard reaches ${[...new Set(reached)].join(", ")}; ${paths} paths in /docs; nothing from elsewhere`);
await browser.close();
