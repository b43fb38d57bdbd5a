(() => {
  "use strict";
  const tip = document.getElementById("tip");
  const place = (x, y) => {
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, x - box.width / 2), innerWidth - box.width - 8);
    const above = y - box.height - 14;
    tip.style.left = `${left}px`;
    tip.style.top = `${above < 8 ? y + 18 : above}px`;
  };
  document.addEventListener("pointermove", (event) => {
    const words = event.target instanceof Element && event.target.getAttribute("data-tip");
    tip.hidden = !words;
    if (words) {
      tip.textContent = words;
      place(event.clientX, event.clientY);
    }
  });
  document.addEventListener("pointerleave", () => { tip.hidden = true; });
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  const value = (row, at) => row.cells[at].dataset.sort ?? row.cells[at].textContent.trim();
  const compare = (left, right) => {
    if (left === "" || right === "") return (left === "") - (right === "");
    const difference = Number(left) - Number(right);
    return Number.isNaN(difference) ? left.localeCompare(right, undefined, { numeric: true }) : difference;
  };
  const sort = (table, at, header) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const missing = (row) => value(row, at) === "" || value(row, at) === "\u2013";
    const rows = [...table.tBodies[0].rows];
    const known = rows.filter((row) => !missing(row)).sort((a, b) => compare(value(a, at), value(b, at)));
    table.tBodies[0].append(...(down ? known.reverse() : known), ...rows.filter(missing));
  };
  document.querySelectorAll("table.sortable").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((header, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sort(table, at, header));
      header.append(button);
    });
  });
})();
