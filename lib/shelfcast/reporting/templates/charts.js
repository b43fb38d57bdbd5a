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
})();
