(() => {
  "use strict";
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    const entered = entries.filter((entry) => entry.isIntersecting).at(-1);
    if (!entered) return;
    links.forEach((link) => link.removeAttribute("aria-current"));
    const link = links.get(entered.target.id);
    link?.setAttribute("aria-current", "true");
    // the nav's own scroll: scrollIntoView would move the page
    link?.closest("nav").scrollTo({ left: link.offsetLeft - 40 });
  }, { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("main section").forEach((section) => seen.observe(section));

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((details) => { details.open = false; }));
})();
