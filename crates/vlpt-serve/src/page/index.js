"use strict";
// Photos in, bars out. Nothing leaves for anywhere but the server that sent this page.

const by = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

function headers() {
  const token = by("token").value;
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, headers: { ...headers(), ...options.headers } });
  if (response.status === 401) by("token-row").className = "shown-row";
  const body = await response.json();
  if (!response.ok) throw new Error(body.error || response.statusText);
  return body;
}

async function list() {
  const chosen = new Set([...document.querySelectorAll("#prompts input:checked")].map((box) => box.value));
  const first = !by("prompts").querySelector("input");
  const prompts = await ask("/v1/prompts");
  const boxes = prompts.map((prompt) => {
    const box = make("input", { type: "checkbox", value: prompt.name, checked: first || chosen.has(prompt.name) });
    const about = make("small", { textContent: ` ${prompt.classes} classes, ${prompt.method}` });
    return make("label", {}, box, ` ${prompt.name}`, about);
  });
  by("prompts").replaceChildren(make("legend", { className: "hidden", textContent: "Prompts to ask" }), ...boxes);
  by("about").textContent = `One frozen model, ${prompts.length} tuned prompt${prompts.length === 1 ? "" : "s"}.`;
}

function table(name, answer) {
  const rows = answer.predictions.map(({ label, score }) => {
    const percent = `${(100 * score).toFixed(1)} %`;
    const bar = make("div", { className: "bar" });
    bar.style.width = `${Math.max(0, Math.min(100, 100 * score))}%`;
    return make("tr", {},
      make("th", { scope: "row", textContent: label }),
      make("td", {}, make("div", { className: "track" }, bar)),
      make("td", { className: "number", textContent: percent }));
  });
  return make("table", {}, make("caption", { textContent: name }), make("tbody", {}, ...rows));
}

async function draw(canvas, file, shares) {
  const image = await createImageBitmap(file);
  const side = Math.min(image.width, image.height);
  canvas.width = canvas.height = 224;
  const context = canvas.getContext("2d");
  context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, 224, 224);
  image.close();
  if (!shares) return;
  const grid = Math.round(Math.sqrt(shares.length));
  const most = Math.max(...shares);
  shares.forEach((share, place) => {
    context.fillStyle = `rgba(0, 0, 0, ${0.7 * (1 - share / most)})`;
    const [x, y] = [place % grid, Math.floor(place / grid)];
    const at = (part) => Math.round((part * 224) / grid);
    context.fillRect(at(x), at(y), at(x + 1) - at(x), at(y + 1) - at(y));
  });
}

async function show(file) {
  const canvas = make("canvas", { width: 224, height: 224 });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", file.name);
  const said = make("div", {}, make("p", { textContent: "waiting" }));
  const figure = make("figure", {}, canvas, make("figcaption", { textContent: file.name }));
  by("results").prepend(make("li", {}, figure, said));
  draw(canvas, file).catch(() => {});
  const names = [...document.querySelectorAll("#prompts input:checked")].map((box) => box.value);
  const attention = by("attention").checked;
  try {
    if (!names.length) throw new Error("no prompt is chosen");
    const query = new URLSearchParams({ prompts: names.join(","), attention });
    const answers = await ask(`/v1/predict?${query}`, {
      method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" },
    });
    said.replaceChildren(...Object.entries(answers).map(([name, answer]) => table(name, answer)));
    const shares = Object.values(answers)[0]?.attention;
    if (shares) await draw(canvas, file, shares);
    return true;
  } catch (error) {
    said.replaceChildren(make("p", { className: "wrong", textContent: error.message }));
    return false;
  }
}

async function take(files) {
  const photos = [...files];
  by("status").textContent = `${photos.length} photo${photos.length === 1 ? "" : "s"} sent`;
  let right = 0;
  for (const photo of photos) right += (await show(photo)) ? 1 : 0;
  by("status").textContent = `${right} of ${photos.length} classified`;
}

const drop = by("drop");
by("files").addEventListener("change", (event) => { take(event.target.files); event.target.value = ""; });
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => { if (event.clipboardData.files.length) take(event.clipboardData.files); });
const refresh = () => list().catch((error) => { by("status").textContent = error.message; });
by("token").addEventListener("change", refresh);
refresh();
setInterval(refresh, 10000);
