// Shows the codes that hold what is sought, in the code, in what it means or in what to do. Without it all of them stand
// there. What is sought stands in the address (?q=429), so that it can be shared.
(() => {
  "use strict";
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const form = document.getElementById("seek");
  const field = document.getElementById("sought");
  const told = document.getElementById("found");
  if (!form) return;

  function seek() {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of document.querySelectorAll(".code")) {
      const text = plain(row.textContent);
      row.hidden = !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    for (const one of document.querySelectorAll(".codes")) one.hidden = !one.querySelector(".code:not([hidden])");
    told.textContent = !words.length ? "" : count || told.dataset.none;
  }

  field.value = new URLSearchParams(location.search).get("q") || "";
  form.hidden = false;
  field.addEventListener("input", () => {
    const url = new URL(location);
    field.value ? url.searchParams.set("q", field.value) : url.searchParams.delete("q");
    history.replaceState(null, "", url);
    seek();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  seek();
})();
