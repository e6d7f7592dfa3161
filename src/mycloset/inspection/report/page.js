"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("files");
  const body = table.tBodies[0];
  const rows = [...body.querySelectorAll("tr[data-row]")];
  const width = table.tHead.rows[0].cells.length;
  const field = (name) => document.getElementById(name);
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const details = new Map();

  const setOpen = (row, open) => {
    const number = Number(row.dataset.row);
    let below = details.get(number);
    if (open && !below) {
      below = document.createElement("tr");
      below.className = "detail";
      below.id = `detail-${number}`;
      const cell = below.insertCell();
      cell.colSpan = width;
      // Escaped where the page was made; the page's policy lets no script of it run, either.
      cell.innerHTML = data[number].details;
      details.set(number, below);
      row.querySelector(".fold").setAttribute("aria-controls", below.id);
    }
    if (open) row.after(below);
    else if (below) below.remove();
    row.classList.toggle("open", open);
    row.querySelector(".fold").setAttribute("aria-expanded", String(open));
  };
  const isOpen = (row) => row.classList.contains("open");

  const fits = (item, words, step, kind, family) =>
    words.every((word) => item.text.includes(word)) &&
    among(step, item.steps) && among(kind, item.kinds) && among(family, item.families);
  const among = (wanted, values) =>
    wanted === "" || (wanted === "-" ? values.length === 0 : values.includes(wanted.slice(1)));

  const filter = () => {
    const words = field("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = [field("step").value, field("kind").value, field("family").value];
    let shown = 0;
    for (const row of rows) {
      const number = Number(row.dataset.row);
      const hidden = !fits(data[number], words, ...wanted);
      row.hidden = hidden;
      const below = details.get(number);
      if (below) below.hidden = hidden;
      if (!hidden) shown += 1;
    }
    field("shown").textContent =
      shown === rows.length ? `${rows.length} files` : `${shown} of ${rows.length} files`;
    field("nothing").hidden = shown > 0;
    for (const tile of document.querySelectorAll("button.tile")) {
      tile.setAttribute("aria-pressed", String(wanted[1] === `=${tile.dataset.kind}`));
    }
  };

  const sort = (head) => {
    const heads = [...table.tHead.rows[0].cells];
    const column = heads.indexOf(head);
    const byNumber = head.dataset.order === "number";
    // Figures are asked for from the largest, names and states from the first.
    const first = byNumber && head.className !== "state" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const cell of heads) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const keyed = rows.map((row) => [row, row.cells[column].dataset.value]);
    keyed.sort(([a, x], [b, y]) => {
      // Empty texts come last, whichever way.
      if (!byNumber && (x === "") !== (y === "")) return x === "" ? 1 : -1;
      const by = byNumber ? Number(x) - Number(y) : collator.compare(x, y);
      return sign * by || a.dataset.row - b.dataset.row;
    });
    rows.splice(0, rows.length, ...keyed.map(([row]) => row));
    const sorted = document.createDocumentFragment();
    for (const row of rows) {
      sorted.append(row);
      if (isOpen(row)) sorted.append(details.get(Number(row.dataset.row)));
    }
    body.append(sorted);
  };

  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("th");
    if (head) sort(head);
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-row]");
    // A click that ends a selection of text is none.
    if (row && (event.target.closest(".fold") || getSelection().isCollapsed)) {
      setOpen(row, !isOpen(row));
    }
  });
  body.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr[data-row]");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!row || !step) return;
    const visible = rows.filter((other) => !other.hidden);
    const next = visible[visible.indexOf(row) + step];
    if (next) {
      event.preventDefault();
      next.querySelector(".fold").focus();
    }
  });
  field("unfold").addEventListener("click", (event) => {
    const visible = rows.filter((row) => !row.hidden);
    const open = visible.some((row) => !isOpen(row));
    for (const row of visible) setOpen(row, open);
    event.target.textContent = open ? "Fold all" : "Unfold all";
  });
  const form = document.querySelector(".toolbar");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("input", filter);
  for (const tile of document.querySelectorAll("button.tile")) {
    tile.addEventListener("click", () => {
      const wanted = `=${tile.dataset.kind}`;
      field("kind").value = field("kind").value === wanted ? "" : wanted;
      filter();
      form.scrollIntoView();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, select")) {
      event.preventDefault();
      field("text").focus();
    } else if (event.key === "Escape" && event.target === field("text")) {
      field("text").value = "";
      filter();
    }
  });
  filter();
})();
