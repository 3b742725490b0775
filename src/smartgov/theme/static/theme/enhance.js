// What makes pages nicer where script runs. Every page works without this file.
"use strict";

// A form is sent once: a second press while the first is under way does nothing. Listening on the document lets other
// scripts stop a submission first; ten seconds later a form whose answer was a download can be sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  markSent(form, true);
  setTimeout(() => markSent(form, false), 10000);
});

// Coming back with the browser's own back button finds the form ready again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) markSent(form, false);
});

function markSent(form, sent) {
  if (sent) form.dataset.sent = "yes";
  else delete form.dataset.sent;
  for (const button of form.querySelectorAll("button")) {
    if (sent) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

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

document.querySelectorAll("[data-copy]").forEach(copyOnPress);
document.querySelectorAll("table:not(.grid)").forEach(describeTable);
document.querySelector("[data-focus]")?.focus();
