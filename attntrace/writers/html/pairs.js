// Attention weights of two runs: two values a cell, shaded by their difference; a key says which one is above.
const [section, data] = document.getElementById("pairs").content.childNodes, [words, steps] = JSON.parse(data.data);
const switches = section.querySelector("button");
const build = (kind, properties, ...children) => {
  const element = Object.assign(document.createElement(kind), properties);
  element.append(...children);
  return element;
};
const heading = (scope, text) => build("th", {scope}, text);
const most = Math.max(...steps.flatMap(([, , , , changes]) => changes.map(Math.abs)));

for (const [address, rows, columns, first, changes] of steps) {
  const across = words[columns], cell = n => {
    const [one, other] = [first[n], first[n] + changes[n]].map(number => build("div", {}, (number / 1000).toFixed(3)));
    const td = build("td", {}, one, other);
    td.style.setProperty("--sign", changes[n] < 0 ? "var(--t7)" : "var(--w5)");
    td.style.setProperty("--part", `${Math.abs(changes[n]) / most * 60}%`);
    return td;
  };
  const body = words[rows].map((word, y) => build("tr", {}, heading("row", word), ...across.map((_, x) => cell(y * across.length + x))));
  const top = build("thead", {}, build("tr", {}, build("td"), ...across.map(word => heading("col", word))));
  const table = build("table", {className: "matrix"}, build("caption", {}, address), top, build("tbody", {}, ...body));
  section.append(build("div", {className: "box", tabIndex: 0, role: "group", ariaLabel: address}, table));
}
function turn() {
  for (const td of section.querySelectorAll("tbody td")) td.append(td.firstChild);
  [switches.textContent, switches.value] = [switches.value, switches.textContent];
}
switches.onclick = turn;
document.addEventListener("keydown", event => {
  if (event.key === "c" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.matches("input")) turn();
});
document.querySelector(".result").after(section);
