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
  const record = { weights, x: inputs, z: [], m: [], h: [], c: [], ...Object.fromEntries(letters.map((letter) => [letter, []])) };
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

/** What stands before a number of another layer or direction than layer 0, forward. */
const prefix = (layer, direction) => (direction === "backward" ? `${layer}.backward:` : layer ? `${layer}:` : "");

/** What a change sets: its text up to the value. */
function targetOf({ name, step, gate, row, index, layer, direction }) {
  const place = row === null ? index : `${row},${index}`;
  return `${prefix(layer, direction)}${name}${gate ? `_${gate}` : step === null ? "" : `_${step}`}[${place}]`;
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

/** A number as a field holds it, which has no nan and no infinity. */
const fieldValue = (number) => (Number.isFinite(number) ? formatNumber(number) : "");

/** Replace what is in an element; the field with the focus keeps it, known by its `data-key`. */
function replaceContent(host, children) {
  const key = host.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  host.replaceChildren(...children);
  if (key !== undefined) host.querySelector(`[data-key="${key}"]`)?.focus();
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
    const isSet = (unit, t) => state.edits.some(({ name, index, step }) => name === "h" && index === unit && step === t);
    const scale = Math.max(0, ...change.flatMap((line, unit) => line.filter((number, index) => Number.isFinite(number) && !isSet(unit, index + 1)).map(Math.abs)));
    const remark = `The strongest colour is ${formatNumber(scale)}, the largest change that was not made by hand.`;
    if (now !== plain) show("change", "h", "The change of h: after less before", { values: change, ...(scale ? { scale, remark } : {}) });
  };
}

/** The inputs that set h, c and the gates of the chosen unit. */
function makePokes() {
  const host = byId("pokes");
  const inputs = ["h", "c", ...letters].map((name) => {
    const label = element("span");
    const input = element("input", { type: "number", step: "any" });
    input.addEventListener("change", () => setNumber(`${prefix(state.layer, state.direction)}${name}_${state.step}[${state.unit}]`, input.value));
    host.append(element("label", {}, label, input));
    return { name, label, input };
  });
  return () =>
    inputs.forEach(({ name, label, input }) => {
      const number = recordOf(now)[name][state.step][state.unit];
      label.textContent = `${name}_${state.step}[${state.unit}]`;
      input.parentNode.hidden = number === undefined;
      input.value = fieldValue(number);
      if (letters.includes(name)) Object.assign(input, { min: name === "g" ? -1 : 0, max: 1 });
    });
}

// --- the sum of one neuron ----------------------------------------------------------------------------------------------

const MAX_TERMS = 24; // more terms are shown on request

/** What a number that the layer reads is called, so that it can be set: a feature, or a number of h of the layer below. */
function nameInput(index, t) {
  if (state.layer === 0) return `x_${t}[${index}]`;
  const width = layers[state.layer - 1].forward.hidden;
  return `${prefix(state.layer - 1, index < width ? "forward" : "backward")}h_${t}[${index % width}]`;
}

/** The terms of the chosen neuron's sum: what each number and its weight are called, and their product. */
function listTerms(record, { layer, direction, unit, step: t, gate }) {
  const { kernel, recurrent_kernel: recurrent, bias, peephole } = record.weights;
  const order = letters.indexOf(gate);
  const column = order * part().units + unit;
  const before = t - sign();
  const where = prefix(layer, direction);
  const term = (name, value, weightName, weight, remark = "") => ({ name, value, weightName, weight, product: value * weight, remark });
  const terms = record.x[t].map((value, index) =>
    term(nameInput(index, t), value, `${where}W_${gate}[${index},${unit}]`, kernel[index][column], layer ? "" : data.features[index]),
  );
  record.h[before].forEach((value, index) =>
    terms.push(term(`${where}h_${before}[${index}]`, value, `${where}R_${gate}[${index},${unit}]`, recurrent[index][column])),
  );
  const row = gates[order].peephole;
  if (peephole && row !== null) {
    const made = record.f[t][unit] * record.c[before][unit] + record.i[t][unit] * record.g[t][unit];
    const [seen, value] = gate === "o" ? [t, made] : [before, record.c[before][unit]];
    terms.push(term(`${where}c_${seen}[${unit}]`, value, `${where}p_${gate}[${unit}]`, peephole[row][unit], "peephole"));
  }
  if (bias) terms.push(term("1", 1, `${where}b_${gate}[${unit}]`, bias[column], "bias"));
  return terms;
}

/** The largest terms in their order, and the others as one. */
function shorten(terms) {
  if (terms.length <= MAX_TERMS || byId("all-terms").checked) return terms;
  const kept = new Set([...terms].sort((one, other) => Math.abs(other.product) - Math.abs(one.product)).slice(0, MAX_TERMS - 1));
  const others = terms.filter((term) => !kept.has(term));
  const rest = { name: `${others.length} smaller products`, product: others.reduce((sum, { product }) => sum + product, 0) };
  return [...terms.filter((term) => kept.has(term)), rest];
}

/** A field that sets the number of that name. */
function numberField(name, value) {
  const field = element("input", { type: "number", step: "any", value: fieldValue(value), title: String(value) });
  field.setAttribute("aria-label", name);
  field.dataset.key = name;
  field.addEventListener("change", () => setNumber(name, field.value));
  return field;
}

function paintSum() {
  const record = recordOf(now);
  const { unit, step: t, gate, layer, direction } = state;
  const { name, activation } = gates.find(({ letter }) => letter === gate);
  const terms = listTerms(record, state);
  const z = record.z[t][letters.indexOf(gate) * part().units + unit];
  byId("all-terms").parentNode.hidden = terms.length <= MAX_TERMS;
  let total = 0;
  const rows = shorten(terms).map((term) => ({ ...term, from: total, to: (total += term.product) }));
  const [low, high] = [Math.min(0, ...rows.map(({ to }) => to)), Math.max(0, ...rows.map(({ to }) => to))];
  const percent = (value) => (high > low ? (100 * (value - low)) / (high - low) : 0);
  const bar = (from, to) => {
    const filled = element("span", { className: to < from ? "fill below" : "fill above" });
    filled.style.left = `${percent(Math.min(from, to))}%`;
    filled.style.width = `${Math.abs(percent(to) - percent(from))}%`;
    const zero = element("span", { className: "zero" });
    zero.style.left = `${percent(0)}%`;
    return element("td", {}, element("span", { className: "track" }, zero, filled));
  };
  const number = (value) => element("td", { className: "number", textContent: formatNumber(value), title: String(value) });
  const lines = rows.map(({ name: label, value, weightName, weight, product, remark, from, to }) => {
    const settable = label in { 1: 1 } || remark === "peephole" || value === undefined ? undefined : label;
    return element(
      "tr",
      {},
      element("th", { scope: "row", textContent: remark ? `${label} ${remark}` : label }),
      settable ? element("td", {}, numberField(label, value)) : value === undefined ? element("td") : number(value),
      weightName ? element("td", {}, numberField(weightName, weight)) : element("td"),
      number(product),
      bar(from, to),
    );
  });
  const last = element("tr", { className: "total" }, element("th", { scope: "row", textContent: "the sum z" }), element("td"), element("td"), number(z), bar(0, z));
  replaceContent(byId("sum"), [...lines, last]);

  const value = record[gate][t][unit];
  const held = state.edits.some((edit) => edit.name === gate && edit.layer === layer && edit.direction === direction && edit.index === unit && (edit.step === null || edit.step === t));
  byId("sum-text").textContent = `Neuron ${gate} of unit ${unit} at timestep ${t}: the products of ${terms.length} numbers and their weights add up to z = ${formatNumber(z)}.`;
  byId("curve-text").textContent =
    `${gate}_${t}[${unit}] = ${activation}(${formatNumber(z)}) = ${formatNumber(squash[activation](z))}, the ${name}` + (held ? `; set by hand to ${formatNumber(value)}.` : ".");
  paintCurve(activation, z, value);
  const before = t - sign();
  const [f, c, i, g, o] = [record.f[t], record.c[before], record.i[t], record.g[t], record.o[t]].map((numbers) => numbers[unit]);
  const cell = f * c + i * g;
  const say = (target, products, total, actual) => `${target} = ${products} = ${formatNumber(total)}${differs(total, actual) ? `; set by hand to ${formatNumber(actual)}` : ""}`;
  const output = part().weights.projection ? "m" : "h";
  byId("cell-text").textContent = say(`c_${t}[${unit}]`, `f × c_${before} + i × g = ${formatNumber(f)} × ${formatNumber(c)} + ${formatNumber(i)} × ${formatNumber(g)}`, cell, record.c[t][unit]);
  byId("hidden-text").textContent =
    say(`${output}_${t}[${unit}]`, `o × tanh(c_${t}) = ${formatNumber(o)} × ${formatNumber(Math.tanh(cell))}`, o * Math.tanh(cell), record[output][t][unit]) +
    (output === "m" ? `; the projection makes the ${part().hidden} numbers of h from the m of all ${part().units} units.` : "");
}

/** Draw the activation and the point on it. */
function paintCurve(activation, z, value) {
  const reach = Math.max(6, Math.min(40, Math.ceil(Math.abs(z) || 0)));
  const x = (number) => 120 + (105 * Math.max(-reach, Math.min(reach, Number.isNaN(number) ? 0 : number))) / reach;
  const y = (number) => 60 - 45 * (Number.isNaN(number) ? 0 : number);
  const points = range(-60, 60).map((step) => (step * reach) / 60);
  byId("curve-line").setAttribute("d", `M${points.map((at) => `${x(at).toFixed(1)} ${y(squash[activation](at)).toFixed(1)}`).join("L")}`);
  Object.entries({ cx: x(z), cy: y(value) }).forEach(([name, at]) => byId("curve-point").setAttribute(name, at));
  byId("curve-drop").setAttribute("d", `M${x(z)} 60V${y(value)}H120`);
  byId("curve-low").textContent = `−${reach}`;
  byId("curve-high").textContent = reach;
}

// --- who moves whom, and when c was written -----------------------------------------------------------------------------

/** The derivatives of h at a timestep by the h that it reads: [what moves it][what moves]. They are exact, not differences. */
function hiddenJacobian(record, t, before) {
  const { recurrent_kernel: recurrent, projection, peephole } = record.weights;
  const units = record.c[t].length;
  const column = (letter) => letters.indexOf(letter) * units;
  return recurrent.map((weights) => {
    const moved = range(0, units - 1).map((unit) => {
      const [i, f, g, o] = ["i", "f", "g", "o"].map((letter) => record[letter][t][unit]);
      const [byI, byF, byG, byO] = ["i", "f", "g", "o"].map((letter) => weights[column(letter) + unit]);
      const c = record.c[before][unit];
      const output = Math.tanh(f * c + i * g);
      const cell = g * i * (1 - i) * byI + c * f * (1 - f) * byF + i * (1 - g * g) * byG;
      const own = peephole ? peephole[gates[letters.indexOf("o")].peephole][unit] : 0;
      return o * (1 - output * output) * cell + output * o * (1 - o) * (byO + own * cell);
    });
    if (!projection) return moved;
    const hidden = Array(projection[0].length).fill(0);
    addProduct(hidden, moved, projection);
    return hidden;
  });
}

/** What each timestep left in the last c of each unit: [units][initial state, then timesteps as they are read]. */
function cellParts(record, steps, sign) {
  return record.c[steps.at(-1)].map((_, unit) => {
    let kept = 1;
    const parts = [...steps].reverse().map((t) => {
      const added = record.c[t][unit] - record.f[t][unit] * record.c[t - sign][unit];
      const left = added * kept;
      kept *= record.f[t][unit];
      return left;
    });
    return [...parts, record.c[steps[0] - sign][unit] * kept].reverse();
  });
}

function makeInfluence() {
  const map = makeMap(byId("influence"), (row, column) => {
    chosen = [row, column];
    show();
  });
  let chosen = [0, 0];
  let shown;
  const show = () => {
    const { values, t, before } = shown;
    chosen = chosen.map((index) => Math.min(index, values.length - 1));
    const names = values.map((_, index) => String(index));
    map({
      name: `How h_${before} moves h_${t}`,
      corner: "from \\ to",
      rows: names,
      columns: names,
      values,
      selected: chosen,
      remark: `If h_${before}[${chosen[0]}] grows a little, h_${t}[${chosen[1]}] changes by ${formatNumber(values[chosen[0]][chosen[1]])} times as much.`,
    });
  };
  return () => {
    const t = state.step;
    const before = t - sign();
    shown = { values: hiddenJacobian(recordOf(now), t, before), t, before };
    show();
  };
}

function makeMemory() {
  const show = makeMap(byId("memory"), (unit, column) => update({ unit, ...(column ? { step: order()[column - 1] } : {}) }));
  const order = () => (state.direction === "backward" ? range(1, now.length).reverse() : range(1, now.length));
  return () => {
    const steps = order();
    const values = cellParts(recordOf(now), steps, sign());
    const last = steps.at(-1);
    const initial = `c_${steps[0] - sign()}`;
    const parts = values[state.unit];
    const sizes = parts.map(Math.abs);
    const whole = sizes.reduce((sum, size) => sum + size, 0);
    let half = 0;
    let since = steps.length;
    while (since > 0 && (half += sizes[since]) < whole / 2) since--;
    const written = since === 0 ? `half of it is still ${initial}` : `half of it was written from timestep ${steps[since - 1]} on`;
    show({
      name: `What each timestep left in c_${last}`,
      corner: "unit",
      rows: values.map((_, unit) => String(unit)),
      columns: [initial, ...steps.map(String)],
      values,
      selected: [state.unit, steps.indexOf(state.step) + 1],
      remark: `The parts of a row add up to c_${last}. c_${last}[${state.unit}] = ${formatNumber(recordOf(now).c[last][state.unit])}${whole > 0 ? `: ${written}, by the sizes of the parts` : ""}.`,
    });
  };
}

// --- to copy ------------------------------------------------------------------------------------------------------------

/** What can be copied: its name, and a function that returns its text. */
const copies = {
  link: ["The address of this view", () => location.href],
  unit: ["Command: this unit and its arithmetic", () => command("unit", { unit: state.unit, step: state.step })],
  trace: ["Command: h, c and the gates over time", () => command("trace", { gates: true })],
  explore: ["Command: this view in a terminal", () => command("explore", { unit: state.unit, step: state.step })],
  report: ["Command: this page", () => `${command("report", { unit: state.unit, step: state.step })} -o lstm.html`],
  ...Object.fromEntries(Object.entries(data.code).map(([name, { title, text }]) => [name, [title, () => text]])),
  json: ["JSON: the run of this layer and direction", () => JSON.stringify({ ...lstmExplain.state, spec: data.spec, run: recordOf(now) })],
};

/** A command line for this view; only the changes need quotes, which are the same in all shells. */
function command(name, options) {
  const selection = { ...options, sample: state.sample || null, layer: state.layer || null, direction: state.direction === "backward" ? "backward" : null };
  const words = Object.entries(selection).flatMap(([option, value]) => (value === null ? [] : value === true ? [`--${option}`] : [`--${option}`, value]));
  return [data.commands[name], ...words, ...state.edits.map((edit) => `--edit "${textOf(edit)}"`)].join(" ");
}

function makeCopies() {
  const choice = byId("copy-what");
  Object.entries(copies).forEach(([value, [textContent]]) => choice.append(element("option", { value, textContent })));
  const show = () => (byId("copy-text").textContent = copies[choice.value][1]());
  choice.addEventListener("change", show);
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("copy-text").textContent);
      byId("copied").textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(byId("copy-text"));
      byId("copied").textContent = "The text is selected: press Ctrl+C.";
    }
  });
  return () => {
    show();
    byId("copied").textContent = "";
  };
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
  byId("all-terms").addEventListener("change", paintSum);
  byId("theme").addEventListener("change", ({ target }) => {
    document.documentElement.dataset.theme = target.value;
    paint(byId("sentence").textContent);
  });
  byId("print").addEventListener("click", () => print());
  painters = [makePokes(), paintSum, makeMaps(), makeMemory(), makeInfluence(), makeCopies()];
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(byId("sentence").textContent));
  addEventListener("hashchange", () => update({}, readAddress()));
  update({}, readAddress());
  const apart = largestDifference();
  byId("check").textContent =
    `The page computes in float64. Its h and c of all samples in it differ from a run by Python by ${formatNumber(apart)} at most` +
    (data.spec.dtype === "float64" ? "." : `; rounding to ${data.spec.dtype} moves h by ${formatNumber(data.rounding)} at most.`);
}

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

start();
