"use strict";
(() => {
  document.documentElement.classList.add("scripted");

  // Tables: the buttons in their heads sort; undefined numbers stay last.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value !== undefined ? Number(cell.dataset.value) : cell.textContent.trim();
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b, "en", { numeric: true });
  };
  const undefinedNumber = (cell) => cell.classList.contains("number") && cell.dataset.value === undefined;
  for (const button of document.querySelectorAll("thead button")) {
    button.addEventListener("click", () => {
      const head = button.closest("th");
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentElement.children) {
        if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      }
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = head.closest("table").tBodies[0];
      const column = head.cellIndex;
      const rows = Array.from(body.rows);
      const last = (row) => undefinedNumber(row.cells[column]);
      rows.sort((a, b) => {
        if (last(a) || last(b)) return last(a) - last(b);
        const order = compare(valueOf(a, column), valueOf(b, column));
        return down ? -order : order;
      });
      body.append(...rows);
    });
  }

  // Switches: one panel at a time, by groups of radio buttons.
  for (const box of document.querySelectorAll(".switch")) {
    const groups = Array.from(box.querySelectorAll("fieldset"));
    const panels = Array.from(box.querySelectorAll(".panel"));
    const absent = box.querySelector(".absent");
    const told = box.querySelector("[aria-live]");
    const show = (speak) => {
      const at = groups.map((group) => group.querySelector("input:checked").value).join(" ");
      let found = null;
      for (const panel of panels) {
        panel.hidden = panel.dataset.at !== at;
        if (!panel.hidden) found = panel;
      }
      absent.hidden = found !== null;
      if (speak) told.textContent = found ? found.dataset.told : absent.textContent;
    };
    box.addEventListener("change", () => show(true));
    // A browser may keep what was chosen before a reload.
    show(false);
  }

  // The slider through dates.
  const held = document.getElementById("moments");
  if (held) {
    const moments = JSON.parse(held.textContent);
    const viewer = document.getElementById("samples-viewer");
    const slider = viewer.querySelector("input");
    const image = viewer.querySelector("img");
    const date = viewer.querySelector("figcaption strong");
    const words = viewer.querySelector("figcaption span");
    const output = viewer.querySelector("output");
    const steps = Array.from(viewer.querySelectorAll("button"));
    const show = () => {
      const number = Number(slider.value);
      const moment = moments[number];
      image.src = moment.src;
      image.alt = moment.alt;
      date.textContent = moment.date;
      words.textContent = moment.words;
      output.textContent = moment.date;
      slider.setAttribute("aria-valuetext", `${moment.date}, ${moment.words}`);
      for (const step of steps) {
        const to = number + Number(step.dataset.by);
        const beyond = to < 0 || to >= moments.length;
        // aria-disabled keeps the focus where it is at the ends.
        step.setAttribute("aria-disabled", String(beyond));
      }
    };
    slider.addEventListener("input", show);
    for (const step of steps) {
      step.addEventListener("click", () => {
        const to = Number(slider.value) + Number(step.dataset.by);
        if (to >= 0 && to < moments.length) {
          slider.value = String(to);
          show();
        }
      });
    }
    show();
  }

  // The configuration, to the clipboard.
  const copy = document.getElementById("copy");
  if (copy) {
    copy.addEventListener("click", async () => {
      const code = document.getElementById("configuration");
      const status = document.getElementById("copied");
      try {
        await navigator.clipboard.writeText(code.textContent);
        status.textContent = "Copied.";
      } catch {
        const range = document.createRange();
        range.selectNodeContents(code);
        const selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        status.textContent = "Selected: copy it with the keyboard.";
      }
    });
  }
})();
