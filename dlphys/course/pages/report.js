"use strict";
// Tables are sorted by the data-value of their cells: first click downwards for numbers, upwards for words.
const table = document.getElementById("students");
for (const button of table ? table.querySelectorAll("th button") : []) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const column = [...head.parentNode.children].indexOf(head);
    const numeric = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const up = before === "none" ? !numeric : before === "descending";
    for (const other of head.parentNode.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.children[column].dataset.value;
    const order = (a, b) => (numeric ? value(a) - value(b) : value(a).localeCompare(value(b)));
    const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? order(a, b) : order(b, a)));
    table.tBodies[0].append(...rows);
  });
}
const students = [...document.querySelectorAll("details.student")];
const openTarget = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", openTarget);
openTarget();
const all = document.getElementById("all");
all?.addEventListener("click", () => {
  const open = !students.every((student) => student.open);
  for (const student of students) student.open = open;
  all.textContent = open ? "Close all" : "Open all";
});
addEventListener("beforeprint", () => { for (const student of students) student.open = true; });
