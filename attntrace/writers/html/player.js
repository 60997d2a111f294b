// The steps of a translation one by one: lines lead from the word that is written to the words of the source, as thick as
// their cross-attention weights in the last layer. All of it stands on the page: the last maps have a row for each step.
const select = (selector, root = document) => [...root.querySelectorAll(selector)];
const player = select("#player")[0].content.firstElementChild, [drawing, said] = select("svg, output", player);
const [source, target] = select(".words", player), [play, slider, chosen] = select("button, input, select", player);
const steps = select("[data-step]"), heads = [...select(".map").at(-1).children];
const clean = element => element.textContent.trim(), boxOf = one => one.matches(".box") ? one : boxOf(one.nextElementSibling);
const weightsOf = (head, n) => select("tbody", head).flatMap(body => select("td", body.rows[n])).map(td => +clean(td));
const copied = ({textContent, className}) => Object.assign(document.createElement("span"), {textContent, className});
const name = play.textContent;
let timer = 0;

source.append(...select("th[scope=col]", heads[0]).map(copied));
target.append(...[...select("tbody", heads[0])[0].rows].slice(1).map(({cells: [word]}) => copied(word)),
              copied(boxOf(steps.at(-1)).querySelector("td:not(.r)")));
heads.forEach((head, n) => chosen.add(new Option(`${chosen.ariaLabel} ${n + 1}`)));
slider.max = steps.length;
const words = [...source.children], lines = words.map(() => drawing.appendChild(document.createElementNS(drawing.namespaceURI, "path")));

function show() {  // a step
  const n = slider.value - 1, k = chosen.selectedIndex, rows = (k ? [heads[k - 1]] : heads).map(head => weightsOf(head, n));
  const weights = words.map((_, column) => rows.reduce((sum, row) => sum + row[column], 0) / rows.length);
  [...target.children].forEach((word, m) => {
    word.classList.toggle("later", m > n), word.classList.toggle("now", m === n);
  });
  const middle = word => word.offsetLeft + word.offsetWidth / 2, end = target.children[n];
  lines.forEach((line, column) => {
    const word = words[column], bottom = word.offsetTop + word.offsetHeight;
    line.setAttribute("d", `M${middle(word)} ${bottom}L${middle(end)} ${end.offsetTop}`);
    line.style.strokeWidth = 16 * weights[column];
  });
  said.value = `${clean(steps[n])}: ${words.map((word, column) => `${clean(word)} ${weights[column].toFixed(2)}`).join(" \u00b7 ")}`;
}
function pause() {
  clearInterval(timer), timer = 0, play.textContent = name;
}
const isLast = () => slider.value === slider.max;
play.onclick = () => {
  if (timer) return pause();
  if (isLast()) slider.value = 1, show();
  timer = setInterval(() => (slider.stepUp(), show(), isLast() && pause()), 1500), play.textContent = play.value;
};
slider.oninput = () => (pause(), show()), chosen.oninput = show;
player.onkeydown = event => event.stopPropagation();
select(".result")[0].after(player);
addEventListener("resize", show), show();
