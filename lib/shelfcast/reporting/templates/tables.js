(() => {
  "use strict";
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
