"use strict";
const articles = [...document.querySelectorAll("article")];
const store = document.querySelector("[data-store]").dataset.store;
const byId = (id) => document.getElementById(id);
let unsaved = false;
let kept = true;

const key = (article) => JSON.stringify([article.dataset.student, article.dataset.question]);
const points = (article) => article.querySelector("input[type=number]");
const comment = (article) => article.querySelector("textarea");
const marked = (article) => points(article).value !== "" && points(article).validity.valid;

function load() {
  let stored = {};
  try {
    stored = JSON.parse(localStorage.getItem(store) ?? "{}");
  } catch {
    kept = false;
  }
  for (const article of articles) {
    const mark = stored[key(article)];
    if (!mark) continue;
    points(article).value = mark.points;
    comment(article).value = mark.comment;
    article.querySelector(".changed").hidden = mark.print === article.dataset.print;
    unsaved ||= !mark.saved;
  }
}

function keep(saved = false) {
  const marks = {};
  for (const article of articles) {
    const print = article.querySelector(".changed").hidden ? article.dataset.print : "";
    if (points(article).value || comment(article).value) {
      marks[key(article)] = { points: points(article).value, comment: comment(article).value, print, saved };
    }
  }
  try {
    localStorage.setItem(store, JSON.stringify(marks));
  } catch {
    kept = false;
  }
}

function show() {
  const done = articles.filter(marked).length;
  const wrong = articles.filter((article) => !points(article).validity.valid).length;
  byId("progress").max = Math.max(articles.length, 1);
  byId("progress").value = done;
  const parts = [`${done} of ${articles.length} marked`];
  if (wrong) parts.push(`${wrong} out of range, not counted`);
  if (unsaved) parts.push(kept ? "not saved as a file yet" : "not saved, and this browser keeps nothing");
  byId("status").textContent = parts.join("; ");
  for (const article of articles) article.classList.toggle("done", marked(article));
}

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

function next(article) {
  const open = articles.slice(articles.indexOf(article) + 1).find((other) => other.offsetParent !== null);
  if (!open) return byId("save").focus();
  points(open).focus();
  points(open).select();
  open.scrollIntoView({ block: "nearest" });
}

// A cell of the table; what a spreadsheet would take for a formula gets a mark, which the reader takes away.
function cell(text) {
  const plain = /^\s*[=+\-@＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",;'\s]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function save() {
  const lines = ["student,question,points,comment"];
  for (const article of articles) {
    const number = marked(article) ? String(points(article).valueAsNumber) : "";
    if (number === "" && comment(article).value === "") continue;
    const { student, question } = article.dataset;
    lines.push([cell(student), cell(question), number, cell(comment(article).value)].join(","));
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`\ufeff${lines.join("\n")}\n`], { type: "text/csv" }));
  link.download = "marks.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  unsaved = false;
  keep(true);
  show();
}

for (const article of articles) {
  article.addEventListener("input", () => {
    unsaved = true;
    article.querySelector(".changed").hidden = true;
    grow(comment(article));
    keep();
    show();
  });
  points(article).addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); next(article); }
  });
  comment(article).addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey) { event.preventDefault(); next(article); }
  });
  points(article).addEventListener("wheel", (event) => event.target.blur(), { passive: true });
}
for (const button of document.querySelectorAll("button.zero")) {
  button.addEventListener("click", () => {
    for (const article of button.closest("section").querySelectorAll("article[data-blank]")) {
      if (points(article).value === "") points(article).value = "0";
    }
    unsaved = true;
    keep();
    show();
  });
}
byId("hide").addEventListener("change", (event) => {
  for (const who of document.querySelectorAll(".who")) who.hidden = event.target.checked;
  for (const nobody of document.querySelectorAll(".nobody")) nobody.hidden = !event.target.checked;
});
byId("only").addEventListener("change", (event) => {
  for (const article of articles) article.hidden = event.target.checked && marked(article);
});
byId("save").addEventListener("click", save);
byId("forget").addEventListener("click", () => {
  if (!confirm("Forget all marks that this browser keeps for this page, and show those of the file again?")) return;
  try {
    localStorage.removeItem(store);
  } catch {
    kept = false;
  }
  unsaved = false;
  location.reload();
});
addEventListener("beforeunload", (event) => { if (unsaved && !kept) event.preventDefault(); });
load();
show();
articles.forEach((article) => grow(comment(article)));
