// ------------------------------------------------ present mode
// One equation a screen, as large as it fits, its result hidden until it is asked for: those in matrix form, or those of
// each token on a page without any. It stands in the function of explore.js.
const stage = byId("panel").content.lastElementChild, LEAST = 24;  // px: of digits
const [heading, count, screen] = select("header > *, .sheet", stage), [backward, tells, forward] = select("button", stage);
const steps = select(".step"), equations = steps.length ? steps : select("tr[data-row]:not([data-column])");
let turn = 0, view = 0, screens = [], isTold = false;

function copyOf(element) {  // without what the page has once, and what leads elsewhere
  const copy = element.cloneNode(true);
  for (const one of [copy, ...select("*", copy)]) ["id", "href", "tabindex"].map(name => one.removeAttribute(name));
  return copy;
}
function under(step) {  // its matrices
  const all = [];
  for (let next = step; (next = next.nextElementSibling) && !next.matches(".step");) if (next.matches(".equation")) all.push(next);
  return all;
}
const tablesIn = element => select("table", element);
const addressOf = one => (one.cells ? one : tablesIn(under(one).at(-1)).at(-1)).dataset.address;
const wholeOf = table => (box => box.parentNode.className ? box : box.parentNode)(table.closest("div"));  // all its columns
const behind = x => x.path ? [x.path] : (x.operands || []).flatMap(behind);
function hide(tds) {  // in columns that are as wide as they will be
  const longest = max(...tds.map(td => td.textContent.length));
  for (const td of tds) {
    td.textContent = (isTold ? td.textContent : "?").padStart(longest);
    if (!isTold) td.className = td.matches(".current") ? "current" : "", td.style = "", td.removeAttribute("data-shade");
  }
}

function matrixOf(tr) {  // a row, of which some columns may stand below others
  const address = tr.dataset.address, rows = [...tr.parentNode.rows].filter(one => one.dataset.address === address);
  const words = select("th[scope=col]", tr.parentNode.rows[0]), tds = rows.flatMap(one => [...one.cells].filter(numberAt)).map(copyOf);
  hide(tds);
  return plain("table.matrix.result", words.length === tds.length && plain("thead", plain("tr", words.map(copyOf))),
               plain("tbody", plain("tr", tds)));
}
function drawn(one) {  // all of an equation: with the operands that stand elsewhere on the page
  const address = addressOf(one), formula = copyOf(one.firstElementChild);
  pick("i", formula)?.remove();
  if (one.cells) return [plain("p", ...formula.childNodes), plain("div.equation", matrixOf(one))];
  const all = under(one).map(copyOf), here = all.flatMap(tablesIn).map(table => table.dataset.address);
  const others = behind({operands: byAddress.get(address)?.operands}).filter((name, n, names) => names.indexOf(name) === n).map(name => {
    const table = stands.get(name)?.matrices.find(one => !one.isTurned && !one.element.dataset.part)?.element;
    return table && !here.includes(name) && copyOf(wholeOf(table));
  });
  for (const table of tablesIn(all.at(-1))) {
    if (table.dataset.address === address) hide(select("tbody td", table)), table.classList.add("result");
  }
  return [plain("p", ...formula.childNodes), plain("div.equation", others), ...all];
}

function trim(table, from, end, label = "") {  // all but some columns
  const offset = hasHeading(rowsIn(table)[0]), [before] = startOf(table);
  for (const tr of table.rows) [...tr.cells].forEach((td, k) => k >= offset && (k < offset + from || k >= offset + end) && td.remove());
  table.caption?.append(` [${label}${before + from + 1}\u2013${before + end}]`);
  return table;
}
const columnsOf = table => select("td", rowsIn(table)[0]).length;
function split([table, width]) {  // a table that is wider than the screen, into blocks of columns
  const across = columnsOf(table), each = ceil(across / ceil(width / screen.clientWidth));
  if (each < across) table.replaceWith(...range(ceil(across / each)).map(n =>
    trim(table.cloneNode(true), n * each, min(across, (n + 1) * each))));
}
const columnOf = td => startOf(td.closest("table"))[0] + td.cellIndex - hasHeading(td.parentNode);
function alone(box) {  // of its blocks the one with the number that is looked at, or else the first one
  const chosen = select(".current, .operand", box), tables = tablesIn(box);
  const td = chosen.find(one => columnOf(one) === current.at.at(-1)) || chosen[0] || rowsIn(tables[0])[0].cells[0];
  tables.map(one => one.contains(td) || one.parentNode.remove());
  return td;
}
function cut(td, each) {  // of a matrix that is too large for a screen, what is around a number
  const table = td.closest("table"), all = [...rowsIn(table)], across = columnsOf(table);
  const around = (count, px, n) => {
    const most = min(count, max(1, px | 0)), from = max(0, min(count - most, n - (most >> 1)));
    return [from, from + most];
  };
  const [above, below] = around(all.length, screen.clientHeight * 0.6 / table.offsetHeight * all.length, all.indexOf(td.parentNode));
  all.map((tr, n) => (n < above || n >= below) && tr.remove());
  trim(table, ...around(across, screen.clientWidth * 0.9 / each, columnOf(td) - startOf(table)[0]), `${above + 1}\u2013${below}, `);
}
function fits(px) {
  screen.style.fontSize = `${px}px`;
  return screen.scrollWidth <= screen.clientWidth && screen.scrollHeight <= screen.clientHeight;
}
function draw(isLast) {  // an equation; what has no room on its screen has one of its own before it
  const one = equations[turn], apart = [], high = screen.clientHeight;
  screen.replaceChildren(...drawn(one));
  const matrices = [...new Set(tablesIn(screen).map(wholeOf))];
  const tall = matrices.map(box => tablesIn(box).length * rowsIn(pick("table", box)).length * LEAST > high && alone(box));
  fits(LEAST);  // all are measured before one is changed
  const measured = matrices.map(box => tablesIn(box).map(table => [table, table.offsetWidth, table.offsetHeight]));
  const each = max(...measured.flat().map(([table, width]) => width / columnsOf(table)));  // alike for operands and result
  measured.map((tables, n) => {
    const height = tables.reduce((before, [, x, y]) => before + ceil(x / screen.clientWidth) * y, 0);
    const td = tall[n] || height > high && alone(matrices[n]);
    td ? cut(td, each) : tables.map(split);
  });
  while (!fits(LEAST)) {
    const others = select(":is(.equation, .chunk) > div:not(.chunk, :has(.result))", screen);
    const area = ({offsetWidth, offsetHeight}) => offsetWidth * offsetHeight, largest = others.sort((a, b) => area(b) - area(a))[0];
    if (!largest) break;
    largest.replaceWith(largest.closest(".chunk") ? pick("caption > *", largest).cloneNode(true) : "");
    apart.unshift([plain("div.equation", largest)]);
  }
  screens = [...apart, [...screen.childNodes]];
  view = isLast ? apart.length : min(view, apart.length);
  screen.replaceChildren(...screens[view]);
  let least = 12, most = 72;
  if (fits(least)) while (most - least > 0.5) fits((least + most) / 2) ? least = (least + most) / 2 : most = (least + most) / 2;
  fits(least);
  heading.textContent = [pick("h4", stageOf(one)), one.cells && one.parentNode.rows[0].cells[0]].map(clean).join(" ");
  count.textContent = `${addressOf(one)} \u00b7 ${turn + 1} / ${equations.length}`;
  backward.disabled = !turn && !view, forward.disabled = !screens[view + 1] && !equations[turn + 1];
  screen.focus();
}
function go(on) {
  isTold = false;
  if (screens[view + on]) view += on, draw();
  else if (equations[turn + on]) turn += on, view = 0, draw(on < 0);
}
function tell() {
  if (isTold || view < screens.length - 1) go(1);
  else isTold = true, draw(true);
}
const held = one => current?.of.path === addressOf(one) && every(current).find(td => one.parentNode.contains(td));
function present() {  // from the number that is looked at, or from what is on the screen
  const here = equations.findIndex(held);
  const isAhead = one => one.getBoundingClientRect().bottom > 0;
  const from = stages.findIndex(isAhead);  // of the stages before it no equation need be laid out
  turn = here < 0 ? max(0, equations.findIndex(one => stages.indexOf(stageOf(one)) >= from && isAhead(one))) : here;
  view = 0, isTold = false;
  if (here >= 0) show({...current, td: held(equations[here])}), mark();
  if (equations.length) main.hidden = true, stage.showModal(), draw();  // what is hidden need not be made inert
}
const TURNS = {ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1};
backward.onclick = () => go(-1), tells.onclick = tell, forward.onclick = () => go(1);
stage.onkeydown = event => {
  event.stopPropagation();
  if (TURNS[event.key]) event.preventDefault(), go(TURNS[event.key]);
  else if (event.key === " " && event.target === screen) event.preventDefault(), tell();
};
stage.onclose = () => {
  const one = equations[turn];
  main.hidden = false, unfold(one), one.scrollIntoView();
  if (held(one)) open(current);
};
onresize = () => stage.open && draw();
panel.after(stage);
