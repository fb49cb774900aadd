// A page that asks for one confirmation: Escape leads back where one came from, and nothing has changed.

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.ctrlKey || event.metaKey || event.altKey) return;
  document.querySelector("a[data-key=Escape]")?.click();
});
