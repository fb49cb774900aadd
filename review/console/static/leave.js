// A page that asks for one confirmation: Escape leads back where one came from, and nothing has changed.

const back = document.querySelector("a[data-key=Escape]");
back?.setAttribute("aria-keyshortcuts", "Escape");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.ctrlKey || event.metaKey || event.altKey) return;
  back?.click();
});
