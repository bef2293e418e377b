// Switches the colours and filters the table of conversations. Everything reads without it.
"use strict";

(function () {
  const root = document.documentElement;
  const key = "bagtag-theme";

  function stored() {
    try {
      return localStorage.getItem(key);
    } catch (refused) {
      return null; // a browser may refuse storage to file:// pages
    }
  }

  function dark() {
    return root.dataset.theme
      ? root.dataset.theme === "dark"
      : window.matchMedia("(prefers-color-scheme: dark)").matches;
  }

  const before = stored();
  if (before === "dark" || before === "light") {
    root.dataset.theme = before;
  }

  const button = document.createElement("button");
  button.type = "button";
  button.className = "theme";

  function name() {
    button.textContent = dark() ? "Light colours" : "Dark colours";
  }

  button.addEventListener("click", function () {
    root.dataset.theme = dark() ? "light" : "dark";
    try {
      localStorage.setItem(key, root.dataset.theme);
    } catch (refused) {
      // the choice then holds for this page alone
    }
    name();
  });
  name();
  document.querySelector("header.furniture .inner").append(button);

  const input = document.getElementById("filter");
  if (!input) {
    return;
  }
  const rows = Array.from(document.querySelectorAll("#conversation-table tbody tr"));
  const texts = rows.map(function (row) {
    return row.textContent.normalize("NFKC").toLowerCase();
  });
  const output = document.getElementById("filtered");
  input.closest("p").hidden = false;
  input.addEventListener("input", function () {
    const words = input.value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach(function (row, index) {
      row.hidden = !words.every(function (word) {
        return texts[index].includes(word);
      });
      shown += row.hidden ? 0 : 1;
    });
    output.textContent = words.length ? shown + " of " + rows.length : "";
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && document.activeElement !== input && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      input.focus();
    }
  });
})();
