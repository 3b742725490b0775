// What makes pages nicer where script runs. Every page works without this file.
"use strict";

// A form is sent once: a second press while the first is under way does nothing.
function sendOnce(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  });
}

// Coming back with the browser's own back button finds the form ready again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  }
});

// A copy button stays hidden where copying is not possible.
function copyOnPress(button) {
  if (!navigator.clipboard) return;
  const words = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}

// <div data-poll="/state" data-poll-seconds="2">: asks until the answer's `state` is no longer "waiting", then goes to
// `next`, or loads the page anew. A failed question is asked again; the page's own link does the same by hand.
function poll(place) {
  const pause = 1000 * Number(place.dataset.pollSeconds || 2);
  const ask = async () => {
    try {
      const response = await fetch(place.dataset.poll, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      const answer = await response.json();
      if (response.ok && answer.state && answer.state !== "waiting") {
        const next = new URL(answer.next || window.location.href, window.location.href);
        if (next.origin !== window.location.origin) return;
        if (next.href === window.location.href) window.location.reload();
        else window.location.assign(next.href);
        return;
      }
      if (response.status === 404 || response.status === 410) { window.location.reload(); return; }
    } catch (error) {
      // The network was away for a moment.
    }
    setTimeout(ask, pause);
  };
  setTimeout(ask, pause);
}

// Rows drawn as cards keep their labels, and screen readers keep the table.
function describeTable(table) {
  const titles = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
  table.setAttribute("role", "table");
  for (const group of table.querySelectorAll("thead, tbody")) group.setAttribute("role", "rowgroup");
  for (const row of table.querySelectorAll("tr")) row.setAttribute("role", "row");
  for (const cell of table.querySelectorAll("th")) cell.setAttribute("role", cell.scope === "row" ? "rowheader" : "columnheader");
  for (const row of table.querySelectorAll("tbody tr")) {
    [...row.cells].forEach((cell, index) => {
      if (cell.tagName === "TD") cell.setAttribute("role", "cell");
      if (cell.tagName === "TD" && cell.colSpan === 1 && !("label" in cell.dataset) && titles[index]) cell.dataset.label = titles[index];
    });
  }
}

document.querySelectorAll('form[method="post"]').forEach(sendOnce);
document.querySelectorAll("[data-copy]").forEach(copyOnPress);
document.querySelectorAll("[data-poll]").forEach(poll);
document.querySelectorAll("table:not(.grid)").forEach(describeTable);
document.querySelector("[data-focus]")?.focus();
