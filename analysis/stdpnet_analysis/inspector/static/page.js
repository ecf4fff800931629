// The page of `stdpnet inspect`: asks the server for plain data and charts, and shows them; "Look inside" is inside.js.
"use strict";

const find = (selector) => document.querySelector(selector);
const dark = matchMedia("(prefers-color-scheme: dark)");
const INTERVAL = 4000; // ms between two looks at the runs
// After an update the charts are left alone for REST times its duration (about 2 % of a core), at most LONGEST_REST ms.
const REST = 50, LONGEST_REST = 60000;
let runs = [], watched = null, drawn = null, seen = {}, kept = {};

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
  const figures = [];
  for (const [number, chart] of charts.entries()) {
    const views = await Bokeh.embed.embed_item(chart, places[number]);
    figures.push(views.roots[0].model);
  }
  return figures;
}

// Give a chart new numbers; its zoom is kept.
function put(figure, columns) {
  for (const part of figure.renderers) {
    const numbers = Object.entries(columns[part.name]).map(([name, values]) => [name, values.map((each) => each ?? NaN)]);
    part.data_source.data = Object.fromEntries(numbers);
  }
}

const shape = (columns) => JSON.stringify(columns.map((each) => Object.keys(each)));

// Give the charts of a run new numbers, or draw them if they are not there yet; null if another run is watched by now.
async function renew(place, what, run) {
  const old = kept[place], shade = dark.matches, fits = old && old.run === run && old.shade === shade;
  let found = await ask(what, { run, charts: fits ? 0 : 1 });
  if (fits && shape(found.columns) !== old.shape) found = await ask(what, { run, charts: 1 });
  if (watched !== run) return null;
  if (fits && shape(found.columns) === old.shape) old.figures.forEach((figure, number) => put(figure, found.columns[number]));
  else {
    const figures = await draw(place, found.charts);
    if (watched !== run) return null;
    kept[place] = { run, shade, shape: shape(found.columns), figures };
  }
  return found;
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

const still = (key, value) => key === "age_seconds" ? undefined : value; // the table does not show the age, which always grows

async function look() {
  const found = await ask("runs"), changed = JSON.stringify(found.map((each) => each.name)) !==
    JSON.stringify(runs.map((each) => each.name));
  if (runs.length && JSON.stringify(found, still) === JSON.stringify(runs, still)) return;
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
  // Charts are drawn again only if there is something new, so that a zoom is kept.
  const key = `${name} ${run.images} ${run.curve.images.length} ${run.state} ${dark.matches}`;
  if (seen.waits === name && !(await ask("about", { run: name })).lacks.state) seen = {}; // the first checkpoint is there
  const begin = performance.now();
  if (seen.watch === key || (seen.name === name && seen.dark === dark.matches && begin < seen.rest)) return;
  if (drawn !== name) { // charts of another run must not stand below the name of this one
    for (const place of ["#watch-charts", "#state-charts"]) find(place).replaceChildren();
    find("#state-title").textContent = "Loading ...";
    find("#watch-fields").hidden = true;
    [drawn, kept] = [name, {}];
  }
  Object.assign(seen, { watch: key, name, dark: dark.matches, rest: Infinity });
  try {
    await drawWatched(name);
  } finally {
    const now = performance.now();
    if (watched === name) seen.rest = now + Math.min(REST * (now - begin), LONGEST_REST);
  }
}

async function drawWatched(name) {
  if (!await renew("#watch-charts", "progress", name)) return;
  const state = await renew("#state-charts", "histograms", name);
  if (!state) return;
  const comes = runs.some((run) => run.name === name && run.state === "running") ? ". This page will show it." : "";
  find("#state-title").textContent = state.lacks ? state.lacks + comes : `State after ${state.images} images`;
  seen.waits = state.lacks && comes ? name : null;
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
  if (document.hidden) return;
  if (!find("#watch").hidden) {
    await look();
    if (watched && runs.some((run) => run.name === watched)) await watch(watched);
  }
  if (!find("#inside").hidden) await openAgain();
}

find("#choice").onsubmit = attempt(compare);
addEventListener("hashchange", attempt(turn));
dark.addEventListener("change", attempt(turn));
addEventListener("DOMContentLoaded", attempt(async () => { // after inside.js has been loaded, too
  await look();
  await turn();
  document.body.dataset.ready = "yes";
}));
setInterval(attempt(again), INTERVAL);
