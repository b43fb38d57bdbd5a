(() => {
  "use strict";
  // The secret of a one-time link stands behind its #, which no browser sends.
  const link = document.querySelector("input[name=link]");
  if (link && location.hash.length > 1) {
    link.value = decodeURIComponent(location.hash.slice(1));
    link.closest(".field").hidden = true;
    history.replaceState(null, "", location.pathname);
  }

  const decided = (row) => {
    document.getElementById("status").textContent = row.querySelector("[data-said]")?.textContent ?? "";
    row.querySelector("summary, a")?.focus();
  };

  const wrong = (row, words) => {
    row.querySelector(".wrong")?.remove();
    const told = document.createElement("p");
    told.className = "wrong";
    told.setAttribute("role", "alert");
    told.textContent = words;
    row.querySelector(".deed").append(told);
  };

  const problem = ({ status, responseText }) => {
    if (status === 0) return "no answer: please try again";
    const page = new DOMParser().parseFromString(responseText, "text/html");
    return page.querySelector("[data-problem]")?.textContent ?? `refused (${status})`;
  };

  document.addEventListener("htmx:load", ({ target }) => {
    if (target.matches("[data-row]")) decided(target);
  });
  document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
    const { xhr, requestConfig } = detail;
    const row = target.closest("[data-row]");
    // The answer has taken its place.
    if (!row) return;
    if (xhr.status === 401) { location.reload(); return; }
    wrong(row, problem(xhr));
    // A button that was disabled meanwhile has lost it.
    requestConfig.triggeringEvent?.submitter?.focus();
  });
})();
