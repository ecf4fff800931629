// "Look inside": one neuron and one image of a run. It uses functions of page.js, which is loaded first.
"use strict";

let about = null, opened = null, chosen = 0;

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
  if (opened !== name) {
    find("#position").value = Math.floor(positions / 2);
    find("#channel").value = 0;
  }
  opened = name;
  await neuron();
}

// Open the run again if it has by now what it lacked, such as its first checkpoint, or responses.
async function openAgain() {
  if (!runs.length) {
    await look();
    return open();
  }
  const run = find("#run").value, found = await ask("about", { run });
  if (find("#run").value === run && JSON.stringify(found.lacks) !== JSON.stringify(about?.lacks)) await open();
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
  if (found.fixed === 0) part.append(element("p", {}, "This network has no competition."));
  else if (found.fixed != null) part.append(element("p", {}, `The competition is fixed: ${found.fixed} mV from every neuron.`));
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

clear();
find("#run").onchange = attempt(open);
find("#position").onchange = find("#channel").onchange = attempt(neuron);
find("#mosaic img").onclick = attempt(pick);
find("#show").onclick = attempt(async () => shown(await asked("image", { number: find("#number").value })));
find("#ask").onclick = attempt(answer);
find("#clear").onclick = clear;
