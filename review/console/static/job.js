// Keeps the page of a job that goes on up to date; without it the page shows the same when it is loaded anew.
const EVERY_MS = 1000;

async function look() {
  const now = document.getElementById("live");
  let next;
  try {
    const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
  } catch {
    setTimeout(look, EVERY_MS);
    return;
  }
  if (!next) return;
  const pre = now.querySelector("pre");
  const focused = pre !== null && pre === document.activeElement;
  now.replaceWith(next);
  const log = next.querySelector("pre");
  if (log) {
    log.scrollTop = log.scrollHeight;
    if (focused) log.focus();
  }
  if ("goesOn" in next.dataset) setTimeout(look, EVERY_MS);
  else document.getElementById("cancel")?.remove();
}

setTimeout(look, EVERY_MS);
