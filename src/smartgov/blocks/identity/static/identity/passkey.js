// Passkeys: asks our server for options, the browser for a credential, and hands the credential back.
"use strict";
(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

  const opened = (options) => {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of ["excludeCredentials", "allowCredentials"])
      for (const known of options[list] ?? []) known.id = bytes(known.id);
    return options;
  };

  const written = (credential) => {
    const response = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
      if (credential.response[part]) response[part] = text(credential.response[part]);
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      clientExtensionResults: credential.getClientExtensionResults() };
  };

  const post = async (address, token, body) => {
    const answer = await fetch(address, { method: "POST", credentials: "same-origin", redirect: "error",
      headers: { "X-CSRFToken": token, "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };

  for (const place of document.querySelectorAll("[data-passkey]")) {
    const form = place.querySelector("form"), said = place.querySelector("[data-said]");
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!window.PublicKeyCredential) return void (said.textContent = said.dataset.missing);
      said.textContent = "";
      try {
        const publicKey = opened(await post(place.dataset.options, token, {}));
        const credential = place.dataset.passkey === "register"
          ? await navigator.credentials.create({ publicKey })
          : await navigator.credentials.get({ publicKey });
        location.assign((await post(place.dataset.finish, token, written(credential))).next);
      } catch {
        said.textContent = said.dataset.failed;
      }
    });
  }
})();
