"use strict";
// The theme: what the system wants, until the reader says otherwise.  Runs before anything is drawn.
(() => {
  const THEMES = ["system", "light", "dark"];
  const root = document.documentElement;

  function kept() {
    try {
      return localStorage.getItem("assay-theme");
    } catch {
      return null; // storage is closed to some pages opened from a disk
    }
  }

  function wear(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  }

  let theme = THEMES.includes(kept()) ? kept() : "system";
  wear(theme);

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const say = () => {
      button.textContent = `Theme: ${theme}`;
    };
    say();
    button.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      wear(theme);
      say();
      try {
        localStorage.setItem("assay-theme", theme);
      } catch {
        // It then lasts as long as the page.
      }
    });
  });
})();
