// Hides codes that lack a word of what is typed: ?q=503.
(() => {
  "use strict";
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const all = (what) => [...document.querySelectorAll(what)];

  function show() {
    const [field] = all("#code_asked");
    const asked = (field.value = new URLSearchParams(location.search).get("q"));
    const rows = all(".code");
    for (const row of rows) row.hidden = !plain(asked || "").split(" ").every((word) => plain(row.textContent).includes(word));
    field.parentElement.hidden = false;
    all("#codes_shown")[0].textContent = asked && field.dataset.shown.replace("{shown}", rows.filter((row) => !row.hidden).length).replace("{all}", rows.length);
  }

  addEventListener("input", () => {
    history.replaceState(0, "", "?q=" + encodeURIComponent(all("#code_asked")[0].value));
    show();
  });
  addEventListener("fresh", show);
  show();
})();
