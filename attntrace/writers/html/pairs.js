// The steps that differ in two runs: two values a cell, shaded by their difference; a key says which one is above.
const [section, data] = document.getElementById("pairs").content.childNodes, [words, steps] = JSON.parse(data.data);
const switches = section.querySelector("button");
let isSecondAbove = false;
const build = (kind, properties, ...children) => {
  const element = Object.assign(document.createElement(kind), properties);
  element.append(...children);
  return element;
};
const heading = (scope, text) => build("th", {scope}, text);

// Numbers in units of their last decimal; what has no decimals (0, -inf) is a text.
function table([, rows, columns, decimals, power, first, second]) {
  const across = words[columns], changes = first.map((number, n) => second[n] - number || 0);
  const most = Math.max(...changes.map(Math.abs)) || 1;
  const written = number => build("div", {}, number.at ? number : (number / 10 ** decimals).toFixed(decimals));
  const cell = n => {
    const td = build("td", {}, written(first[n]), written(second[n]));
    td.style.setProperty("--sign", changes[n] < 0 ? "var(--t7)" : "var(--w5)");
    td.style.setProperty("--part", `${Math.abs(changes[n]) / most * 60}%`);
    return td;
  };
  const row = (word, y) => build("tr", {}, heading("row", word), ...across.map((_, x) => cell(y * across.length + x)));
  return build("table", {className: "matrix"}, ...power ? [build("caption", {}, `\u00d7 10^${power}`)] : [],
    build("thead", {}, build("tr", {}, build("td"), ...across.map(word => heading("col", word)))),
    build("tbody", {}, ...words[rows].map(row)));
}
function turn(place) {
  for (const td of place.querySelectorAll("tbody td")) td.append(td.firstChild);
}
for (const step of steps) {
  const details = build("details", {open: step[0].endsWith(".weights")}, build("summary", {}, step[0])), fill = () => {
    if (!details.open || details.children[1]) return;
    details.append(build("div", {className: "box", tabIndex: 0, role: "group", ariaLabel: step[0]}, table(step)));
    if (isSecondAbove) turn(details);
  };
  details.ontoggle = fill;
  fill();
  section.append(details);
}
function turnAll() {
  isSecondAbove = !isSecondAbove;
  turn(section);
  [switches.textContent, switches.value] = [switches.value, switches.textContent];
}
switches.onclick = turnAll;
document.addEventListener("keydown", event => {
  if (event.key === "c" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.matches("input")) turnAll();
});
document.getElementById("both").append(section);
