// The page answers: point at a number, and a panel says how it was computed from other numbers of the page.
// Ops as in attntrace/ops, spelling as in tensor/printer.py, digits as in writers/arithmetic.py: tests/test_explore.py
// compares each number with what the program prints. The page has it without comments and most blanks.
const byId = id => document.getElementById(id);
const wiring = JSON.parse(byId("wiring").textContent), words = wiring.words;
const pick = (selector, element = document) => element?.querySelector(selector);
const page = document.documentElement, main = pick("main"), contents = pick("nav");
const {abs, ceil, max, min, sign, exp, log, sin, cos, tanh} = Math;
const select = (selector, element = main) => [...element.querySelectorAll(selector)];
const on = (kind, act) => document.addEventListener(kind, act);

// ------------------------------------------------ steps and operands
// A leaf has an address; a constant has texts, or a number; all others have an op.
const entries = [], byAddress = new Map();
function operand(x) {
  if (typeof x === "number") return entries[x];
  if (typeof x === "string") return {text: x, axes: []};
  const [op, axes, settings, ...rest] = x;
  if (op === "=") return {symbol: wiring.constants[settings][0], texts: wiring.constants[settings][1].split(" "), axes};
  const node = {op, axes, settings, operands: rest.map(operand)};
  if (op === "columns") node.operands[0].block = settings[1] - settings[0] + 1;
  return node;
}
let place = "";
for (const entry of wiring.entries) {
  if (typeof entry === "string") place = entry && `${entry}.`;
  else {
    const [name, node, [decimals, scale] = wiring.usual, digits = ""] = entry;
    const leaf = {...operand(node), path: place + name, decimals, scale, unit: +`1e${scale - decimals}`, seen: {}};
    let n = 0;
    leaf.digits = new Map(digits.split(",").filter(Boolean).map(one => {  // more than the page shows, by place
      const [, gap, first, others, ten] = /(.*):(-?\d)(\d*)([-+]\d+)/.exec(one);
      return [n += parseInt(gap, 36), first + (others && `.${others}`) + exponent(ten)];
    }));
    entries.push(leaf), byAddress.set(leaf.path, leaf);
  }
}
const size = axis => wiring.axes[axis][1], last = x => size(x.axes.at(-1));
const range = n => [...Array(n).keys()];
const isPosition = x => /^(token|key)$/.test(wiring.axes[x.axes[0]][0]);

// ------------------------------------------------ the arithmetic of a number
const make = (kind, ...parts) => ({kind, parts});
const over = (a, b) => make("quotient", a, b), times = (a, b) => make("product", a, b);
const call = (name, ...parts) => ({kind: "call", parts, name});
const constant = text => ({parts: [], text: String(text)});
const ZERO = constant(0);
const sum = parts => parts.length > 1 ? make("sum", ...parts) : parts[0];
const cell = (x, i) => x.text ? constant(x.text) : x.op && !x.path ? arithmetic(x, i) : {parts: [], of: x, at: i};
const arithmetic = (x, i) => (OPS[x.op] || elementwise)(i, x, ...x.operands);
const along = (x, i, y) => cell(y, i.filter((_, k) => y.axes.includes(x.axes[k])));  // of an operand that is repeated
const row = (x, i) => range(last(x)).map(n => cell(x, [...i, n]));

function elementwise(i, x, ...operands) {
  const built = node => typeof node === "number" ? along(x, i, operands[node]) : typeof node === "string" ? constant(node)
    : node[0] === "call" ? call(node[1], ...node.slice(2).map(built)) : make(node[0], ...node.slice(1).map(built));
  return built(wiring.templates[x.op + operands.length]);
}

const OPS = {
  add(i, x, ...operands) {
    const [a, b] = operands.map(y => along(x, i, y));
    return make("sum", ...(a.kind === "sum" ? a.parts : [a]), b);
  },
  matmul(i, x, a, b) {
    const rows = a.axes.length - 1;
    return sum(row(a, i.slice(0, rows)).map((one, n) => times(one, cell(b, [n, ...i.slice(rows)]))));
  },
  outer: (i, x, a, b) => times(cell(a, i.slice(0, 1)), cell(b, i.slice(1))),
  transpose: (i, x, a) => cell(a, i.toReversed()),
  slice: (i, {settings: [k, n]}, a) => cell(a, i.toSpliced(k, 0, n)),
  placed: (i, {settings: [k, n]}, a) => i[k] === n ? cell(a, i.toSpliced(k, 1)) : ZERO,
  total: (i, {settings: [k]}, a) => sum(range(size(a.axes[k])).map(n => cell(a, i.toSpliced(k, 0, n)))),
  repeated: (i, {settings: [k]}, a) => cell(a, i.toSpliced(k, 1)),
  mean: (i, x, a) => over(sum(row(a, i)), constant(last(a))),
  columns: (i, {settings: [first]}, a) => cell(a, i.with(-1, i.at(-1) + first - 1)),
  among_columns(i, {settings: [first]}, a) {
    const n = i.at(-1) - first + 1;
    return n >= 0 && n < last(a) ? cell(a, i.with(-1, n)) : ZERO;
  },
  concat(i, x, ...parts) {
    let n = i.at(-1);
    const chosen = parts.find(one => n < last(one) || (n -= last(one), false));
    return cell(chosen, i.with(-1, n));
  },
  rows: (i, x, table, {texts, axes: {length}}) => cell(table, [texts[length && i[0]] - 1, ...i.slice(length)]),
  into_rows(i, x, rows, {texts}) {
    const at = [...texts.keys()].filter(n => Number(texts[n]) === i[0] + 1);
    return at.length ? sum(at.map(n => cell(rows, [n, ...i.slice(1)]))) : ZERO;
  },
  softmax(i, x, a) {
    const all = row(a, i.slice(0, -1)), values = all.map(one => value(one, true)), most = max(...values);
    if (most === -Infinity) return ZERO;
    const powers = all.map(one => make("exp", make("difference", one, all[values.indexOf(most)])));
    return over(powers[i.at(-1)], sum(powers));
  },
  sigmoid(i, x, a) {
    const one = cell(a, i), isBelow = value(one, true) < 0, tail = make("exp", isBelow ? one : make("negative", one));
    return over(isBelow ? tail : constant(1), make("sum", constant(1), tail));
  },
  sinusoid(i, {settings: [width, layout, base = 10000]}, pos) {
    const column = i.at(-1), isShort = layout === "tensor2tensor", half = (width + !isShort) >> 1;
    const isEven = layout === "interleaved", isSine = isEven ? column % 2 === 0 : column < half;
    const k = isEven ? column - column % 2 : (column - (isSine ? 0 : half)) * (isShort ? 1 : 2);
    if (isShort && column === 2 * half) return ZERO;
    const share = over(constant(k), constant(isShort ? max(half - 1, 1) : width));
    return call(isSine ? "sin" : "cos", over(cell(pos, i.slice(0, -1)), make("power", constant(base), share)));
  },
  labels(i, {settings: [vocab, smoothing, among = "all", padding = 0]}, {texts}) {
    const id = Number(texts[i[0]]), word = i.at(-1) + 1, isWords = among === "words";
    const count = vocab - (among !== "all") - (isWords && id !== padding);
    if (!smoothing || !count || isWords && word === padding && word !== id) return constant(+(word === id));
    const spread = over(constant(smoothing), constant(count));
    const rest = make("difference", constant(1), constant(smoothing));
    return word !== id ? spread : among === "all" ? make("sum", rest, spread) : rest;
  },
  cross_entropy(i, x, logits, p, y) {
    const shares = row(p, i), terms = row(y, i).map((label, n) => times(label, call("log", shares[n])));
    return make("negative", sum(terms.filter(({parts: [label]}) => label.text !== "0" && textOf(label) !== "0")));
  },
};

// ------------------------------------------------ numbers as they are written
const parsed = text => +text.replace("inf", "Infinity");
function exponent(n) {
  return (n < 0 ? "e-" : "e+") + `${abs(n)}`.padStart(2, 0);
}

const flat = ({of: x, at}) => at.reduce((before, position, k) => before * size(x.axes[k]) + position, 0);
function textOf(ref, lost) {  // of a leaf, as it stands in a sum; null where it is not on the page
  if (ref.text !== undefined) return ref.text;
  const x = ref.of, n = flat(ref);
  if (x.texts) return x.texts[n];
  const more = x.digits.get(n);
  if (more && (lost || x.scale && abs(more) < 10 * x.unit)) return more;
  return x.seen[n] ??= seen(x, find(ref));
}
function seen(x, td) {
  if (!td) return null;
  const shown = td.textContent.trim(), own = powerOf(td);
  if (shown === "0" || !isFinite(shown) || own === x.scale && !own) return shown;
  return x.scale ? shown + exponent(x.scale) : fixed(shown + exponent(own), x.decimals);
}

function fixed(number, decimals) {  // as Python does: a half to the even digit
  const text = (+number).toFixed(decimals), isHalf = abs(number) * 2 ** (decimals + 1) % 2 === 1;
  return (isHalf && text.at(-1) % 2 ? (number * (1 - 2 ** -52)).toFixed(decimals) : text).replace(/^-(?=[0.]*$)/, "");
}

function rounded(x, number) {  // as the numbers of a leaf are
  if (!number || !isFinite(number)) return number;
  const isSmall = x.scale && abs(number) < 10 * x.unit, [, ten] = number.toExponential().split("e");
  if (isSmall) return +fixed(number, x.decimals - ten);
  return Number(fixed(number * `1e${-x.scale}`, x.decimals) + exponent(x.scale));
}

function fsum(...numbers) {  // exact until the end (Shewchuk 1997)
  if (!numbers.every(isFinite)) return numbers.reduce((a, b) => a + b);
  let partials = [];
  for (let x of numbers) partials = [...partials.map(y => {
    if (abs(x) < abs(y)) [x, y] = [y, x];
    const before = x;
    x += y;
    return y - (x - before);
  }).filter(Boolean), x];
  return partials.reduceRight((a, b) => a + b);
}

function erf(x) {
  if (abs(x) > 6) return sign(x);
  let term = x, total = x;
  for (let n = 3; abs(term) > 1e-17 * abs(total); n += 2) total += term *= 2 * x * x / n;
  return 2 / Math.sqrt(Math.PI) * exp(-x * x) * total;
}

const FULL = {
  sum: fsum, difference: (a, b) => a - b, product: (a, b) => a * b, negative: a => -a, square: a => a * a,
  quotient: (a, b) => b ? a / b : a ? sign(a) * Infinity : NaN, root: Math.sqrt, exp, power: Math.pow,
  max, sin, cos, tanh, erf, positive: a => +(a > 0), log,
};
// By hand: multiples of 10^-50; each operation is rounded to the decimals, half away from zero.
const ONE = 10n ** 50n, STEP = 10n ** BigInt(50 - (wiring.pencil || 0));
const EXACT = {
  sum: (...terms) => terms.reduce((a, b) => a + b), difference: (a, b) => a - b, product: (a, b) => a * b / ONE,
  square: a => a * a / ONE, quotient: (a, b) => a * ONE / (b || STEP), negative: a => -a,
};
const float = x => typeof x === "bigint" ? Number(`${x}e-50`) : x;
function exactly(text) {
  if (!isFinite(text)) return parsed(text);
  const [mantissa, ten = 0] = text.split("e"), [whole, rest = ""] = mantissa.split(".");
  const places = 50 - rest.length + Number(ten);
  return places < 0 ? 0n : BigInt(whole + rest) * 10n ** BigInt(places);
}
function byHand(name, ...xs) {
  const isExact = EXACT[name] && xs.every(x => typeof x === "bigint");
  const some = name === "log" ? [xs[0] || STEP] : xs;
  const number = isExact ? EXACT[name](...xs) : exactly(String(FULL[name](...some.map(float))));
  if (typeof number === "number" || name === "negative") return number;
  const parts = (number < 0n ? -number : number) + STEP / 2n;
  return (number < 0n ? -1n : 1n) * (parts - parts % STEP);
}
function evaluated(node, lost) {
  const isFull = wiring.pencil === null, name = node.name || node.kind;
  if (!node.parts.length) return (isFull ? parsed : exactly)(textOf(node, lost));
  const parts = node.parts.map(one => evaluated(one, lost));
  return isFull ? FULL[name](...parts) : byHand(name, ...parts);
}
const value = (node, lost) => float(evaluated(node, lost));

const BINDS = {sum: 1, difference: 1, quotient: 2, negative: 3, product: 3, square: 5, root: 5, power: 5};
const BETWEEN = {difference: [" - ", 1, 2], product: ["\u00b7", 3, 4], quotient: [" / ", 3, 4]};
const AROUND = {root: ["\u221a", ""], square: ["", "\u00b2"], exp: ["e^(", ")"], power: ["", ")"]};
function spelled(node, lost, out = [], leads = true) {  // pieces of text, and {ref, text}
  const {kind, parts} = node, put = (one, first = true) => spelled(one, lost, out, first);
  const within = (one, least, first = false) => {
    const isLoose = (BINDS[one.kind] || 6) < least;
    isLoose ? (out.push("("), put(one), out.push(")")) : put(one, first);
  };
  const separated = (sign, write) => parts.forEach((one, n) => (n && out.push(sign), write(one, n)));
  if (!parts.length) {
    const text = textOf(node, lost), piece = node.of ? {ref: node, text} : text;
    out.push(...(leads || text[0] !== "-" ? [piece] : ["(", piece, ")"]));
  } else if (kind === "sum") separated(" + ", (one, n) => within(one, n ? 2 : 1, leads && !n));
  else if (BETWEEN[kind]) separated(BETWEEN[kind][0], (one, n) => within(one, BETWEEN[kind][n + 1], leads && !n));
  else if (kind === "negative") out.push(leads ? "-" : "(-"), within(parts[0], 5), leads || out.push(")");
  else if (kind === "call") out.push(`${node.name}(`), separated(", ", one => put(one)), out.push(")");
  else {
    out.push(AROUND[kind][0]), kind === "exp" ? put(parts[0]) : within(parts[0], 6);
    if (kind === "power") out.push("^("), put(parts[1]);
    out.push(AROUND[kind][1]);
  }
  return out;
}

const nameOf = ({of: x, at}) => (x.path || x.symbol) + (at.length ? `:${at.map(n => n + 1)}` : "");
const refsOf = node => node.of ? [node] : node.parts.flatMap(refsOf);
const unique = node => [...new Map(refsOf(node).map(ref => [nameOf(ref), ref])).values()];

// What the program prints of a number: the pieces of its arithmetic (none, where nothing has to be computed), the sign,
// the result; whether it needs digits that are not shown (lost), and how many operands are not on the page (unseen).
function reading(ref) {
  const {of: x, at} = ref, result = textOf(ref), said = {result, pieces: [], refs: [], text: "", sign: "=", unseen: 0};
  if (!x.op) return said;
  const node = said.node = arithmetic(x, at);
  said.refs = unique(node);
  if (node.of) {  // a copy tells what a number is that is not on the page
    const td = find(ref), other = node.of;
    if (td && powerOf(td) === other.scale) (other.copies ??= [])[flat(node)] = td;
    return said;
  }
  said.unseen = said.refs.filter(ref => textOf(ref) === null).length;
  if (said.unseen || result === null) return said;
  const printed = parsed(result), worked = value(node);
  const most = max(wiring.missed * x.unit, abs(printed) / wiring.missed);
  said.lost = worked !== printed && !(abs(worked - printed) <= most);
  const pieces = spelled(node, said.lost), text = pieces.map(one => one.text || one).join("");
  if (text === result) return said;
  return {...said, pieces, text, sign: rounded(x, value(node, said.lost)) === printed ? "=" : "\u2248"};
}

// ------------------------------------------------ where numbers stand
// In a row of their own address, or in a matrix: all of it, some columns (from `column`), or a block of columns.
const stands = new Map();  // by address: the matrices, and the rows by number
for (const element of select("[data-address]")) {
  const {address, row: n, transposed} = element.dataset;
  if (!stands.has(address)) stands.set(address, {matrices: [], rows: {}});
  (n ? stands.get(address).rows[n - 1] ??= [] : stands.get(address).matrices).push(
    {element, isTurned: transposed === "", starts: startOf(element)});
}
function standsOf(x, row) {
  const {matrices = [], rows = {}} = stands.get(x.path) || {};
  return [matrices, rows[row] || []];
}
function startOf({dataset: {"column": column = 1, part = 1, address}}) {  // columns before those of the table, and of the block
  return [column - 1, part > 1 ? (part - 1) * byAddress.get(address).block : 0];
}
const rowAndColumn = ({of: x, at}) => at.length > 1 ? at : at.length && isPosition(x) ? [at[0], 0] : [0, at[0] || 0];
const rowsIn = table => table.tBodies[0].rows, stageOf = element => element?.closest(".stage") || null;
const isNumber = td => td && td.matches("td:not(.more)");
const hasHeading = tr => +(tr.cells[0].tagName === "TH");
const powerOf = td => +(td.closest("[data-address]").dataset.power || 0);

function every(ref) {  // in matrices, then in rows, which were computed a second time
  const [row, column] = rowAndColumn(ref);
  return standsOf(ref.of, row).flat().map(one => {
    const {element, isTurned, starts: [before, offset]} = one, [y, x] = isTurned ? [column - offset, row] : [row, column - offset];
    const rows = one.rows ??= element.tBodies ? [...rowsIn(element)] : {[y]: element}, first = rows[0] || element;
    const n = x - (one.skipped ??= before - hasHeading(first));
    // Of a place that it does not have, `cells` would look for an element with that name or id.
    return n >= 0 && n < (one.width ??= first.cells.length) && rows[y]?.cells[n];
  }).filter(isNumber);
}
const find = ref => (all => all.find(td => powerOf(td) === ref.of.scale) || all[0] || ref.of.copies?.[flat(ref)])(every(ref));

function numberAt(td) {
  const {at: place} = td.dataset, there = place && resolved(place);
  if (place) return there && {...there, td};
  const element = td.closest("[data-address], [data-of]"), {address, of} = element?.dataset || {};
  const x = byAddress.get(address || of);
  if (!x || !isNumber(td) || td.closest("thead, .mixture")) return null;
  const tr = td.parentNode, row = tr.dataset.row ? tr.dataset.row - 1 : tr.sectionRowIndex;
  const [before, offset] = startOf(element), at = [row, td.cellIndex - hasHeading(tr) + before];
  if (element.dataset.transposed === "") at.reverse();
  at[1] += offset;
  return {of: x, at: x.axes.length > 1 ? at : x.axes.length ? [at[isPosition(x) ? 0 : 1]] : [], td};
}

const isWord = text => /\D/.test(text || "");
function wordsAt(ref) {  // of its row and its column
  const td = find(ref), tr = td?.parentNode;
  if (!td) return [];
  let above = tr.dataset.row ? tr : tr.closest("table").tHead;
  while (tr.dataset.row && above && !pick("th[scope=col]", above)) above = above.previousElementSibling;
  const both = [pick("th:not([scope=col])", tr.dataset.row ? tr.parentNode : tr),
                above && (above.kept ??= select("th[scope=col]", above))[td.cellIndex - hasHeading(tr)]].map(clean);
  if (tr.closest("table").dataset.transposed === "") both.reverse();
  return ref.at.length === 1 && !isPosition(ref.of) ? [both[1]] : both;
}

function equation(ref) {  // of its row, or of its step
  const [matrices, rows] = standsOf(ref.of, rowAndColumn(ref)[0]), tr = rows.find(one => !one.starts[0])?.element;
  const steps = matrices.filter(one => !one.isTurned && !one.starts[0]).map(one => {
    let before = one.element.closest(".equation");
    while (before && !before.matches(".step")) before = before.previousElementSibling;
    const name = clean(pick("code", before));
    return name && name.split(".").pop() === ref.of.path.split(".").pop() && before.firstElementChild;
  });
  const formula = tr?.cells[0] || steps.find(Boolean);
  return formula ? [...formula.cloneNode(true).childNodes].filter(node => node.tagName !== "I") : [];
}

// ------------------------------------------------ the panel
function build(kind, properties, ...children) {  // an element; its kind with classes: `p.note`
  const [tag, ...classes] = kind.split("."), element = document.createElement(tag);
  element.classList.add(...classes);
  Object.assign(element, properties);
  element.append(...children.flat(9).filter(Boolean));
  return element;
}
const plain = (kind, ...children) => build(kind, {}, ...children);
const button = (onclick, properties, ...children) => build("button", {type: "button", onclick, ...properties}, ...children);
// Slots are named by the sentences of the page: in quotes, as they keep their names.
const filled = (text, slots) => text.replace(/{(\w+)}/g, (slot, name) => slots[name] ?? slot);
const breakable = text => text.split(/(?<=\.)/).flatMap((piece, n) => n ? [build("wbr"), piece] : [piece]);
const clean = element => element ? element.textContent.trim() : "";

let current = null, isKept = false, later = 0, marked = [], outlined = [], operands = [], trail = [], strong;

// The terms of the outermost sum, or the operands by how much the result would change if they were 0; largest first,
// and what divides them last. Of a softmax the terms of the divisor, first that of the word itself. What is alone has no size.
function terms({node, lost}) {
  let inner = node, own;
  const below = {parts: []};
  while (/negative|quotient/.test(inner.kind)) {
    const [above, divisor] = inner.parts;
    if (divisor && above.kind === "exp") [own, inner] = inner.parts;
    else inner = above, divisor && below.parts.unshift(divisor);
  }
  const zeroed = (one, ref) => one.of ? nameOf(one) === nameOf(ref) ? ZERO : one
    : {...one, parts: one.parts.map(part => zeroed(part, ref))};
  const added = one => one.kind === "sum" ? one.parts
    : one.kind === "difference" ? [...added(one.parts[0]), make("negative", one.parts[1])] : [one];
  const summed = added(inner), all = summed[1] ? summed : unique(inner);
  const found = all.map(term => ({term, isOwn: term === own, size:
    all === summed ? value(term, lost) : all[1] ? value(inner, lost) - value(zeroed(inner, term), lost) : undefined}));
  return [...found.sort((a, b) => b.isOwn - a.isOwn || abs(b.size) - abs(a.size)), ...unique(below).map(term => ({term}))];
}

const follower = (kind, ref, ...children) => build(`${ref.of.texts ? "span" : kind}.operand`, {ref: !ref.of.texts && ref}, ...children);
const followed = event => event.target.closest(".operand")?.ref;
const short = ref => nameOf(ref).replace(current.of.path.replace(/[^.]*$/, ""), "");  // without the same place

function render(all = false) {
  const {of: x, at} = current, said = reading(current), found = said.node && !said.unseen ? terms(said) : [];
  const stage = makerOf(current), most = max(0, ...found.map(one => abs(one.size)).filter(isFinite));
  const beside = wordsAt(current), shown = all ? found : found.slice(0, 9);
  outlined = said.refs;
  operands = said.unseen ? outlined.filter(ref => !ref.of.texts) : [];
  const written = (...ends) => said.pieces.slice(...ends).map(one => one.ref ? follower("span", one.ref, one.text) : one);
  const inNumbers = plain("p.numbers", "= ", written(0, 50));  // the rest when the pointer rests
  clearTimeout(later), later = setTimeout(() => (inNumbers.append(...written(50)), mark()), 99);
  const numbers = new Map();  // of the operands, by name: each is listed once, unless a term has no others
  const items = shown.map(({term, size}) => {
    const refs = unique(term), others = refs.filter(ref => ref.of.texts || !numbers.has(nameOf(ref)));
    return plain("li", size !== undefined && [
      shade(plain("i"), isFinite(size) ? size / most : size < 0 ? -1 : 1, 100),
      plain("span.size", term.of || !isFinite(size) ? "" : fixed(size, x.decimals)),
    ], plain("div", (others.length ? others : refs).map(ref => {
      const name = nameOf(ref), n = ref.of.texts ? 0 : numbers.get(name) || operands.push(ref);
      numbers.set(name, n);
      return follower("button", ref, n < 10 && n && plain("kbd", n), plain("span", breakable(short(ref)), " ",
        plain("em", wordsAt(ref).filter(isWord).join(" \u00b7 "))), plain("b", textOf(ref, said.lost)));
    })));
  });
  body.replaceChildren(...[
    pick(".here", stage)?.cloneNode(true),
    plain("p.at", breakable(nameOf(current))),
    stage && plain("p.note", clean(pick("h4", stage))),
    plain("p", at.map((n, k) => plain("span.axis", `${wiring.axes[x.axes[k]][0]} ${n + 1} `,
                                          isWord(beside[k]) && plain("b", beside[k])))),
    plain("p.formula", equation(current)),
    said.text && inNumbers,
    said.result === null ? plain("p", words.unshown) : plain("p.end", `${said.sign} ${said.result}`),
    !x.op && plain("p", x.settings ? words.elsewhere : words.parameter), said.unseen && plain("p", words.absent),
    items.length && plain("p.note", words.sources), items.length && plain("ol", items),
    said.unseen && plain("p", operands.slice(0, 9).map(ref => follower("button", ref, short(ref)))),
    found.length > shown.length && button(() => render(true), {}, filled(words.more, {"count": found.length - shown.length})),
    trail.length && plain("div.trail.note", plain("p", trail.map((one, n) =>
      [button(() => (trail.splice(n), open(one)), {title: nameOf(one)}, nameOf(one).split(".").pop()), " \u25b8 "]), short(current))),
    wiring.command && command(),
  ].filter(Boolean));
  keep.textContent = isKept ? words.unpin : words.pin;
  back.disabled = !trail.length;
  mark(outlined.slice(0, 50));
}

function command() {
  const [, step = 1, place] = /^(?:step(\d+)\.)?(.*)/.exec(nameOf(current)), target = wiring.targets[step - 1];
  if (target === "") return null;
  const text = filled(wiring.command, {"place": target ? place : nameOf(current), "target": target}), code = plain("code", text);
  const copy = button(() => {
    getSelection().selectAllChildren(code), document.execCommand("copy"), copy.textContent = words.copied;
  }, {}, words.copy);
  return plain("div.note", words.command, " ", copy, code);
}

const home = ref => ref.td || find(ref), parts = select("h2.part");
const partOf = element => parts.findLast(one => element && one.compareDocumentPosition(element) & 4);
function makerOf(ref) {  // the stage where it is a result, in the part where it stands
  const td = home(ref), path = ref.of.path;
  const made = [`${path}.matrix`, path].map(byId).find(one => one && partOf(one) === partOf(td));
  return stageOf(made || td);
}
function mark(refs = outlined, kind = "operand") {  // beside the number, or else anywhere
  for (const one of marked) one.classList.remove("current", "operand", "strong");
  const td = home(current), stage = stageOf(td);
  marked = refs.filter(ref => ref.of.path).flatMap(ref => {
    const all = every(ref), near = all.filter(one => stage?.contains(one));
    return near.length ? near : all.slice(0, 1);
  });
  for (const one of marked) one.classList.add(kind);
  if (td) td.classList.add("current"), marked.push(td);
}

function show(ref) {
  current = ref;
  render();
}
function open(ref, isFar = true) {  // keep a number, and go there
  isKept = true;
  if (page.dataset.sheet < 1) resize(1);
  show(ref);
  const td = home(ref);
  if (td) {
    unfold(td), td.tabIndex = td.tabIndex, td.focus({preventScroll: true});
    reveal(td, isFar);
  }
  try {
    history.replaceState(null, "", `#${encodeURI(nameOf(ref))}`);
  } catch {}  // a page without an address of its own
}
function reveal(td, isFar) {
  const {top, bottom} = td.getBoundingClientRect(), box = panel.getBoundingClientRect();
  const isHidden = top < 0 || bottom > (box.left > innerWidth / 2 ? innerHeight : box.top);
  if (isFar || isHidden) td.scrollIntoView({block: "center", inline: "nearest"});
}
function follow(ref) {  // where it stands beside this number, or in the same part, if it does
  const near = place => every(ref).find(one => place(one) === place(home(current)));
  trail.push(current), open({...ref, td: near(stageOf) || near(partOf)});
}
function start(ref, isFar) {
  trail = [], open(ref, isFar);
}
function goBack() {
  if (trail.length) open(trail.pop());
}
function release() {
  if (!isKept) document.activeElement.blur();
  isKept = false, trail = [];
  if (current) render();
}
function resize(height) {  // of the sheet on a small screen
  page.dataset.sheet = height;
}

const panel = byId("panel").content.firstElementChild, body = pick(".body", panel);
const [back, keep, grow, shades, presents] = select("button", panel), input = pick("input", panel);
body.onclick = event => followed(event) && follow(followed(event));
body.onpointerover = body.onpointerleave = event => {
  const ref = followed(event);
  if (ref !== strong) (strong = ref) ? mark([ref], "strong") : mark();
};
back.onclick = goBack, shades.onclick = toggleShades, presents.onclick = present;
keep.onclick = () => isKept ? release() : current && open(current, false);
grow.onclick = () => resize((+page.dataset.sheet + 1) % 3);
input.oninput = () => input.setCustomValidity("");
input.form.onsubmit = event => (event.preventDefault(), goTo(input.value));
input.list.append(...[...byAddress.keys()].map(one => new Option("", `${one}:`)));

// ------------------------------------------------ addresses
function resolved(text) {  // `head1.scores:2,1`, also with words; null where there is none
  const [, address, rest] = /^([^:]*):?(.*)$/s.exec(text.trim()), asked = rest.match(/"[^"]*"|[^,]+/g) || [];
  const x = byAddress.get(address) || [...byAddress.values()].find(one => one.path.endsWith(`.${address}`));
  if (!x || asked.length > x.axes.length) return null;
  const at = x.axes.map((axis, k) => {
    const one = (asked[k] || "1").trim(), bare = one.replace(/^"(.+)"$/, "$1").normalize("NFC");
    return /^\d+$/.test(one) ? one - 1
      : range(size(axis)).findIndex(n => wordsAt({of: x, at: x.axes.map((_, m) => m === k ? n : 0)})[k] === bare);
  });
  return at.every((n, k) => n >= 0 && n < size(x.axes[k])) ? {of: x, at} : null;
}
function goTo(text) {
  const ref = resolved(text);
  input.setCustomValidity(ref ? "" : filled(words.unknown, {"place": text}));
  if (ref) start(ref);
  else input.reportValidity();
}
function fromLink() {
  const text = new URLSearchParams("=" + location.hash.slice(1).replace(/[&+]/g, encodeURIComponent)).get("");
  const ref = text.includes(":") && !byId(text) && resolved(text);
  if (ref) start(ref);
}

// ------------------------------------------------ shading, folding, the picture of the model
function shade(element, share, most) {  // up to so many percent
  element.dataset.shade = share < 0 ? "less" : "";
  element.style = `--part: ${Math.round(abs(share) * most) || 0}%`;
  return element;
}
const numbersIn = element => select("td:not([class^=w], .more, :empty)", element).filter(td => isFinite(td.textContent));
const sizesIn = element => numbersIn(element).map(td => td.textContent * 10 ** powerOf(element));
const watch = new IntersectionObserver(seen => seen.filter(one => one.isIntersecting).forEach(({target}) => {
  watch.unobserve(target);
  const place = stands.get(target.dataset.address), sizes = sizesIn(target);
  place.most ??= [...place.matrices, ...Object.values(place.rows).flat()].flatMap(one => sizesIn(one.element))
    .reduce((most, size) => max(most, abs(size)), 0);
  numbersIn(target).map((td, n) => shade(td, sizes[n] / place.most, 36));
}));
function toggleShades() {
  const isShaded = page.classList.toggle("shaded");
  shades.ariaPressed = isShaded;
  if (isShaded) select("[data-address]").forEach(one => watch.observe(one));
}

const folds = select("h2[id^=place], h3[id^=place]").map(heading => {
  const under = [], title = clean(heading), toggle = button(() => fold(!isFolded), {className: "fold"});
  let isFolded = false, next = heading;
  while ((next = next.nextElementSibling) && !(next.tagName <= heading.tagName && /^H\d$/.test(next.tagName))) under.push(next);
  const fold = on => {
    isFolded = on, toggle.textContent = on ? "\u25b8" : "\u25be";
    toggle.ariaExpanded = !on, toggle.ariaLabel = `${on ? words.unfold : words.fold}: ${title}`;
    for (const one of under) one.hidden = on && "until-found";
  };
  heading.prepend(toggle), fold(false);
  return {under, fold};
});
function unfold(element) {
  for (const {under, fold} of folds) if (under.some(one => one.hidden && one.contains(element))) fold(false);
}
on("beforematch", event => unfold(event.target));

for (const rect of select("#architecture [data-places]")) {  // leads to the places of a box, one by one
  const {places} = rect.dataset, inside = new RegExp(`^place.(.*\\.)?(${places.replaceAll(" ", "|").replace(/\*/g, "\\d+")})(\\.|$)`);
  const go = () => {
    const all = select("[id^='place.']").filter(one => inside.test(one.id));
    const next = all[(all.indexOf(rect.last) + 1) % all.length] || pick(`[id^='${places.split(" ")[0]}']`);
    if (next) rect.last = next, unfold(next), next.scrollIntoView();
  };
  rect.onclick = go, rect.onkeydown = event => event.key === "Enter" && go();
  rect.tabIndex = 0, rect.setAttribute("role", "link"), rect.ariaLabel = places;
  rect.ownerSVGElement.setAttribute("role", "group");
}

// ------------------------------------------------ where the reader is, in the table of contents
const stages = select(".stage");
let here = null;
const reader = new IntersectionObserver(changed => {
  for (const {target, isIntersecting} of changed) target.isRead = isIntersecting;
  const stage = stages.findLast(one => one.isRead), link = stage && pick(`[href="#${pick("h4", stage).id}"]`, contents);
  if (here) here.ariaCurrent = null;
  here = link;
  if (link) link.ariaCurrent = true, link.scrollIntoView({block: "nearest"});
}, {rootMargin: "-80px 0px -80%"});
stages.map(one => reader.observe(one));

// ------------------------------------------------ the pointer and the keys
const at = event => {
  const td = event.target.closest?.("main td");
  return td && !event.target.closest("a") && numberAt(td);
};
for (const kind of ["pointerover", "focusin"]) on(kind, event => {
  const ref = !isKept && event.pointerType !== "touch" && at(event);
  if (ref && ref.td !== current?.td) show(ref);
});
on("click", event => {
  const ref = at(event);
  if (ref) start(ref, false);
});

const tables = select("table.matrix[data-address], table.vectors, table:has([data-at])");
const rowsOf = table => [...table.rows].map(tr => [...tr.cells].filter(numberAt)).filter(tds => tds.length);
for (const td of select("td[data-at]").filter(numberAt)) td.tabIndex = 0;
for (const table of tables) {  // Tab leads to the first number of each
  const td = pick("tr[data-row] td, .matrix tbody td", table);
  if (td) td.tabIndex = 0;
}
function move(td, down, right) {
  const table = td.closest("table"), rows = rowsOf(table), y = rows.findIndex(tds => tds.includes(td));
  const x = rows[y].indexOf(td), other = rows[y + down];
  let next = right ? rows[y][x + right] : other?.[x] || other?.at(-1);
  for (let n = tables.indexOf(table) + down + right; !next && tables[n]; n += down + right) {
    const end = down + right > 0 ? 0 : -1;
    next = (right && rowsOf(tables[n])[y] || rowsOf(tables[n]).at(end))?.at(end);
  }
  if (next) isKept = false, unfold(next), next.tabIndex = next.tabIndex, next.focus(), reveal(next);
}

const KEYS = {Backspace: goBack, Escape: release, "/": () => input.focus(), h: toggleShades, f: present};
// Where a number has the focus; where nothing has, those that scroll no page lead to a number.
const ARROWS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
for (const n of range(9)) KEYS[n + 1] = () => operands[n] && follow(operands[n]);
on("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("input")) return event.key === "Escape" && event.target.blur();
  const td = event.target.matches("main td") && event.target, arrow = !event.shiftKey && ARROWS[event.key];
  const act = KEYS[event.key] || td && (arrow ? () => move(td, ...arrow)
    : event.key === "Enter" && (() => open(numberAt(td), false)))
    || event.target === origin && begin && arrow?.[1] && (() => open(current || begin));
  if (act) event.preventDefault(), act();
});

// ------------------------------------------------ the beginning
function example() {  // the largest of the last probabilities, or of the last row of the last step
  const named = [...byAddress.values()].filter(one => one.op && stands.has(one.path));
  const ends = end => named.findLast(one => end.test(one.path));
  const x = ends(/(^|\.)probabilities$/) || ends(/^(?!gradient|update)/) || named.at(-1);
  const offset = x?.axes.slice(0, -1).map(axis => size(axis) - 1) || [];
  const all = x?.axes.length ? row(x, offset) : x ? [{of: x, at: []}] : [];
  return all.toSorted((a, b) => textOf(b) - textOf(a))[0];
}
document.body.append(panel);
resize(0);
const origin = document.body;  // a browser without a place to start from looks at all of a large page for Tab
origin.tabIndex = -1, origin.style.outline = "none", origin.focus({preventScroll: true});
const begin = example();
if (begin) {
  const word = wordsAt(begin)[1], text = word ? words.start_word : words.start;
  const question = filled(text, {"number": textOf(begin), "word": word, "place": nameOf(begin)});
  const ask = () => plain("p", button(() => start(begin), {className: "ask"}, question));
  body.append(ask()), (pick(".result") || pick("h1")).append(ask());
}
onload = onhashchange = fromLink;
globalThis.attntrace = {"wiring": wiring, leaves: byAddress, told(ref) {
  const {unseen, text, sign, result} = reading(ref);
  return [unseen, text, sign, result];
}};
