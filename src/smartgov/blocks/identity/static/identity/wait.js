// While the page waits for the phone it asks every two seconds whether there is an answer; the page itself acts on it.
"use strict";
(() => {
  const status = document.querySelector("[data-wait]");
  if (!status) return;
  const look = async () => {
    try {
      const answer = await fetch(status.dataset.wait, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return location.reload(); // redirected: the session has ended meanwhile
      if (!(await answer.json()).waiting) return location.reload();
    } catch {
      // The network is away for a moment; the next look will tell.
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 2000);
})();
