(() => {
  "use strict";
  // The secret of a one-time link stands behind its #, which no browser sends.
  const link = document.querySelector("input[name=link]");
  if (link && location.hash.length > 1) {
    link.value = decodeURIComponent(location.hash.slice(1));
    link.closest(".field").hidden = true;
    history.replaceState(null, "", location.pathname);
  }

  const status = document.getElementById("status");
  const say = (words) => { if (status) status.textContent = words; };

  const wrong = (row, words) => {
    row.querySelector(".wrong")?.remove();
    const told = document.createElement("p");
    told.className = "wrong";
    told.setAttribute("role", "alert");
    told.textContent = words;
    row.querySelector(".deed").append(told);
  };

  const decide = async (form, button) => {
    const row = form.closest("[data-row]");
    const buttons = row.querySelectorAll("button");
    buttons.forEach((other) => { other.disabled = true; });
    try {
      // A button without an address of its own says that of the page.
      const address = button?.hasAttribute("formaction") ? button.formAction : form.action;
      const answer = await fetch(address, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "text/html", "X-Part": "row" },
      });
      if (answer.status === 401) { location.reload(); return; }
      const part = document.createElement("template");
      part.innerHTML = await answer.text();
      const next = answer.ok ? part.content.querySelector("[data-row]") : null;
      if (next) {
        row.replaceWith(next);
        say(next.querySelector("[data-said]")?.textContent || "");
        next.querySelector("summary, a")?.focus();
        return;
      }
      wrong(row, part.content.querySelector("[data-problem]")?.textContent || `refused (${answer.status})`);
    } catch {
      wrong(row, "no answer: please try again");
    }
    buttons.forEach((other) => { other.disabled = false; });
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("form[data-in-place]")) {
      event.preventDefault();
      decide(form, event.submitter);
    }
  });
})();
