"use strict";
// Rows that hold all words of the text and have one of the statuses that are ticked.
for (const form of document.querySelectorAll(".filter")) {
  const table = document.getElementById(form.dataset.table);
  const text = form.querySelector("input[type=search]");
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const shown = form.querySelector("output");
  const rows = [...table.tBodies[0].rows];
  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const statuses = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let count = 0;
    for (const row of rows) {
      const content = row.textContent.toLowerCase();
      row.hidden = (boxes.length > 0 && !statuses.has(row.dataset.status)) ||
        !words.every((word) => content.includes(word));
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${rows.length}`;
  };
  form.addEventListener("input", apply);
}
// A click on a heading sorts, a second one the other way round.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const heading = button.closest("th");
    const body = heading.closest("table").tBodies[0];
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentNode.cells) { other.removeAttribute("aria-sort"); }
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => {
      const cell = row.cells[heading.cellIndex];
      return cell.dataset.key ?? cell.textContent.trim();
    };
    const numeric = heading.classList.contains("n");
    const rows = [...body.rows].sort((one, other) => numeric
      ? Number(key(one)) - Number(key(other))
      : key(one).localeCompare(key(other), "en", { numeric: true }));
    body.append(...(down ? rows.reverse() : rows));
  });
}
for (const box of document.querySelectorAll("input.fit")) {
  const picture = document.getElementById(box.dataset.picture);
  box.addEventListener("change", () => { picture.classList.toggle("fit", box.checked); });
}
// A picture that is too high shows where its flow begins.
const settle = (pipeline) => {
  for (const picture of pipeline.querySelectorAll(".picture")) {
    picture.scrollTop = Number(picture.dataset.start) - picture.clientHeight / 2;
  }
};
for (const pipeline of document.querySelectorAll("details.pipeline")) {
  pipeline.addEventListener("toggle", () => { if (pipeline.open) { settle(pipeline); } });
  if (pipeline.open) { settle(pipeline); }
}
// A link to a pipeline opens it.
const open = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
};
addEventListener("hashchange", open);
open();
