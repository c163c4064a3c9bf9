// The page: an LSTM in float64, what can be changed in it, and its views. Timesteps count from 1, everything else from 0.
// An array whose index is a timestep has the initial state at 0, or for a backward direction at one after the last.

const data = JSON.parse(document.getElementById("data").textContent);
const gates = data.gates; // in the order in which the weights are packed
const letters = gates.map((gate) => gate.letter);

// --- arrays ---------------------------------------------------------------------------------------------------------

const range = (first, last) => Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

/** Nested arrays of an array that Python packed. */
function unpack({ dtype, shape, data: text }) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const flat = Array.from(dtype === "float32" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer));
  const split = (rows, size) => range(0, rows.length / size - 1).map((row) => rows.slice(row * size, (row + 1) * size));
  return shape.slice(1).reduceRight(split, flat);
}

const unpackAll = (arrays) => Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, unpack(array)]));

const samples = unpack(data.inputs); // [samples, timesteps, features]
const layers = data.layers.map((directions) =>
  Object.fromEntries(
    Object.entries(directions).map(([direction, { weights, initial }]) => {
      const tensors = unpackAll(weights);
      const units = tensors.kernel[0].length / gates.length;
      const hidden = tensors.recurrent_kernel.length;
      const start = { h: Array(hidden).fill(0), c: Array(units).fill(0), ...unpackAll(initial) };
      return [direction, { weights: tensors, start, units, hidden, features: tensors.kernel.length }];
    }),
  ),
);

// --- the LSTM -------------------------------------------------------------------------------------------------------

const squash = {
  sigmoid: (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z))),
  tanh: Math.tanh,
};

/** Add vector x matrix to sums. */
function addProduct(sums, vector, matrix) {
  vector.forEach((number, row) => {
    const weights = matrix[row];
    for (let column = 0; column < sums.length; column++) sums[column] += number * weights[column];
  });
}

/** Run one layer in one direction; `steps` are the timesteps in the order in which it reads them, `sign` is 1 or -1. */
function runLayer({ weights, start, units }, inputs, steps, sign, edits) {
  const { kernel, recurrent_kernel: recurrent, bias, projection, peephole } = weights;
  const record = { x: inputs, z: [], m: [], h: [], c: [], ...Object.fromEntries(letters.map((letter) => [letter, []])) };
  const set = (name, t, values) => {
    for (const edit of edits) {
      if (edit.name === name && (edit.step === t || edit.step === null)) values[edit.index] = edit.value;
    }
    record[name][t] = values;
  };
  let before = steps[0] - sign;
  set("h", before, [...start.h]);
  set("c", before, [...start.c]);
  for (const t of steps) {
    const z = bias ? [...bias] : Array(gates.length * units).fill(0);
    addProduct(z, inputs[t], kernel);
    addProduct(z, record.h[before], recurrent);
    const open = ({ letter, activation, peephole: row }, index, seen) => {
      const sums = z.slice(index * units, (index + 1) * units);
      if (peephole && row !== null) sums.forEach((_, unit) => (sums[unit] += peephole[row][unit] * seen[unit]));
      z.splice(index * units, units, ...sums);
      set(letter, t, sums.map(squash[activation]));
    };
    const last = record.c[before];
    gates.forEach((gate, index) => gate.letter !== "o" && open(gate, index, last));
    const c = last.map((number, unit) => record.f[t][unit] * number + record.i[t][unit] * record.g[t][unit]);
    open(gates[letters.indexOf("o")], letters.indexOf("o"), c);
    const m = c.map((number, unit) => record.o[t][unit] * Math.tanh(number));
    const h = projection ? Array(projection[0].length).fill(0) : [...m];
    if (projection) addProduct(h, m, projection);
    record.z[t] = z;
    record.m[t] = m;
    set("h", t, h);
    set("c", t, c);
    before = t;
  }
  return record;
}

/** Run a sample of this page, by its place in it, with some numbers set. */
function run(edits = [], place = 0) {
  const changes = edits.map((edit) => (typeof edit === "string" ? parseEdit(edit) : edit));
  const steps = range(1, data.lengths[place]);
  let below = [undefined, ...steps.map((t) => [...samples[place][t - 1]])];
  changes.filter(({ name, step }) => name === "x" && step in below).forEach(({ step, index, value }) => (below[step][index] = value));
  const input = below;
  const made = layers.map((directions, layer) => {
    const records = Object.fromEntries(
      Object.entries(directions).map(([direction, part]) => {
        const chosen = changes.filter((edit) => edit.layer === layer && edit.direction === direction);
        const [read, sign] = direction === "backward" ? [[...steps].reverse(), -1] : [steps, 1];
        return [direction, runLayer({ ...part, weights: editWeights(part, chosen) }, below, read, sign, chosen)];
      }),
    );
    below = [undefined, ...steps.map((t) => Object.values(records).flatMap((record) => record.h[t]))];
    return records;
  });
  return { sample: data.samples[place], length: steps.length, input, layers: made };
}

// --- changes: one number set by hand, written as in the option --edit ---------------------------------------------------

const tensorOf = { W: "kernel", R: "recurrent_kernel", b: "bias", p: "peephole" };
const form = new RegExp(
  `^(?:(\\d{1,4})(?:\\.(forward|backward))?:)?(?:([xhc${letters.join("")}])(?:_(\\d{1,16}))?|([WRbp])_([${letters.join("")}]))` +
    `\\[(?:(\\d{1,16}),)?(\\d{1,16})\\]=(.+)$`,
);

/** Read a change such as h_3[4]=0.5; throws an Error that says what is wrong. */
function parseEdit(text) {
  const match = form.exec(text.replace(/\s/g, ""));
  if (!match) throw Error(`${text} is not a change. Write it as one of x_3[2]=0.5, h_3[4]=0.5, f_3[4]=0, f[4]=1 or W_f[2,4]=0.1`);
  const [, layer, direction, number, step, weight, gate, row, index, value] = match;
  const whole = (digits) => (digits === undefined ? null : Number(digits));
  const edit = {
    name: number ?? weight,
    step: whole(step),
    gate: gate ?? null,
    row: whole(row),
    index: Number(index),
    layer: Number(layer ?? 0),
    direction: direction ?? "forward",
    value: Number(value),
  };
  const problem = findProblem(edit);
  if (problem) throw Error(`${text}: ${problem}`);
  return edit;
}

/** What is wrong with a change, or nothing. */
function findProblem({ name, step, gate, row, index, layer, direction, value }) {
  const part = layers[layer]?.[direction];
  if (!part) return "there is no such layer and direction";
  if (!Number.isFinite(value)) return "the value must be a finite number";
  if ((row !== null) !== (name === "W" || name === "R")) return "W and R have two places, as in W_f[2,4]; all others have one";
  if ("xhc".includes(name) && step === null) return `${name} has a value at each timestep; say which, as in ${name}_3[${index}]`;
  if (name === "x" && (layer > 0 || direction === "backward")) return "x is what the whole network reads; change h of the layer below";
  if (name in tensorOf && !part.weights[tensorOf[name]]) return "this layer has no such weights";
  if (name === "p" && gates.find(({ letter }) => letter === gate).peephole === null) return "the candidate has no peephole";
  const count = { x: samples[0][0].length, h: part.hidden }[name] ?? part.units;
  if (index >= count) return `places of ${name} count from 0 to ${count - 1}`;
  const rows = { W: part.features, R: part.hidden }[name];
  if (row !== null && row >= rows) return `rows of ${name} count from 0 to ${rows - 1}`;
  const steps = samples[0].length;
  const state = name === "h" || name === "c";
  const [first, last] = !state ? [1, steps] : direction === "forward" ? [0, steps] : [1, steps + 1];
  if (step !== null && (step < first || step > last)) return `timesteps of ${name} count from ${first} to ${last}`;
  if (letters.includes(name) && (value > 1 || value < (name === "g" ? -1 : 0))) return `${name} lies between ${name === "g" ? -1 : 0} and 1`;
  return "";
}

/** What a change sets: its text up to the value. */
function targetOf({ name, step, gate, row, index, layer, direction }) {
  const where = direction === "backward" ? `${layer}.backward:` : layer ? `${layer}:` : "";
  const place = row === null ? index : `${row},${index}`;
  return `${where}${name}${gate ? `_${gate}` : step === null ? "" : `_${step}`}[${place}]`;
}

const textOf = (edit) => `${targetOf(edit)}=${edit.value}`;

function editWeights({ weights, units }, edits) {
  const chosen = edits.filter((edit) => edit.name in tensorOf);
  if (!chosen.length) return weights;
  const changed = structuredClone(weights);
  for (const { name, gate, row, index, value } of chosen) {
    const tensor = changed[tensorOf[name]];
    const order = letters.indexOf(gate);
    if (name === "p") tensor[gates[order].peephole][index] = value;
    else (row === null ? tensor : tensor[row])[order * units + index] = value;
  }
  return changed;
}

// --- the state, which is also in the address ----------------------------------------------------------------------------

const state = { ...data.view, edits: [] };
let plain; // the run without changes
let now; // the run with them

const place = () => data.samples.indexOf(state.sample);
const part = () => layers[state.layer][state.direction];
const sign = () => (state.direction === "backward" ? -1 : 1);
const recordOf = (result) => result.layers[state.layer][state.direction];

/** Read the address; what is missing in it stays as the page begins. */
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  Object.assign(state, data.view);
  for (const name of ["sample", "layer", "unit", "step"]) if (asked.has(name)) state[name] = Number(asked.get(name));
  for (const name of ["direction", "gate"]) if (asked.has(name)) state[name] = asked.get(name);
  return setEdits(asked.has("edit") ? asked.getAll("edit") : asked.size ? [] : data.edits);
}

function writeAddress() {
  const { sample, layer, direction, unit, step, gate } = state;
  const words = new URLSearchParams({ sample, layer, direction, unit, step, gate });
  state.edits.forEach((edit) => words.append("edit", textOf(edit)));
  history.replaceState(null, "", `#${words}`);
}

/** Take changes as text, the later one counting where two set the same; returns what is wrong with the others. */
function setEdits(texts) {
  const problems = [];
  const chosen = new Map();
  for (const text of texts) {
    try {
      const edit = typeof text === "string" ? parseEdit(text) : text;
      chosen.delete(targetOf(edit));
      chosen.set(targetOf(edit), edit);
    } catch (error) {
      problems.push(error.message);
    }
  }
  state.edits = [...chosen.values()];
  return problems.join(" ");
}

/** Make the selection one that exists. */
function clampState() {
  const clamp = (value, first, last) => (Number.isFinite(value) ? Math.min(last, Math.max(first, Math.round(value))) : first);
  if (!data.samples.includes(state.sample)) state.sample = data.samples[0];
  state.layer = clamp(state.layer, 0, layers.length - 1);
  if (!layers[state.layer][state.direction]) state.direction = "forward";
  if (!letters.includes(state.gate)) state.gate = letters[0];
  state.unit = clamp(state.unit, 0, part().units - 1);
  state.step = clamp(state.step, 1, data.lengths[place()]);
}

/** Change the selection or the changes, run, and show everything. */
function update(changes = {}, message = "") {
  Object.assign(state, changes);
  clampState();
  plain = run([], place());
  now = state.edits.length ? run(state.edits, place()) : plain;
  writeAddress();
  paint(message);
}

/** Set one number, in place of an earlier change of the same. */
function setNumber(target, value) {
  const problem = setEdits([...state.edits, `${target}=${value}`]);
  update({}, problem);
}

// --- what moved ---------------------------------------------------------------------------------------------------------

const differs = (one, other) => !Object.is(one, other) && one !== other;

/** Which units moved at a timestep in a layer and direction: any of their gates, c, or output. */
function movedUnits(layer, direction, t) {
  const [before, after] = [plain, now].map((result) => result.layers[layer][direction]);
  const names = layers[layer][direction].weights.projection ? [...letters, "c", "m"] : [...letters, "c", "m", "h"];
  return range(0, layers[layer][direction].units - 1).filter((unit) =>
    names.some((name) => before[name][t] && differs(before[name][t][unit], after[name][t][unit])),
  );
}

/** One sentence on what the changes moved, and when. */
function describeRipple() {
  if (!state.edits.length) return "Nothing is changed. Set a number, and this line says which units it moves, and when.";
  const edit = state.edits.at(-1);
  const texts = state.edits.map((other) => `${targetOf(other)} = ${formatNumber(other.value)}`).join(", ");
  const layer = edit.layer;
  const direction = edit.direction;
  const { units, weights } = layers[layer][direction];
  const own = new Set(
    state.edits
      .filter((other) => other.layer === layer && other.direction === direction && other.name !== "x" && !(other.name === "h" && weights.projection))
      .map((other) => other.index),
  );
  const others = units - own.size;
  const noun = own.size ? "other units" : "units";
  const order = range(1, now.length);
  if (direction === "backward") order.reverse();
  const steps = edit.step !== null && "hc".includes(edit.name) ? order.filter((t) => (direction === "forward" ? t >= edit.step : t <= edit.step)) : order;
  const counts = steps.map((t) => movedUnits(layer, direction, t).filter((unit) => !own.has(unit)).length);
  const moved = steps.map((t) => movedUnits(layer, direction, t).length);
  const first = moved.findIndex((count) => count > 0);
  if (first < 0) return `${texts}: no unit moved.`;
  const parts = [`at timestep ${steps[first]}`, "one timestep later", "two timesteps later"]
    .slice(0, steps.length - first)
    .map((when, later) => `${counts[first + later]} of ${others} ${later ? "" : `${noun} moved `}${when}`);
  const sentence = parts.length > 1 ? `${parts[0]}, ${parts.slice(1).join(", ")}` : parts[0];
  const above = layers.length > 1 || Object.keys(layers[layer]).length > 1 ? ` Those are units of layer ${layer}, ${direction}.` : "";
  return `${texts}: ${sentence}.${above}`;
}

// --- pictures -----------------------------------------------------------------------------------------------------------

const byId = (id) => document.getElementById(id);

/** An element with properties, attributes in `attributes`, and children. */
function element(tag, { attributes = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
}

/** A number in few digits. */
function formatNumber(number) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
  const size = Math.abs(number);
  if (size === 0 || (size >= 0.001 && size < 10000)) return String(Number(number.toPrecision(4)));
  return number.toExponential(2).replace("e+", "e");
}

function formatCell(number) {
  const size = Math.abs(number);
  if (!Number.isFinite(number)) return formatNumber(number);
  return size === 0 ? "0" : size < 0.005 ? (number > 0 ? "+0.00" : "−0.00") : number.toFixed(2).replace("-", "−");
}

const channels = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
const luminance = (rgb) =>
  rgb.map((channel) => channel / 255).reduce((sum, share, index) => {
    const linear = share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    return sum + linear * [0.2126, 0.7152, 0.0722][index];
  }, 0);

let palette;
function readPalette() {
  const style = getComputedStyle(document.documentElement);
  palette = Object.fromEntries(["paper", "below", "above", "gate"].map((name) => [name, channels(style.getPropertyValue(`--${name}`).trim())]));
}

/** Colour an element by a share of the scale, from -1 to 1. */
function tint(target, share, end = share < 0 ? "below" : "above") {
  const size = Number.isFinite(share) ? Math.min(1, Math.abs(share)) : 0;
  const rgb = palette.paper.map((channel, index) => Math.round(channel + (palette[end][index] - channel) * size));
  target.style.backgroundColor = `rgb(${rgb})`;
  target.style.color = luminance(rgb) > 0.179 ? "#000" : "#fff";
}

/** A heat map that is a table: one tab stop, arrow keys move and select. */
function makeMap(host, select) {
  const title = host.appendChild(element("h3"));
  const scroll = host.appendChild(element("div", { className: "scroll" }));
  const note = host.appendChild(element("p"));
  let cells = [];
  let shape = "";
  const find = (target) => {
    const cell = target.closest("td");
    return cell && [Number(cell.dataset.row), Number(cell.dataset.column)];
  };
  scroll.addEventListener("click", ({ target }) => find(target) && select(...find(target)));
  scroll.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const from = find(event.target);
    if (!from || (!step && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    const column = { Home: 0, End: cells[0].length - 1 }[event.key] ?? from[1] + step[1];
    const row = from[0] + (step?.[0] ?? 0);
    if (!cells[row]?.[column]) return;
    select(row, column);
    cells[row][column].focus();
  });
  const build = (rows, columns, corner) => {
    cells = rows.map((_, row) =>
      columns.map((__, column) => element("td", { tabIndex: -1, attributes: { role: "gridcell", "data-row": row, "data-column": column } })),
    );
    const head = element("tr", {}, element("th", { textContent: corner }), ...columns.map((name) => element("th", { scope: "col", textContent: name })));
    const body = rows.map((name, row) => element("tr", {}, element("th", { scope: "row", textContent: name }), ...cells[row]));
    const table = element("table", { attributes: { role: "grid" } }, element("thead", {}, head), element("tbody", {}, ...body));
    scroll.replaceChildren(table);
    host.className = columns.length > 12 ? "map dense" : "map";
  };
  return ({ name, rows, columns, corner, values, marked, selected, remark, end, scale }) => {
    if (shape !== [corner, ...rows, "", ...columns].join()) build(rows, columns, corner);
    shape = [corner, ...rows, "", ...columns].join();
    title.textContent = name;
    scroll.firstChild.setAttribute("aria-label", name);
    const largest = scale ?? Math.max(...values.flat().filter(Number.isFinite).map(Math.abs), 0);
    cells.forEach((line, row) =>
      line.forEach((cell, column) => {
        const value = values[row][column];
        const here = row === selected[0] && column === selected[1];
        cell.textContent = formatCell(value);
        cell.title = String(value);
        cell.tabIndex = here ? 0 : -1;
        cell.setAttribute("aria-selected", here);
        cell.classList.toggle("moved", Boolean(marked?.(row, column)));
        tint(cell, largest ? value / largest : 0, end);
      }),
    );
    if (!cells[selected[0]]?.[selected[1]]) cells[0][0].tabIndex = 0;
    note.textContent = remark ?? (largest ? `The strongest colour is ${formatNumber(largest)}.` : "");
  };
}

/** The maps of h, c, the chosen neuron, and of what a change did to h. */
function makeMaps() {
  const host = byId("maps");
  const maps = Object.fromEntries(
    ["h", "c", "gate", "change"].map((name) => {
      const section = host.appendChild(element("div", { className: "map", id: `map-${name}` }));
      return [name, { section, show: makeMap(section, (unit, column) => update({ unit, step: column + 1 })) }];
    }),
  );
  return () => {
    const steps = range(1, now.length);
    const [before, after] = [recordOf(plain), recordOf(now)];
    const gate = gates.find(({ letter }) => letter === state.gate);
    const across = (array, count) => range(0, count - 1).map((unit) => steps.map((t) => array[t][unit]));
    const common = { columns: steps.map(String), selected: [state.unit, state.step - 1] };
    const show = (map, letter, name, more = {}) => {
      const count = letter === "h" ? part().hidden : part().units;
      maps[map].show({
        ...common,
        name,
        corner: letter === "h" && part().hidden < part().units ? "h" : "unit",
        rows: range(0, count - 1).map(String),
        values: across(after[letter], count),
        marked: (unit, column) => differs(before[letter][column + 1][unit], after[letter][column + 1][unit]),
        ...more,
      });
    };
    show("h", "h", "h, what each unit outputs");
    show("c", "c", "c, what each unit keeps");
    show("gate", gate.letter, `${gate.letter}, the ${gate.name}`, gate.letter === "g" ? { scale: 1 } : { end: "gate", scale: 1 });
    maps.change.section.hidden = now === plain;
    const change = range(0, part().hidden - 1).map((unit) => steps.map((t) => after.h[t][unit] - before.h[t][unit]));
    if (now !== plain) show("change", "h", "The change of h: after less before", { values: change });
  };
}

/** The inputs that set h, c and the gates of the chosen unit. */
function makePokes() {
  const host = byId("pokes");
  const inputs = ["h", "c", ...letters].map((name) => {
    const label = element("span");
    const input = element("input", { type: "number", step: "any" });
    const where = () => (state.direction === "backward" ? `${state.layer}.backward:` : state.layer ? `${state.layer}:` : "");
    input.addEventListener("change", () => setNumber(`${where()}${name}_${state.step}[${state.unit}]`, input.value));
    host.append(element("label", {}, label, input));
    return { name, label, input };
  });
  return () =>
    inputs.forEach(({ name, label, input }) => {
      const number = recordOf(now)[name][state.step][state.unit];
      label.textContent = `${name}_${state.step}[${state.unit}]`;
      input.parentNode.hidden = number === undefined;
      input.value = formatNumber(number);
      if (letters.includes(name)) Object.assign(input, { min: name === "g" ? -1 : 0, max: 1 });
    });
}

/** The list of changes, each with a button that undoes it. */
function paintEdits() {
  const undo = (edit) => element("button", { type: "button", textContent: `Undo ${textOf(edit)}`, onclick: () => update({ edits: state.edits.filter((other) => other !== edit) }) });
  byId("edits").replaceChildren(...state.edits.map((edit) => element("li", {}, undo(edit))));
  byId("undo").disabled = !state.edits.length;
}

function paintChoice() {
  const fields = byId("choice").elements;
  for (const name of ["sample", "layer", "direction", "unit", "step", "gate"]) fields[name].value = state[name];
  fields.unit.max = part().units - 1;
  fields.step.max = data.lengths[place()];
}

/** How far the page's run is from Python's, over all that is in the page. */
function largestDifference() {
  let largest = 0;
  data.run.forEach((directions, layer) =>
    Object.entries(directions).forEach(([direction, tensors]) =>
      Object.entries(tensors).forEach(([name, tensor]) => {
        const expected = unpack(tensor);
        data.samples.forEach((_, index) => {
          const record = run([], index).layers[layer][direction][name];
          range(1, data.lengths[index]).forEach((t) =>
            record[t].forEach((number, unit) => {
              const apart = Math.abs(number - expected[index][t - 1][unit]);
              if (apart > largest) largest = apart;
            }),
          );
        });
      }),
    ),
  );
  return largest;
}

// --- the page -----------------------------------------------------------------------------------------------------------

let painters;

function paint(message) {
  readPalette();
  paintChoice();
  paintEdits();
  painters.forEach((painter) => painter());
  byId("sentence").textContent = message || describeRipple();
}

function start() {
  const fields = byId("choice").elements;
  gates.forEach(({ letter, name }) => fields.gate.append(element("option", { value: letter, textContent: `${letter}, ${name}` })));
  byId("choice").addEventListener("submit", (event) => event.preventDefault());
  byId("choice").addEventListener("change", ({ target }) =>
    update({ [target.name]: ["direction", "gate"].includes(target.name) ? target.value : Number(target.value) }),
  );
  byId("equation").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = event.target.elements.edit;
    const problem = setEdits([...state.edits, field.value]);
    if (!problem) field.value = "";
    update({}, problem);
  });
  byId("undo").addEventListener("click", () => update({ edits: [] }));
  painters = [makePokes(), makeMaps()];
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(byId("sentence").textContent));
  addEventListener("hashchange", () => update({}, readAddress()));
  update({}, readAddress());
  const apart = largestDifference();
  byId("check").textContent =
    `The page computes in float64. Its h and c of all samples in it differ from a run by Python by ${formatNumber(apart)} at most` +
    (data.spec.dtype === "float64" ? "." : `; rounding to ${data.spec.dtype} moves h by ${formatNumber(data.rounding)} at most.`);
}

start();

Object.defineProperty(window, "lstmExplain", {
  value: {
    get record() {
      return now;
    },
    get state() {
      return { ...state, edits: state.edits.map(textOf) };
    },
    /** Run with changes, such as ["h_3[4]=0.5"]; of the chosen sample unless another of this page is given. */
    run: (edits = [], sample = state.sample) => run(edits, data.samples.indexOf(sample)),
    set: (changes) => {
      const problem = changes.edits ? setEdits(changes.edits) : "";
      const { edits, ...selection } = changes;
      update(selection, problem);
    },
  },
});
