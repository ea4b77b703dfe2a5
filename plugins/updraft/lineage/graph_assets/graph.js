"use strict";
const picture = document.querySelector("svg.lineage");
const paths = [...picture.querySelectorAll("path[data-from]")];
const clear = () => {
  picture.classList.remove("picked");
  picture.querySelectorAll(".on").forEach((one) => one.classList.remove("on"));
};
// Everything that leads to a node, and everything that it leads to.
const pick = (ids) => {
  clear();
  picture.classList.add("picked");
  const show = (id) => {
    const node = document.getElementById(id);
    node.classList.add("on");
    node.closest("g.table, g.job").classList.add("on");
  };
  ids.forEach(show);
  for (const [here, there] of [["from", "to"], ["to", "from"]]) {
    const seen = new Set(ids);
    const left = [...ids];
    while (left.length) {
      const id = left.pop();
      for (const path of paths.filter((one) => one.dataset[here] === id)) {
        path.classList.add("on");
        const next = path.dataset[there];
        show(next);
        if (!seen.has(next)) { seen.add(next); left.push(next); }
      }
    }
  }
};
picture.addEventListener("click", (event) => {
  const node = event.target.closest("g.column") || event.target.closest("g.table, g.job");
  if (node) { pick([node.id]); } else { clear(); }
});
document.getElementById("search").addEventListener("input", (event) => {
  const text = event.target.value.trim().toLowerCase();
  const nodes = [...picture.querySelectorAll("g.table, g.job, g.column")];
  const named = (node) => [...node.children].some((part) =>
    ["title", "text"].includes(part.tagName) && part.textContent.toLowerCase().includes(text));
  if (text) { pick(nodes.filter(named).map((node) => node.id)); } else { clear(); }
});
document.getElementById("columns").addEventListener("change", (event) => {
  picture.classList.toggle("without-columns", !event.target.checked);
});
