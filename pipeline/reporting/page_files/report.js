"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("examples").textContent);
  const PAGE = 40;
  const TINTS = 8;
  const VANILLA = data.models.indexOf("vanilla");
  let shown = PAGE;

  byId("theme").addEventListener("change", (event) => {
    if (event.target.value) document.documentElement.dataset.theme = event.target.value;
    else delete document.documentElement.dataset.theme;
  });

  const key = (span) => span.slice(0, 3).join(" ");
  const same = (one, other) => one.length === other.length && one.every((span, place) => key(span) === key(other[place]));
  const overlap = (one, other) => one[1] < other[2] && other[1] < one[2];

  /* The errors of a model: {kind, types}, each a gold span that it has not, or a span of its that gold has not. */
  function errors(gold, found) {
    const has = new Set(found.map(key));
    const right = new Set(gold.map(key));
    const missed = gold.filter((span) => !has.has(key(span)));
    const extra = found.filter((span) => !right.has(key(span)));
    const list = [];
    for (const span of missed) {
      const near = extra.filter((other) => overlap(span, other));
      const bounds = near.find((other) => other[1] === span[1] && other[2] === span[2]);
      const kind = bounds ? "type" : near.some((other) => other[0] === span[0]) ? "bounds" : "missed";
      list.push({ kind, types: [span[0], ...near.map((other) => other[0])] });
    }
    for (const span of extra)
      if (!missed.some((other) => overlap(span, other))) list.push({ kind: "invented", types: [span[0]] });
    return list;
  }

  const views = {
    lost: (right, teacher) => teacher && !right,
    won: (right, teacher) => right && !teacher,
    mended: (right, teacher, vanilla) => right && !vanilla,
    broken: (right, teacher, vanilla) => !right && vanilla,
    both: (right, teacher) => !right && !teacher,
    all: () => true,
  };

  function selected() {
    const student = Number(byId("student").value);
    const view = views[byId("view").value];
    const type = byId("type").value;
    const kind = byId("kind").value;
    const search = byId("search").value.trim().toLowerCase();
    return data.sentences.filter((sentence) => {
      const right = (model) => same(sentence.gold, sentence.found[model]);
      if (!view(right(student), right(0), VANILLA < 0 ? false : right(VANILLA))) return false;
      if (search && !sentence.words.join(" ").toLowerCase().includes(search)) return false;
      if (!type && !kind) return true;
      const models = [student, 0, ...(VANILLA < 0 ? [] : [VANILLA])].filter((model) => !right(model));
      const wrong = right(student) ? models : [student];
      return wrong.some((model) =>
        errors(sentence.gold, sentence.found[model]).some(
          (error) => (!kind || error.kind === kind) && (!type || error.types.includes(Number(type)))));
    });
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  /* The cell of one row below one word: part of a span, or empty. */
  function cell(spans, word, right) {
    const span = spans.find((one) => one[1] <= word && word < one[2]);
    if (!span) return element("span", "cell", "");
    const classes = ["cell", "span", "t" + (span[0] % TINTS)];
    if (span[1] === word) classes.push("first");
    if (span[2] === word + 1) classes.push("last");
    if (right && !right.has(key(span))) classes.push("wrong");
    const sure = span.length > 3 ? " " + span[3] : "";
    return element("span", classes.join(" "), span[1] === word ? data.types[span[0]] + sure : "\u00a0");
  }

  const told = (sentence, spans) =>
    spans.map((span) => data.types[span[0]] + ": " + sentence.words.slice(span[1], span[2]).join(" ")
      + (span.length > 3 ? " (" + span[3] + " %)" : "")).join("; ") || "nothing";

  function item(sentence, student) {
    const rows = [["gold", sentence.gold], ["teacher", sentence.found[0]], [data.models[student], sentence.found[student]]];
    const right = new Set(sentence.gold.map(key));
    const line = element("div", "words");
    line.setAttribute("aria-hidden", "true");
    const names = element("span", "rows");
    names.append(element("span", "", "#" + sentence.id), ...rows.map(([name]) => element("span", "", name)));
    line.append(names);
    sentence.words.forEach((word, place) => {
      const column = element("span", "");
      column.append(element("span", "word", word), ...rows.map(([, spans], row) => cell(spans, place, row ? right : null)));
      line.append(column);
    });
    const spoken = element("p", "hidden", sentence.words.join(" ") + ". "
      + rows.map(([name, spans]) => name + ": " + told(sentence, spans)).join(". "));
    const made = element("li", "");
    made.append(line, spoken);
    return made;
  }

  function show() {
    const found = selected();
    const student = Number(byId("student").value);
    byId("sentences").replaceChildren(...found.slice(0, shown).map((sentence) => item(sentence, student)));
    byId("count").textContent = found.length + (found.length === 1 ? " sentence" : " sentences")
      + (found.length > shown ? ", the first " + shown + " shown" : "");
    byId("more").hidden = found.length <= shown;
  }

  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("input", () => { shown = PAGE; show(); });
  byId("more").addEventListener("click", () => { shown += PAGE; show(); });
  show();

  /* A phone shows no scroll bar, so that a frame says itself that there is more than it shows. */
  const frames = new ResizeObserver((entries) => {
    for (const { target } of entries) target.classList.toggle("cut", target.scrollWidth > target.clientWidth);
  });
  document.querySelectorAll(".scroll").forEach((frame) => frames.observe(frame));
})();
