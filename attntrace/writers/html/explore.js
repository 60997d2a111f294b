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

// ---------------------------------------------------------------- the panel
const panel = build("aside", {id: "explore", ariaLabel: words.title});
const trail = [];  // numbers that were followed, the last one last
let current = null, pinned = false, marked = [], list = [];

function build(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}
const button = (text, onclick, properties) => build("button", {type: "button", onclick, ...properties}, text);
const filled = (text, slots) => text.replace(/{(\w+)}/g, (slot, name) => slots[name] ?? slot);
const breakable = text => text.split(/(?<=\.)/).flatMap((part, n) => n ? [build("wbr"), part] : [part]);
const clean = element => element ? element.textContent.trim() : "";

function wordsAt(x, at) {  // the words of its row and its column, where the page has some
  const cell = find(x, at);
  if (!cell) return at.map(() => "");
  const row = cell.parentNode, table = row.closest("table"), isRow = row.dataset.row;
  let above = row;
  while (isRow && above && !above.querySelector("th[scope=col]")) above = above.previousElementSibling;
  const headings = isRow ? above?.querySelectorAll("th[scope=col]") : table.tHead?.querySelectorAll("th");
  const beside = clean(isRow ? row.parentNode.querySelector("th[scope=rowgroup]") : row.querySelector("th"));
  const both = [beside, clean(headings?.[cell.cellIndex - (row.cells[0].tagName === "TH")])];
  if ("transposed" in (table.dataset || {})) both.reverse();
  return at.length > 1 ? both : at.length ? [isPosition(x.axes[0]) ? both[0] : both[1]] : [];
}

function equation(x, at) {  // the formula of a number's row, or of its step, as it stands on the page
  const row = (places.get(x.address)?.rows.get(rowAndColumn(x, at)[0]) || []).find(one => !one.dataset.column);
  if (row) return [...row.cells[0].cloneNode(true).childNodes].filter(node => node.tagName !== "I");
  for (const matrix of places.get(x.address)?.matrices || []) {
    let before = matrix.closest(".equation");
    while (before && !before.matches(".step")) before = before.previousElementSibling;
    const formula = before?.firstElementChild, isResult = !("transposed" in matrix.dataset) && (
      before?.querySelector("code")?.textContent.split(".").pop() === x.address.split(".").pop());
    if (formula && isResult) return [...formula.cloneNode(true).childNodes];
  }
  return [];
}

// The terms of the outermost sum, or the operands by what the result would change without them; largest first.
function terms(node, lost) {
  let parts = null, own = null, inner = node;
  while (inner.kind === "negative") inner = inner.parts[0];
  if (inner.kind === "quotient" && inner.parts[1].kind === "sum") [own, inner] = inner.parts;
  else if (inner.kind === "quotient") inner = inner.parts[0];
  if (inner.kind === "sum") {
    parts = inner.parts.map(part => ({part, refs: unique(refs(part)), value: value(part, lost)}));
    if (own) parts = [{part: own, refs: unique(refs(own)), value: value(own, lost), isOwn: true},
                      ...parts.filter(({part}) => part !== own)];
  } else {
    const all = unique(refs(node)), whole = all.length > 1 ? value(node, lost) : 1;
    const omitted = ref => rebuilt(node, one => same(one, ref) ? constant(0) : one);
    parts = all.map(ref => ({part: ref, refs: [ref], value: all.length > 1 ? whole - value(omitted(ref), lost) : 1}));
  }
  const most = Math.max(...parts.map(one => Math.abs(one.value)).filter(isFinite), 0);
  for (const one of parts) one.share = isFinite(one.value) ? one.value / (most || 1) : Math.sign(one.value) || 1;
  return parts.sort((a, b) => (b.isOwn || 0) - (a.isOwn || 0) || Math.abs(b.share) - Math.abs(a.share));
}
const rebuilt = (node, replace) => node.parts.length
  ? {...node, parts: node.parts.map(part => rebuilt(part, replace))} : node.kind === "ref" ? replace(node) : node;

function bar(share) {  // to the right, or to the left where it is negative
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "-1 0 2 1"), svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", share < 0 ? "bar less" : "bar"), svg.setAttribute("aria-hidden", "true");
  for (const [left, wide] of [[Math.min(share, 0), Math.abs(share)], [-0.01, 0.02]]) {
    const rect = svg.appendChild(document.createElementNS(svg.namespaceURI, "rect"));
    for (const [name, number] of Object.entries({x: left, y: 0, width: wide, height: 1})) rect.setAttribute(name, number);
  }
  return svg;
}

const short = ({of: x, at}) => {  // an address without its place, where that is the current one's
  const name = nameOf({of: x, at}), base = current?.of.address.replace(/[^.]*$/, "");
  return base && name.startsWith(base) ? name.slice(base.length) : name;
};
const LISTED = 9;

function render(all = false) {
  const {of: x, at} = current, said = reading(x, at), found = said.node ? terms(said.node, said.lost) : [];
  const axes = at.map((n, k) => `${wiring.axes[x.axes[k]][0]} ${n + 1}`), beside = wordsAt(x, at);
  const where = build("p", {className: "where"},
    ...axes.map((axis, k) => build("span", {}, axis, beside[k] && !/^\d+$/.test(beside[k]) ? build("b", {}, ` ${beside[k]}`) : null)));
  const heading = clean(find(x, at)?.closest(".stage")?.querySelector("h4")).replace(/ ?[\u2713\u2717]$/, "");
  const formula = equation(x, at);
  const numbers = build("p", {className: "numbers"});
  for (const piece of said.pieces) {
    if (piece.ref) numbers.append(follower(piece.ref, piece.text, {tabIndex: -1}));
    else numbers.append(...piece.split(/(?= [-+\/] )/).flatMap((text, n) => n ? [build("wbr"), text] : [text]));
  }
  if (said.pieces.length) numbers.prepend("= ");
  list = [];
  const shown = all ? found : found.slice(0, LISTED);
  const rows = shown.map(({part, refs, value: number, share}) => {
    const isTerm = part.kind !== "ref", buttons = refs.filter(ref => !list.some(one => same(one, ref))).map(ref => {
      list.push(ref);
      return follower(ref, "", {}, list.length < 10 ? build("kbd", {}, String(list.length)) : null,
                      build("span", {}, ...breakable(short(ref))), " ", build("b", {}, textOf(ref, said.lost) ?? ""));
    });
    return buttons.length ? build("li", {}, bar(share), isTerm && isFinite(number)
      ? build("span", {className: "term-value"}, fixed(number, Math.max(x.decimals, 2))) : null, ...buttons) : null;
  });
  body.replaceChildren(
    build("p", {className: "at"}, ...breakable(nameOf(current)), heading ? build("small", {}, heading) : null), where,
    ...(formula.length ? [build("p", {className: "formula"}, ...formula)] : []),
    ...(said.pieces.length ? [numbers] : []),
    build("p", {className: "result"}, said.result === null ? words.unshown : `${said.sign} ${said.result}`),
    ...(x.op ? [] : [build("p", {}, words.parameter)]),
    ...(said.absent.length ? [build("p", {}, words.absent)] : []),
    ...(list.length ? [build("h2", {}, words.operands), build("ol", {}, ...rows)] : []),
    ...(found.length > shown.length ? [button(filled(words.more, {count: found.length - shown.length}), () => render(true))] : []),
    ...crumbs(), ...command());
  pin.textContent = pinned ? words.unpin : words.pin;
  pin.setAttribute("aria-pressed", pinned);
  back.disabled = !trail.length;
  mark(said.node ? unique(refs(said.node)) : []);
}

const follower = (ref, text, properties, ...children) =>
  ref.of.texts ? build("span", {className: "given", ...properties}, text, ...children)
    : button(text, () => follow(ref), {...properties, className: "operand", onpointerenter: () => mark([ref], true),
                                       onpointerleave: () => mark(refs(reading(current.of, current.at).node || constant(0)))}, ...children);

function crumbs() {
  if (!trail.length) return [];
  const step = (one, n) => button(one.of.address.split(".").pop() + (one.at.length ? `:${one.at.map(k => k + 1)}` : ""),
                                  () => open(trail.splice(n)[0]), {title: nameOf(one)});
  return [build("p", {className: "trail"}, ...trail.flatMap((one, n) => [step(one, n), " \u25b8 "]), short(current))];
}

function command() {
  if (!wiring.command || !current.of.op) return [];
  const text = filled(wiring.command, {place: nameOf(current)}).trim(), code = build("code", {}, text);
  const copy = button(words.copy, async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      getSelection().selectAllChildren(code), document.execCommand("copy");
    }
    copy.textContent = words.copied;
  });
  return [build("div", {className: "command"}, build("span", {}, words.command), code, copy)];
}

// What the current number is computed from is outlined where it stands beside it; else at its first place.
function mark(operands, strong) {
  for (const one of marked) one.classList.remove("operand-cell", "operand-strong", "current");
  marked = [];
  const here = current && placeOf(current), section = here?.closest(".stage");
  const outline = (cell, kind) => (cell.classList.add(kind), marked.push(cell));
  if (here) outline(here, "current");
  for (const ref of operands) {
    const all = ref.of.address ? [...every(ref.of, ref.at)] : [], near = all.filter(one => section?.contains(one));
    for (const cell of near.length ? near : all.slice(0, 1)) outline(cell, strong ? "operand-strong" : "operand-cell");
  }
}
const placeOf = one => one.cell?.isConnected ? one.cell : find(one.of, one.at);

function show(one) {
  current = one;
  render();
}

function open(one, isFollowed = true) {  // keep a number, and go there
  pinned = true;
  if (!Number(panel.dataset.height)) panel.dataset.height = 1;
  show(one);
  const cell = placeOf(one);
  if (cell) {
    for (let folded = cell.closest("[hidden]"); folded; folded = cell.closest("[hidden]")) unfold(folded);
    cell.tabIndex = -1;
    cell.focus({preventScroll: true});
    const {top, bottom} = cell.getBoundingClientRect();
    if (isFollowed || top < 0 || bottom > room()) cell.scrollIntoView({block: "center", inline: "nearest"});
  }
  try {
    history.replaceState(null, "", `#${encodeURI(nameOf(one))}`);
  } catch { /* a page that has no address of its own */ }
}
const room = () => panel.offsetWidth < innerWidth / 2 ? innerHeight : panel.getBoundingClientRect().top;

function follow(ref) {
  trail.push(current);
  open({of: ref.of, at: ref.at});
}
function goBack() {
  if (trail.length) open(trail.pop());
}
function release() {
  pinned = false;
  trail.length = 0;
  if (current) render();
}

const back = button(words.back, goBack, {disabled: true});
const pin = button(words.pin, () => pinned ? release() : current && open(current, false));
const body = build("div", {id: "explore-body", tabIndex: 0, role: "region", ariaLabel: words.title, ariaLive: "polite"});
const addresses = build("datalist", {id: "addresses"}), input = build("input", {type: "text", ariaLabel: filled(words.address, {place: ""}), spellcheck: false});
input.setAttribute("list", "addresses");
const form = build("form", {onsubmit: event => (event.preventDefault(), goTo(input.value))}, input, addresses);
const grow = button("\u2195", () => { panel.dataset.height = (Number(panel.dataset.height) + 1) % 3; fit(); }, {title: words.size, ariaLabel: words.size, className: "grow"});
panel.append(build("header", {}, build("strong", {}, words.title), back, pin, grow), body, form, build("p", {className: "keys"}, words.keys));

function fit() {  // what stands below the sheet can be scrolled above it
  html.classList.toggle("sheet", Number(panel.dataset.height) > 0);
}

// ---------------------------------------------------------------- addresses
function resolved(text) {  // `head1.scores:2,1`, also with words; null where there is none
  const [, address, rest] = /^([^:]*):?(.*)$/s.exec(text.trim());
  const name = known.has(address) ? address : [...known.keys()].find(one => one.endsWith(`.${address}`)), x = known.get(name);
  if (!x || !address) return null;
  const asked = rest.match(/"[^"]*"|[^,]+/g) || [];
  const at = x.axes.map((axis, k) => {
    const one = (asked[k] ?? "1").trim(), bare = one.replace(/^"(.+)"$/, "$1").normalize("NFC");
    if (/^\d+$/.test(one)) return one - 1;
    return range(size(axis)).find(n => wordsAt(x, x.axes.map((_, m) => m === k ? n : 0))[k] === bare) ?? -1;
  });
  return at.every((n, k) => n >= 0 && n < size(x.axes[k])) && asked.length <= x.axes.length ? {of: x, at} : null;
}

function goTo(text) {
  const one = resolved(text);
  input.setCustomValidity(one ? "" : filled(words.unknown, {place: text}));
  if (!one) return input.reportValidity();
  if (current && pinned) trail.push(current);
  open(one);
}

function fromLink() {
  let text = location.hash.slice(1);
  try { text = decodeURIComponent(text); } catch { /* as it stands */ }
  const one = text.includes(":") && !document.getElementById(text) ? resolved(text) : null;
  if (one) open(one);
}

// ---------------------------------------------------------------- shading, folding, the picture of the model
let shaded = null;
function shade(table) {
  const cells = [...table.querySelectorAll("td")].filter(cell => cell.className === "" || cell.dataset.shade || marked.includes(cell));
  const rows = new Map(), scale = cell => cell.parentNode.dataset.address || "";
  for (const cell of cells) {
    const number = Math.abs(cell.textContent);
    if (isFinite(number)) rows.set(scale(cell), Math.max(rows.get(scale(cell)) || 0, number));
  }
  for (const cell of cells) {
    const part = Number(cell.textContent) / rows.get(scale(cell));
    if (isFinite(part) && part) cell.dataset.shade = Math.round(part * 4) || "";
  }
}
function toggleShades() {
  html.classList.toggle("shaded");
  shaded ??= new IntersectionObserver(seen => seen.filter(one => one.isIntersecting).forEach(({target}) => {
    shaded.unobserve(target);
    shade(target);
  }));
  if (html.classList.contains("shaded")) main.querySelectorAll(".matrix, .vectors").forEach(one => shaded.observe(one));
  shades.setAttribute("aria-pressed", html.classList.contains("shaded"));
}
const shades = button(words.shade, toggleShades);
shades.setAttribute("aria-pressed", "false");

const folds = new Map();  // what a heading of a layer can fold, and the button for that
for (const heading of main.querySelectorAll("h2[id^=place], h3[id^=place]")) {
  const under = [];
  for (let next = heading.nextElementSibling; next && !(/^H[1-6]$/.test(next.tagName) && next.tagName <= heading.tagName);
       next = next.nextElementSibling) under.push(next);
  const toggle = button("", () => setFold(heading, toggle.getAttribute("aria-expanded") === "true"), {className: "fold"});
  folds.set(heading, {under, toggle});
  heading.prepend(toggle);
  setFold(heading, false);
}
function setFold(heading, isFolded) {
  const {under, toggle} = folds.get(heading);
  toggle.textContent = isFolded ? "\u25b8" : "\u25be";
  toggle.setAttribute("aria-expanded", !isFolded);
  toggle.setAttribute("aria-label", `${isFolded ? words.unfold : words.fold}: ${clean(heading).slice(1)}`);
  for (const one of under) isFolded ? one.setAttribute("hidden", "until-found") : one.removeAttribute("hidden");
}
function unfold(element) {
  for (const [heading, {under}] of folds) if (under.includes(element)) return setFold(heading, false);
  element.hidden = false;
}
main.addEventListener("beforematch", event => unfold(event.target));

const picture = document.getElementById("architecture")?.ownerSVGElement;
const boxes = [...document.querySelectorAll("#architecture rect[data-places]")].map(rect => ({rect, patterns: rect.dataset.places
  .split(" ").filter(Boolean).map(one => new RegExp(`^${one.replace(/\./g, "\\.").replace(/\*/g, ".*")}\\.`))}));
const boxAt = address => boxes.filter(({patterns}) => patterns.some(one => one.test(
  `${address.replace(/^(gradient|update|step\d+)\./, "").replace(/\.from\..*/, "")}.`))).pop();
function goToBox({patterns}) {  // the first place in a box, after those that are above
  const inside = [...main.querySelectorAll("[id^='place.'], table[id], tr[id]")].filter(one =>
    patterns.some(pattern => pattern.test(`${one.id.replace(/^place\./, "")}.`)));
  const after = inside.find(one => one.getBoundingClientRect().top > innerHeight / 2) || inside[0];
  if (after?.closest("[hidden]")) unfold(after.closest("[hidden]"));
  after?.scrollIntoView({block: "start"});
}
for (const box of boxes.filter(one => one.patterns.length)) {
  box.rect.setAttribute("tabindex", "0"), box.rect.setAttribute("role", "link");
  box.rect.setAttribute("aria-label", box.rect.dataset.places);
  box.rect.addEventListener("click", () => goToBox(box));
  box.rect.addEventListener("keydown", event => event.key === "Enter" && goToBox(box));
}
if (picture) picture.setAttribute("role", "group");

// ---------------------------------------------------------------- the pointer and the keys
const cellOf = event => event.target.closest?.("main td");
document.addEventListener("pointerover", event => {
  const cell = !pinned && event.pointerType === "mouse" && cellOf(event), one = cell && numberAt(cell);
  if (one && current?.cell !== cell) show({...one, cell});
});
document.addEventListener("click", event => {
  const cell = !event.target.closest("a") && cellOf(event), one = cell && numberAt(cell);
  if (one) trail.length = 0, open({...one, cell}, false);
});
document.addEventListener("focusin", event => {
  const cell = cellOf(event), one = cell && numberAt(cell);
  if (one && !pinned) show({...one, cell});
});

const tables = [...main.querySelectorAll("table.matrix[data-address], table.vectors")];
const numbersOf = table => [...table.rows].filter(row => row.closest("[data-address]")).map(row =>
  [...row.cells].filter(numberAt)).filter(row => row.length);
for (const table of tables) {
  const start = table.querySelector(".vectors tr[data-address] td, .matrix tbody td");
  if (start) start.tabIndex = 0;
}
function move(cell, down, right) {
  const table = cell.closest("table"), rows = numbersOf(table), y = rows.findIndex(row => row.includes(cell));
  let next = right ? rows[y][rows[y].indexOf(cell) + right] : rows[y + down]?.[Math.min(rows[y].indexOf(cell), rows[y + down].length - 1)];
  for (let n = tables.indexOf(table) + (down || right); !next && tables[n]; n += down || right) {
    next = numbersOf(tables[n]).at(down + right > 0 ? 0 : -1)?.at(down + right > 0 ? 0 : -1);
  }
  if (!next) return;
  next.tabIndex = next.tabIndex || -1;
  pinned = false;
  next.focus();
  const {top, bottom} = next.getBoundingClientRect();
  if (top < 60 || bottom > room() - 20) next.scrollIntoView({block: "center", inline: "nearest"});
}

const KEYS = {  // one line for each; `cell` is the number that has the focus
  ArrowUp: cell => cell && move(cell, -1, 0), ArrowDown: cell => cell && move(cell, 1, 0),
  ArrowLeft: cell => cell && move(cell, 0, -1), ArrowRight: cell => cell && move(cell, 0, 1),
  Enter: cell => cell && open({...numberAt(cell), cell}, false),
  Backspace: () => trail.length && goBack(), Escape: () => release(),
  "/": () => input.focus(), h: toggleShades,
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("input, textarea")) return event.key === "Escape" && event.target.blur();
  const cell = numberAt(event.target) && event.target, isArrow = event.key.startsWith("Arrow") || event.key === "Enter";
  if (/^[1-9]$/.test(event.key) && list[event.key - 1] && !list[event.key - 1].of.texts) {
    event.preventDefault(), follow(list[event.key - 1]);
  } else if (Object.hasOwn(KEYS, event.key) && (cell || !isArrow)) {
    event.preventDefault(), KEYS[event.key](cell);
  }
});
addEventListener("hashchange", fromLink);

// ---------------------------------------------------------------- the beginning
function example() {  // the last row's largest probability, or else the last number
  const named = [...known.values()].filter(x => x.op && places.has(x.address));
  const x = named.filter(one => /(^|\.)probabilities$/.test(one.address)).pop() || named.filter(one => !/^(gradient|update)\./.test(one.address)).pop() || named.pop();
  if (!x) return null;
  const at = x.axes.map(axis => size(axis) - 1), column = at.length - 1;
  if (at.length === 2) {
    const row = range(size(x.axes[1])).map(n => Number(textOf({kind: "ref", of: x, at: [at[0], n]}) ?? -1));
    at[column] = row.indexOf(Math.max(...row));
  }
  return {of: x, at};
}
const begin = example();
panel.dataset.height = 0;
document.body.append(panel);
html.classList.add("explored");
body.append(build("p", {}, words.hint));
if (begin) {
  const number = textOf({kind: "ref", ...begin}), word = wordsAt(begin.of, begin.at)[1];
  const ask = () => button(filled(word ? words.start_word : words.start, {word, number, place: nameOf(begin)}),
                           () => (trail.length = 0, open(begin)), {className: "ask"});
  body.append(ask());
  (main.querySelector("section.result") || main.querySelector("h1")).append(build("p", {}, ask()));
}
panel.insertBefore(shades, form);
addresses.append(...[...known.keys()].map(value => build("option", {value: `${value}:`})));
fromLink();

globalThis.attntrace = {known, reading, open, resolved, current: () => current};
})();
