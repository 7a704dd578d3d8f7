// The image-classification pipeline of transformers.js on exported folders, in a headless Chromium: browser.mjs WORK.
// Node.js 20, playwright-core 1.65.1, @huggingface/transformers 4.3.2. Nothing is loaded from outside of this machine:
// every file comes from a server on localhost. Adds to results.json.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createReadStream, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';

const work = process.argv[2];
const { chromium } = createRequire(join(work, 'package.json'))('playwright-core');
const version = JSON.parse(readFileSync(join(work, 'node_modules/@huggingface/transformers/package.json'))).version;

const kinds = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm', '.png': 'image/png' };
const server = createServer((request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
  if (path === '/') {
    response.setHeader('content-type', 'text/html');
    return response.end('<!doctype html><title>check</title>');
  }
  const file = join(work, path);
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.statusCode = 404;
    return response.end();
  }
  response.setHeader('content-type', kinds[extname(file)] ?? 'application/octet-stream');
  response.setHeader('content-length', statSync(file).size);
  createReadStream(file).pipe(response);
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const origin = `http://127.0.0.1:${server.address().port}`;

const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM,
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
await page.goto(origin);

const photos = readdirSync(join(work, 'photos')).sort();
const results = JSON.parse(readFileSync(join(work, 'results.json')));
results.browser = [];
for (const name of ['mini-clip-maple', 'vit-b-16-vpt', 'mini-clip-lora']) {
  const own = Object.fromEntries(
    JSON.parse(readFileSync(join(work, 'exports', `${name}.json`))).map((row) => [row.image.split('/').pop(), Object.fromEntries(row.classes.map((c) => [c.class, c.probability]))]),
  );
  // left to itself the pipeline asks for q8 where it runs on the processor
  for (const [folder, dtype] of [[`squares/${name}`, 'fp32'], [`squares/${name}`, null], ['photos', 'fp32'], ['photos', null]]) {
    const found = await page.evaluate(
      async ({ name, folder, dtype, photos }) => {
        const { env, pipeline } = await import('/node_modules/@huggingface/transformers/dist/transformers.js');
        env.allowRemoteModels = false;
        env.allowLocalModels = true;
        env.useBrowserCache = false;
        env.localModelPath = '/exports/';
        env.backends.onnx.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
        const classify = await pipeline('image-classification', name, dtype ? { dtype, device: 'wasm' } : { device: 'wasm' });
        const answers = [];
        await classify(`/${folder}/${photos[0]}`, { top_k: 1 });
        const start = performance.now();
        for (const photo of photos) {
          answers.push(await classify(`/${folder}/${photo}`, { top_k: 1000 }));
        }
        return { answers, ms: (performance.now() - start) / photos.length };
      },
      { name, folder, dtype, photos },
    );
    let [apart, same] = [0, 0];
    found.answers.forEach((answer, i) => {
      const expected = own[photos[i]];
      const best = Object.keys(expected).reduce((a, b) => (expected[b] > expected[a] ? b : a));
      same += answer[0].label === best ? 1 : 0;
      if (answer.length !== Object.keys(expected).length) throw new Error(`${answer.length} classes`);
      for (const { label, score } of answer) apart = Math.max(apart, Math.abs(score - expected[label]));
    });
    results.browser.push({ name, images: folder === 'photos' ? 'any size' : "the tower's size", dtype: dtype ?? 'left open (q8)', runtime: `transformers.js ${version}`, apart, same, photos: photos.length, ms: found.ms });
    console.log(JSON.stringify(results.browser.at(-1)));
  }
}
writeFileSync(join(work, 'results.json'), JSON.stringify(results, null, 1));
await browser.close();
server.close();
rmSync(profile, { recursive: true, force: true });
