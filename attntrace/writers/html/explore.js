// The page answers: point at a number, and a panel says how it was computed from the numbers of the page.
// The ops are those of attntrace/ops, the spelling that of tensor/printer.py and writers/arithmetic.py; a test compares
// every number with what the program prints (tests/test_explore.py).
(() => {
"use strict";
const wiring = JSON.parse(document.getElementById("wiring").textContent), words = wiring.texts;
const main = document.querySelector("main"), html = document.documentElement;

// ---------------------------------------------------------------- the steps and their operands
// A leaf has an address; a constant of some numbers has texts, one of one number a number; the rest has an op.
const entries = [], known = new Map();

function operand(x) {
  if (typeof x === "number") return entries[x];
  if (typeof x === "string") return {number: x, axes: []};
  const [op, axes, settings, ...operands] = x;
  if (op === "=") {
    const [symbol, texts] = wiring.constants[settings];
    return {symbol, texts: texts.split(" "), axes};
  }
  const node = {op, axes, settings, operands: operands.map(operand)};
  if (op === "columns") node.operands[0].block = settings[1] - settings[0] + 1;
  return node;
}

let place = "";
for (const entry of wiring.entries) {
  if (typeof entry === "string") place = entry;
  else {
    const [name, node, [decimals, power] = wiring.usual, digits = ""] = entry;
    const address = place ? `${place}.${name}` : name;
    const leaf = {...operand(node), address, decimals, power, digits, unit: Number(`1e${power - decimals}`)};
    known.set(address, leaf);
    entries.push(leaf);
  }
}

const size = axis => wiring.axes[axis][1];
const last = x => size(x.axes[x.axes.length - 1]);
const range = n => Array.from({length: n}, (_, k) => k);
const isPosition = axis => /^(token|key)$/.test(wiring.axes[axis][0]);

// ---------------------------------------------------------------- the arithmetic of a number
const make = (kind, ...parts) => ({kind, parts});
const constant = number => ({kind: "number", parts: [], text: String(number)});
const sum = parts => parts.length > 1 ? make("sum", ...parts) : parts[0];
const cell = (x, i) => x.number !== undefined ? constant(x.number)
  : x.address || x.texts ? {kind: "ref", parts: [], of: x, at: i} : arithmetic(x, i);
const arithmetic = (x, i) => (OPS[x.op] || elementwise)(i, x, ...x.operands);
const without = (i, k) => [...i.slice(0, k), ...i.slice(k + 1)];
const between = (i, k, n) => [...i.slice(0, k), n, ...i.slice(k)];
const along = (x, i, y) => i.filter((_, k) => y.axes.includes(x.axes[k]));  // the index in an operand that is repeated

function elementwise(i, x, ...operands) {
  const built = node => typeof node === "number" ? cell(operands[node], along(x, i, operands[node]))
    : typeof node === "string" ? constant(node)
    : node[0] === "call" ? {...make("call", ...node.slice(2).map(built)), name: node[1]}
    : make(node[0], ...node.slice(1).map(built));
  return built(wiring.templates[x.op + operands.length]);
}

const OPS = {
  add(i, x, a, b) {
    const left = cell(a, along(x, i, a)), right = cell(b, along(x, i, b));
    return make("sum", ...(left.kind === "sum" ? left.parts : [left]), right);
  },
  matmul(i, x, a, b) {
    const rows = a.axes.length - 1;
    return sum(range(last(a)).map(n => make("product", cell(a, [...i.slice(0, rows), n]),
                                            cell(b, [n, ...i.slice(rows)]))));
  },
  outer: (i, x, a, b) => make("product", cell(a, i.slice(0, 1)), cell(b, i.slice(1))),
  transpose: (i, x, a) => cell(a, [...i].reverse()),
  slice: (i, x, a) => cell(a, between(i, ...x.settings)),
  placed: (i, x, a) => i[x.settings[0]] === x.settings[1] ? cell(a, without(i, x.settings[0])) : constant(0),
  total: (i, x, a) => sum(range(size(a.axes[x.settings[0]])).map(n => cell(a, between(i, x.settings[0], n)))),
  repeated: (i, x, a) => cell(a, without(i, x.settings[0])),
  mean: (i, x, a) => make("quotient", sum(range(last(a)).map(n => cell(a, [...i, n]))), constant(last(a))),
  columns: (i, x, a) => cell(a, [...i.slice(0, -1), i[i.length - 1] + x.settings[0] - 1]),
  among_columns(i, x, a) {
    const n = i[i.length - 1] - x.settings[0] + 1;
    return n >= 0 && n < last(a) ? cell(a, [...i.slice(0, -1), n]) : constant(0);
  },
  concat(i, x, ...parts) {
    let n = i[i.length - 1], part = 0;
    while (n >= last(parts[part])) n -= last(parts[part++]);
    return cell(parts[part], [...i.slice(0, -1), n]);
  },
  rows: (i, x, table, ids) => cell(table, [value(cell(ids, i.slice(0, ids.axes.length))) - 1,
                                           ...i.slice(ids.axes.length)]),
  into_rows(i, x, rows, ids) {
    const at = range(last(ids)).filter(n => value(cell(ids, [n])) === i[0] + 1);
    return at.length ? sum(at.map(n => cell(rows, [n, ...i.slice(1)]))) : constant(0);
  },
  softmax(i, x, a) {
    const row = range(last(a)).map(n => cell(a, [...i.slice(0, -1), n])), values = row.map(one => value(one, true));
    if (values.every(one => one === -Infinity)) return constant(0);
    const largest = row[values.reduce((most, one, n) => one > values[most] ? n : most, 0)];
    const powers = row.map(one => make("exp", make("difference", one, largest)));
    return make("quotient", powers[i[i.length - 1]], sum(powers));
  },
  sigmoid(i, x, a) {
    const one = cell(a, i), isBelow = value(one, true) < 0, power = make("exp", isBelow ? one : make("negative", one));
    return make("quotient", isBelow ? power : constant(1), make("sum", constant(1), power));
  },
  sinusoid(i, x, pos) {
    const [width, layout, base = 10000] = x.settings, column = i[i.length - 1], short = layout === "tensor2tensor";
    const half = Math.floor((width + !short) / 2), k = column < half ? column : column - half;
    let name = column < half ? "sin" : "cos", top = 2 * k, bottom = width;
    if (layout === "interleaved") [name, top] = [column % 2 ? "cos" : "sin", column - column % 2];
    else if (short) [name, top, bottom] = [column === 2 * half ? "" : name, k, Math.max(half - 1, 1)];
    const wave = make("power", constant(base), make("quotient", constant(top), constant(bottom)));
    return name ? {...make("call", make("quotient", cell(pos, i.slice(0, -1)), wave)), name} : constant(0);
  },
  labels(i, x, ids) {
    const [vocab, smoothing, over = "all", padding = 0] = x.settings, id = value(cell(ids, i.slice(0, -1)));
    const word = i[i.length - 1] + 1, count = vocab - (over !== "all") - (over === "words" && id !== padding);
    if (!smoothing || !count || over === "words" && word === padding && word !== id) return constant(Number(word === id));
    const spread = make("quotient", constant(smoothing), constant(count));
    const rest = make("difference", constant(1), constant(smoothing));
    return word !== id ? spread : over === "all" ? make("sum", rest, spread) : rest;
  },
  cross_entropy(i, x, logits, p, y) {
    const terms = range(last(p)).map(n => [cell(y, [...i, n]), cell(p, [...i, n])]);
    return make("negative", sum(terms.filter(([label]) => textOf(label) !== "0").map(
      ([label, one]) => make("product", label, {...make("call", one), name: "log"}))));
  },
};

// ---------------------------------------------------------------- numbers as they are written
const parsed = text => Number(text.replace("inf", "Infinity"));
const flat = (x, i) => i.reduce((n, position, k) => n * size(x.axes[k]) + position, 0);
const power = n => `e${n < 0 ? "-" : "+"}${String(Math.abs(n)).padStart(2, "0")}`;

function digits(x) {  // the numbers with more digits than the page shows, by place
  if (typeof x.digits === "string") {
    let n = 0;
    x.digits = new Map((x.digits.match(/[^,]+/g) || []).map(one => {
      const [, gap, first, rest, ten] = /(.*):(-?\d)(\d*)([-+]\d+)/.exec(one);
      return [n += parseInt(gap, 36), first + (rest && `.${rest}`) + power(Number(ten))];
    }));
  }
  return x.digits;
}

function textOf(ref, lost) {  // of a leaf, as it stands in a sum; null where it is not on the page
  const {of: x, at} = ref;
  if (ref.kind === "number") return ref.text;
  if (ref.kind !== "ref") return String(value(ref));
  if (x.texts) return x.texts[flat(x, at)];
  const more = digits(x).get(flat(x, at));
  if (more && (lost || x.power && Math.abs(Number(more)) < 10 * x.unit)) return more;
  const found = find(x, at);
  if (!found) return null;
  const text = found.textContent.trim(), own = powerOf(found);
  if (own !== x.power && !x.power && text !== "0") return fixed(Number(text + power(own)), x.decimals).replace(/^-(?=[0.]*$)/, "");
  return x.power && text !== "0" && isFinite(text) ? text + power(x.power) : text;
}

function fixed(x, decimals) {  // as Python rounds: a half to the even digit
  const text = x.toFixed(decimals), half = Math.abs(x) * 2 ** (decimals + 1);
  return half % 2 === 1 && "13579".includes(text.slice(-1)) ? (x * (1 - 2 ** -52)).toFixed(decimals) : text;
}

function rounded(x, number) {  // as the numbers of a leaf are written
  if (!number || !isFinite(number)) return number;
  if (!x.power) return Number(fixed(number, x.decimals));
  if (Math.abs(number) < 10 * x.unit) return Number(number.toExponential(x.decimals));
  return Number(fixed(number * Number(`1e${-x.power}`), x.decimals) + power(x.power));
}

function fsum(numbers) {  // exact until the end (Shewchuk 1997)
  const partials = [];
  if (!numbers.every(isFinite)) return numbers.reduce((a, b) => a + b);
  for (let x of numbers) {
    let count = 0;
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y, low = y - (high - x);
      if (low) partials[count++] = low;
      x = high;
    }
    partials.length = count;
    partials.push(x);
  }
  return partials.reduceRight((a, b) => a + b);
}

function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x, total = x;
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(total); n += 2) total += term *= 2 * x * x / n;
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * total;
}

const FULL = {
  read: parsed, sum: (...terms) => fsum(terms), difference: (a, b) => a - b, product: (a, b) => a * b,
  quotient: (a, b) => b ? a / b : a ? Math.sign(a) * Infinity : NaN, negative: a => -a, square: a => a * a,
  root: Math.sqrt, exp: Math.exp, power: Math.pow, max: Math.max, sin: Math.sin, cos: Math.cos, tanh: Math.tanh, erf,
  positive: a => Number(a > 0), log: Math.log,
};

// Hand arithmetic: numbers as multiples of 10^-50, each operation rounded to the decimals, half away from zero.
const ONE = 10n ** 50n, STEP = 10n ** BigInt(50 - (wiring.pencil || 0));
const hand = (name, exact) => (...xs) => {
  const number = exact && xs.every(x => typeof x === "bigint") ? exact(...xs) : read(FULL[name](...xs.map(float)));
  if (typeof number === "number") return number;
  const parts = (number < 0n ? -number : number) + STEP / 2n;
  return (number < 0n ? -1n : 1n) * (parts - parts % STEP);
};
const float = x => typeof x === "bigint" ? Number(`${x}e-50`) : x;
function read(text) {
  const number = parsed(String(text));
  if (!isFinite(number)) return number;
  const [mantissa, ten = "0"] = String(text).split("e"), [whole, part = ""] = mantissa.split(".");
  const places = 50 - part.length + Number(ten);
  return places < 0 ? 0n : BigInt(whole + part) * 10n ** BigInt(places);
}
const HAND = {
  ...Object.fromEntries(Object.keys(FULL).map(name => [name, hand(name)])), read,
  sum: hand("sum", (...terms) => terms.reduce((a, b) => a + b)), difference: hand("difference", (a, b) => a - b),
  product: hand("product", (a, b) => a * b / ONE), square: hand("square", a => a * a / ONE),
  quotient: hand("quotient", (a, b) => a * ONE / (b || STEP)), negative: a => -a,
  log: a => hand("log")(a || STEP),
};
const RULES = wiring.pencil === null ? FULL : HAND;

function evaluated(node, lost) {
  if (!node.parts.length) return RULES.read(textOf(node, lost));
  return RULES[node.kind === "call" ? node.name : node.kind](...node.parts.map(part => evaluated(part, lost)));
}
const value = (node, lost) => float(evaluated(node, lost));

const BINDS = {sum: 1, difference: 1, quotient: 2, negative: 3, product: 3, square: 5, root: 5, power: 5};
const BETWEEN = {difference: [" - ", 1, 2], product: ["\u00b7", 3, 4], quotient: [" / ", 3, 4]};
const AROUND = {root: ["\u221a", ""], square: ["", "\u00b2"], exp: ["e^(", ")"], power: ["", ")"]};

function spelled(node, lost, out = [], leads = true) {  // pieces of text, and {ref, text}
  const {kind, parts} = node, put = (part, first = true) => spelled(part, lost, out, first);
  const within = (part, least, first = false) => {
    if ((BINDS[part.kind] || 6) < least) out.push("("), put(part), out.push(")");
    else put(part, first);
  };
  if (!parts.length) {
    const text = textOf(node, lost), piece = kind === "ref" ? {ref: node, text} : text;
    out.push(...(leads || text[0] !== "-" ? [piece] : ["(", piece, ")"]));
  } else if (kind === "sum") {
    parts.forEach((part, n) => (n && out.push(" + "), within(part, n ? 2 : 1, leads && !n)));
  } else if (BETWEEN[kind]) {
    const [sign, left, right] = BETWEEN[kind];
    within(parts[0], left, leads), out.push(sign), within(parts[1], right);
  } else if (kind === "negative") {
    out.push(leads ? "-" : "(-"), within(parts[0], 5), leads || out.push(")");
  } else if (kind === "call") {
    out.push(`${node.name}(`), parts.forEach((part, n) => (n && out.push(", "), put(part))), out.push(")");
  } else {
    const [opening, closing] = AROUND[kind];
    out.push(opening);
    if (kind === "exp") put(parts[0]);
    else within(parts[0], 6);
    if (kind === "power") out.push("^("), put(parts[1]);
    out.push(closing);
  }
  return out;
}

const refs = node => node.kind === "ref" ? [node] : node.parts.flatMap(refs);
const same = (a, b) => a.of === b.of && String(a.at) === String(b.at);
const unique = list => [...new Map(list.map(ref => [nameOf(ref), ref])).values()];
const nameOf = ({of: x, at}) => (x.address || x.symbol) + (at.length ? `:${at.map(n => n + 1)}` : "");

// What the program prints of a number: pieces of its arithmetic (none, where nothing has to be computed), = or \u2248,
// and the result; `absent`: operands that are not on the page.
function reading(x, at) {
  const result = textOf({kind: "ref", of: x, at});
  if (!x.op) return {result, pieces: [], sign: "=", absent: []};
  const node = arithmetic(x, at), isCopy = node.kind === "ref";
  const absent = isCopy ? [] : unique(refs(node).filter(ref => textOf(ref) === null));
  if (absent.length || result === null) return {result, node, pieces: [], sign: "=", absent};
  const printed = parsed(result);
  const worked = isCopy ? printed : value(node), allowed = Math.max(wiring.missed * x.unit, Math.abs(printed) / wiring.missed);
  const lost = worked !== printed && !(Math.abs(worked - printed) <= allowed);
  const pieces = isCopy ? [] : spelled(node, lost), text = pieces.map(one => one.text || one).join("");
  if (isCopy || text === result) return {result, node, pieces: [], sign: "=", absent};
  return {result, node, lost, pieces, text, sign: rounded(x, value(node, lost)) === printed ? "=" : "\u2248", absent};
}

// ---------------------------------------------------------------- where numbers stand on the page
// A number stands in a row of its own address, or in a matrix: whole, or some columns of it (from `column`), or a block.
const places = new Map();  // by address: the matrices, and the rows by their number
for (const element of main.querySelectorAll("[data-address]")) {
  const {address, row} = element.dataset;
  if (!places.has(address)) places.set(address, {matrices: [], rows: new Map()});
  const here = places.get(address);
  if (!row) here.matrices.push(element);
  else here.rows.set(row - 1, [...(here.rows.get(row - 1) || []), element]);
}

const first = element => (element.dataset.column || 1) - 1
  + ((element.dataset.part || 1) - 1) * (known.get(element.dataset.address)?.block || 0);

function rowAndColumn(x, at) {
  if (at.length > 1) return at;
  return at.length && isPosition(x.axes[0]) ? [at[0], 0] : [0, at[0] || 0];
}

function td(element, row, column) {  // of a row or a matrix, if it has it
  const isRow = element.dataset.row;
  if (!isRow && "transposed" in element.dataset) [row, column] = [column, row];
  const cells = (isRow ? element : element.tBodies[0].rows[row])?.cells, n = column - first(element);
  const found = cells && n >= 0 ? cells[n + (cells[0].tagName === "TH")] : null;
  return found?.tagName === "TD" && found.className !== "more" ? found : null;
}

function* every(x, at) {  // where a number stands: in matrices, then in rows, which were computed a second time
  const here = places.get(x.address), [row, column] = rowAndColumn(x, at);
  for (const element of here ? [...here.matrices, ...(here.rows.get(row) || [])] : []) {
    const found = td(element, row, column);
    if (found) yield found;
  }
}

const powerOf = cell => Number(cell.closest("[data-address]").dataset.power || 0);

function find(x, at) {  // where a number stands; with its own power of ten, if it does somewhere
  let found = null;
  for (const one of every(x, at)) {
    if (powerOf(one) === x.power) return one;
    found = found || one;
  }
  return found;
}

function numberAt(cell) {  // the leaf and the index of a number of the page
  const element = cell.closest("[data-address]"), x = element && known.get(element.dataset.address);
  if (!x || cell.tagName !== "TD" || cell.className === "more" || cell.closest("thead, .mixture")) return null;
  const isRow = element.dataset.row, row = isRow ? isRow - 1 : cell.parentNode.sectionRowIndex;
  const n = cell.cellIndex - (cell.parentNode.cells[0].tagName === "TH") + first(element);
  const [y, z] = !isRow && "transposed" in element.dataset ? [n, row] : [row, n], one = x.axes.length === 1;
  return {of: x, at: one ? [isPosition(x.axes[0]) ? y : z] : x.axes.length ? [y, z] : []};
}

globalThis.attntrace = {entries, known, reading, ops: OPS};
})();
