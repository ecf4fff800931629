// The page of `stdpnet inspect`: asks the server for plain data and charts, and shows them.
"use strict";

const find = (selector) => document.querySelector(selector);
const dark = matchMedia("(prefers-color-scheme: dark)");
const INTERVAL = 4000; // ms between two looks at the runs
const REST = 50, LONGEST_REST = 60000; // charts rest so many times what drawing them took (2 % of a core), at most so many ms
let runs = [], watched = null, about = null, chosen = 0, seen = {};

function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

function say(sentence) { find("#message").textContent = sentence; }

async function ask(what, parameters = {}, body = null) {
  const query = new URLSearchParams({ dark: dark.matches ? 1 : 0 });
  for (const [name, value] of Object.entries(parameters)) [value].flat().forEach((each) => query.append(name, each));
  const answer = await fetch(`api/${what}?${query}`, body ? { method: "POST", body: JSON.stringify(body) } : {});
  const found = await answer.json();
  if (found.error) throw new Error(found.error);
  return found;
}

function attempt(work) {
  return async (...given) => {
    try { await work(...given); } catch (error) { say(error.message); }
  };
}

async function draw(place, charts) {
  const places = charts.map(() => element("div"));
  find(place).replaceChildren(...places);
  for (const [number, chart] of charts.entries()) await Bokeh.embed.embed_item(chart, places[number]);
}

function pixels(rows, label, top = null) {
  const canvas = element("canvas", { width: rows[0].length, height: rows.length, role: "img", "aria-label": label });
  const context = canvas.getContext("2d"), data = context.createImageData(canvas.width, canvas.height);
  const most = top ?? (Math.max(...rows.flat()) || 1);
  rows.flat().forEach((value, place) => {
    const grey = Math.max(0, Math.min(255, 255 * value / most));
    data.data.set([grey, grey, grey, 255], 4 * place);
  });
  context.putImageData(data, 0, 0);
  return canvas;
}

function tile(rows, caption, top = null) {
  return element("figure", {}, pixels(rows, caption, top), element("figcaption", {}, caption));
}

// ---- Watch
const percent = (value) => value == null ? "–" : `${(100 * value).toFixed(1)} %`;

function accuracy(run) {
  const scored = run.scores[0], best = scored && Math.max(...Object.values(scored.accuracy));
  if (scored) return `${percent(best)} (${scored.split}${scored.stale ? ", stale" : ""})`;
  return run.curve.accuracy.length ? `${percent(run.curve.accuracy.at(-1))} (curve)` : "–";
}

function row(run) {
  const button = element("button", { type: "button", "data-run": run.name }, run.name);
  button.onclick = attempt(() => watch(run.name));
  const bar = element("progress", { max: run.goal || 1, value: run.images, "aria-label": `progress of ${run.name}` });
  const cells = [run.label, run.state, [bar, ` ${run.images}/${run.goal}`], accuracy(run)];
  cells.push(run.images_per_s == null ? "–" : run.images_per_s.toFixed(1));
  cells.push(run.health == null ? "–" : run.health.length ? run.health.join(", ") : "good");
  const line = element("tr", { "aria-selected": run.name === watched }, element("td", {}, button));
  line.append(...cells.map((cell) => element("td", {}, ...[cell].flat())));
  return line;
}

async function look() {
  const found = await ask("runs"), changed = JSON.stringify(found.map((each) => each.name)) !==
    JSON.stringify(runs.map((each) => each.name));
  runs = found;
  const focused = document.activeElement?.dataset?.run;
  find("#runs tbody").replaceChildren(...runs.map(row));
  if (focused) find(`button[data-run="${CSS.escape(focused)}"]`)?.focus();
  if (changed) offer();
  if (!runs.length) say("There is no run in this folder yet; `stdpnet train` makes one.");
}

async function watch(name) {
  watched = name;
  document.querySelectorAll("#runs tbody tr").forEach((line) =>
    line.setAttribute("aria-selected", line.querySelector("button").dataset.run === name));
  const run = runs.find((each) => each.name === name);
  find("#watched").textContent = `${name}: ${run.label}, ${run.dataset}, ${run.state}`;
  // Charts are drawn anew only where there is something new, so that a zoom survives.
  const key = `${name} ${run.images} ${run.curve.images.length} ${dark.matches}`;
  const begin = performance.now();
  if (seen.watch === key || (seen.name === name && seen.dark === dark.matches && begin < seen.rest)) return;
  Object.assign(seen, { watch: key, name, dark: dark.matches, rest: Infinity });
  try {
    await drawWatched(name);
  } finally {
    const now = performance.now();
    if (watched === name) seen.rest = now + Math.min(REST * (now - begin), LONGEST_REST);
  }
}

async function drawWatched(name) {
  const progress = await ask("progress", { run: name });
  if (watched !== name) return; // another run has been chosen since
  await draw("#watch-charts", progress.charts);
  const state = await ask("histograms", { run: name });
  if (watched !== name) return;
  find("#state-title").textContent = state.lacks ?? `State after ${state.images} images`;
  await draw("#state-charts", state.charts);
  const inside = await ask("about", { run: name }), figure = find("#watch-fields");
  if (watched !== name) return;
  figure.hidden = !inside.geometry || inside.lacks.state != null;
  if (!figure.hidden) {
    const middle = Math.floor(inside.geometry.positions / 2);
    figure.querySelector("img").src = `api/fields.png?${new URLSearchParams({ run: name, position: middle, state: state.images })}`;
  }
}

// ---- Compare
function offer() {
  const ticked = new Set([...document.querySelectorAll("#boxes input:checked")].map((box) => box.value));
  find("#boxes").replaceChildren(...runs.map((run) => {
    const box = element("input", { type: "checkbox", value: run.name });
    box.checked = ticked.has(run.name);
    return element("label", {}, box, ` ${run.name}`);
  }));
  const select = find("#run"), before = select.value;
  select.replaceChildren(...runs.map((run) => element("option", { value: run.name }, run.name)));
  if (runs.some((run) => run.name === before)) select.value = before;
}

function table(content) {
  const head = element("tr", {}, ...content.headings.map((each) => element("th", { scope: "col" }, each)));
  const body = content.rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  const made = element("table", {}, element("caption", {}, content.title), element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": content.title }, made);
}

async function compare(event) {
  event.preventDefault();
  const names = [...document.querySelectorAll("#boxes input:checked")].map((box) => box.value);
  if (!names.length) throw new Error("Tick the runs to compare.");
  say("");
  const found = await ask("compare", { run: names });
  const left = found.left_out.map((each) => element("p", { class: "lacks" }, `${each.run}: ${each.reason}`));
  find("#compare-tables").replaceChildren(...found.tables.map(table), ...left);
  await draw("#compare-charts", found.charts);
}

// ---- Look inside
async function open() {
  const name = find("#run").value;
  if (!name) return;
  about = await ask("about", { run: name });
  find("#about").textContent = about.label;
  const network = about.lacks["spiking network"], lacks = { ...about.lacks };
  if (network) lacks["spiking network"] = `No neurons, receptive fields and potentials: ${network}.`;
  const reasons = [...new Set(Object.values(lacks).filter(Boolean))];
  find("#lacks").replaceChildren(...reasons.map((each) => element("p", { class: "lacks" }, each)));
  find("#neuron-part").hidden = !about.geometry || about.lacks.state != null;
  find("#image-part").hidden = about.lacks.state != null || about.lacks.images != null;
  find("#answer").replaceChildren();
  find("#image-charts").replaceChildren();
  if (about.images) find("#number").max = about.images - 1;
  if (find("#neuron-part").hidden) return;
  const { positions, channels } = about.geometry;
  find("#position").max = positions - 1;
  find("#channel").max = channels - 1;
  find("#position").value = Math.floor(positions / 2);
  find("#channel").value = 0;
  await neuron();
}

async function neuron() {
  const run = find("#run").value, position = Number(find("#position").value), channel = Number(find("#channel").value);
  const asked = ++chosen, found = await ask("neuron", { run, neuron: position * about.geometry.channels + channel });
  if (asked !== chosen) return; // another neuron has been chosen since
  say("");
  find("#mosaic img").src = `api/fields.png?${new URLSearchParams({ run, position })}`;
  overlay(found);
  const top = Math.max(...found.field.flat()), part = find("#neuron");
  const big = element("div", { class: "big" }, pixels(found.field, `weights of neuron ${found.neuron}`, top));
  part.replaceChildren(element("h4", {}, `Neuron ${found.neuron}: position ${found.position}, channel ${found.channel}`), big,
    element("p", {}, `theta ${found.theta.toFixed(2)} mV; largest weight ${top.toFixed(2)} mV`),
    element("div", { id: "votes" }));
  if (found.lacks) part.append(element("p", { class: "lacks" }, found.lacks));
  part.append(element("h4", {}, "Strongest competitors"));
  if (found.fixed != null) part.append(element("p", {}, `The competition is fixed: ${found.fixed} mV from every neuron.`));
  else part.append(element("div", { class: "tiles" }, ...found.competitors.map((each) =>
    tile(each.field, `${each.channel}: ${each.weight.toFixed(1)} mV`, top))));
  part.append(element("h4", {}, "Preferred images"), element("div", { class: "tiles" }, ...found.preferred.map((each) =>
    each.image ? tile(each.image, `${each.class}: ${each.spikes} spikes`, 255) : `${each.class} (${each.spikes}) `)));
  await draw("#votes", found.charts);
}

function overlay(found) {
  const columns = Math.ceil(Math.sqrt(about.geometry.channels)), rows = Math.ceil(about.geometry.channels / columns);
  const svg = find("#mosaic svg"), space = "http://www.w3.org/2000/svg";
  const centre = (channel) => [channel % columns + 0.5, Math.floor(channel / columns) + 0.5];
  svg.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const [x, y] = centre(found.channel), most = Math.max(...found.competitors.map((each) => -each.weight), 1e-9);
  const shapes = found.competitors.map((each) => {
    const [right, down] = centre(each.channel), line = document.createElementNS(space, "line");
    const look = { x1: x, y1: y, x2: right, y2: down, stroke: "#ff9d3b", "stroke-width": 0.01 * columns * -each.weight / most, opacity: 0.8 };
    for (const [name, value] of Object.entries(look)) line.setAttribute(name, value);
    return line;
  });
  const mark = document.createElementNS(space, "rect");
  const look = { x: x - 0.5, y: y - 0.5, width: 1, height: 1, fill: "none", stroke: "#4db2ff", "stroke-width": 0.012 * columns };
  for (const [name, value] of Object.entries(look)) mark.setAttribute(name, value);
  svg.replaceChildren(...shapes, mark);
}

function pick(event) {
  const columns = Math.ceil(Math.sqrt(about.geometry.channels)), box = event.target.getBoundingClientRect();
  const rows = Math.ceil(about.geometry.channels / columns);
  const column = Math.floor((event.clientX - box.left) / box.width * columns);
  const channel = Math.floor((event.clientY - box.top) / box.height * rows) * columns + column;
  if (channel < about.geometry.channels) {
    find("#channel").value = channel;
    return neuron();
  }
}

function asked(what, parameters, body) {
  say("The network looks at it; the first time, code is compiled.");
  return ask(what, { run: find("#run").value, ...parameters }, body);
}

async function shown(found) {
  say("");
  const part = find("#answer"), label = found.label == null ? "your drawing, as the network sees it" : `class ${found.label}`;
  part.replaceChildren(element("div", { class: "tiles big" }, tile(found.image, label, 255)));
  if (found.spikes) {
    const side = Math.sqrt(found.spikes.length), grid = [];
    for (let first = 0; first < found.spikes.length; first += side) grid.push(found.spikes.slice(first, first + side));
    part.firstChild.append(tile(grid, `spikes per position, ${Math.max(...found.spikes)} at most`));
  }
  if (found.lacks) part.append(element("p", { class: "lacks" }, found.lacks));
  if (found.answers.length) part.append(table({
    title: "Answers", headings: ["read-out", "answer", "probability", "next"],
    rows: found.answers.map((each) => {
      const order = (each.probabilities ?? []).map((value, place) => [value, found.classes[place]]).sort((a, b) => b[0] - a[0]);
      const next = order.length > 1 ? `${order[1][1]} (${percent(order[1][0])})` : "–";
      return [each.readout, each.answer ?? "none", order.length ? percent(order[0][0]) : "–", next];
    }),
  }));
  await draw("#image-charts", found.charts);
}

// ---- The pad
const pad = find("#pad"), pen = pad.getContext("2d", { willReadFrequently: true });
let last = null, cursor = [98, 98], down = false;

function clear() {
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, pad.width, pad.height);
  [last, cursor, down] = [null, [98, 98], false];
}

function stroke(point) {
  Object.assign(pen, { strokeStyle: "#fff", lineWidth: 18, lineCap: "round" });
  pen.beginPath();
  pen.moveTo(...(last ?? point));
  pen.lineTo(...point);
  pen.stroke();
  last = point;
}

function place(event) {
  const box = pad.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * pad.width, (event.clientY - box.top) / box.height * pad.height];
}

pad.onpointerdown = (event) => { pad.setPointerCapture(event.pointerId); last = null; stroke(place(event)); };
pad.onpointermove = (event) => { if (event.buttons && last) stroke(place(event)); };
pad.onpointerup = () => { last = null; };
pad.onkeydown = (event) => {
  const steps = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] };
  if (event.key === " ") {
    [down, last] = [!down, null];
    if (down) stroke(cursor);
    say(down ? "The pen is down: arrows draw." : "The pen is up.");
  } else if (steps[event.key]) {
    cursor = cursor.map((value, axis) => Math.min(186, Math.max(10, value + steps[event.key][axis])));
    if (down) stroke(cursor);
  } else return;
  event.preventDefault();
};

async function answer() {
  const { data, width, height } = pen.getImageData(0, 0, pad.width, pad.height), rows = [];
  for (let y = 0; y < height; y++) rows.push(Array.from({ length: width }, (_, x) => data[4 * (y * width + x)]));
  await shown(await asked("drawing", {}, rows));
}

// ---- The pages
async function turn() {
  const page = ["watch", "compare", "inside"].find((name) => location.hash === `#${name}`) ?? "watch";
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== page;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${page}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
  if (page === "watch" && runs.length) await watch(watched ?? (runs.find((run) => run.state === "running") ?? runs[0]).name);
  if (page === "inside" && runs.length) await open();
}

async function again() {
  if (!document.hidden && !find("#watch").hidden) {
    await look();
    if (watched && runs.some((run) => run.name === watched)) await watch(watched);
  }
}

clear();
find("#choice").onsubmit = attempt(compare);
find("#run").onchange = attempt(open);
find("#position").onchange = find("#channel").onchange = attempt(neuron);
find("#mosaic img").onclick = attempt(pick);
find("#show").onclick = attempt(async () => shown(await asked("image", { number: find("#number").value })));
find("#ask").onclick = attempt(answer);
find("#clear").onclick = clear;
addEventListener("hashchange", attempt(turn));
dark.addEventListener("change", attempt(turn));
attempt(async () => { await look(); await turn(); document.body.dataset.ready = "yes"; })();
setInterval(attempt(again), INTERVAL);
