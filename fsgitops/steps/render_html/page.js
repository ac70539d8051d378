"use strict";
(function () {
  const STEP = 100;
  const ACTIONS = ["create", "update", "delete", "rename"];
  const WORDS = { create: "create", update: "change", delete: "delete", rename: "rename" };
  const SIGNS = { create: "+", update: "~", delete: "−", rename: ">" };
  const data = JSON.parse(document.getElementById("data").textContent);
  const text = data.strings;
  const list = document.getElementById("list");
  const status = document.getElementById("status");
  const more = document.getElementById("more");
  const openAll = document.getElementById("open");
  const form = document.getElementById("filter");
  const search = document.getElementById("search");
  let haystacks = null;
  let chosen = [];
  let shown = 0;

  function make(tag, name, words) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    // Only ever as text: nothing that a plan holds is markup.
    if (words !== undefined) element.textContent = words;
    return element;
  }

  function haystack(change) {
    const words = [data.kinds[change[1]], text[change[2]], text[change[3]], text[change[4]]];
    for (let at = 0; at < change[6].length; at += 3) {
      words.push(text[change[6][at]]);
      if (change[6][at + 1] >= 0) words.push(text[change[6][at + 1]]);
      if (change[6][at + 2] >= 0) words.push(text[change[6][at + 2]]);
    }
    return words.join("\n").toLowerCase();
  }

  function checked(name) {
    return new Set(Array.from(form.querySelectorAll(`input[name="${name}"]:checked`), (box) => box.value));
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && haystacks === null) haystacks = data.changes.map(haystack);
    const actions = checked("action");
    const kinds = checked("kind");
    const drifted = checked("drift").size > 0;
    chosen = [];
    data.changes.forEach((change, at) => {
      if (!actions.has(ACTIONS[change[0]]) || !kinds.has(data.kinds[change[1]])) return;
      if (drifted && !change[5]) return;
      if (words.every((word) => haystacks[at].includes(word))) chosen.push(change);
    });
    list.replaceChildren();
    shown = 0;
    showMore();
  }

  function showMore() {
    const rows = document.createDocumentFragment();
    const first = shown;
    for (const change of chosen.slice(shown, shown + STEP)) rows.append(row(change));
    list.append(rows);
    shown = Math.min(shown + STEP, chosen.length);
    const left = chosen.length - shown;
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(STEP, left)} more`;
    openAll.hidden = shown === 0;
    status.textContent = chosen.length
      ? `Showing ${shown.toLocaleString("en")} of ${chosen.length.toLocaleString("en")} changes`
      : "No change matches.";
    return list.children[first];
  }

  function row(change) {
    const action = ACTIONS[change[0]];
    const item = make("li");
    const details = make("details");
    const head = make("summary");
    head.append(make("span", `badge ${action}`, `${SIGNS[action]} ${WORDS[action]}`));
    head.append(make("strong", "", `${data.kinds[change[1]]} ${text[change[2]]}`));
    if (change[5]) head.append(" ", make("span", "badge update", "drift"));
    head.append(make("span", "where mono", text[change[4]]));
    details.append(head);
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(inside(change));
    });
    item.append(details);
    return item;
  }

  function inside(change) {
    const box = make("div", "inside");
    box.append(make("p", "quiet mono", text[change[3]]));
    if (change[5]) box.append(make("p", "", "Drift: somebody else changed this file since the last apply."));
    if (change[6].length) box.append(make("h3", "", "Attributes"), attributes(change[6]));
    if (change[7].length || change[8].length) {
      box.append(make("h3", "", "XML, secrets masked"), sides(change[7], change[8]));
    }
    if (!change[6].length && !change[7].length) box.append(make("p", "quiet", "Nothing to compare: the whole file goes."));
    return box;
  }

  function table(name, headings) {
    const made = make("table", name);
    const line = made.createTHead().insertRow();
    for (const heading of headings) {
      const cell = make("th", "", heading);
      cell.scope = "col";
      line.append(cell);
    }
    return [made, made.createTBody()];
  }

  function attributes(flat) {
    const [made, body] = table("attributes", ["Attribute", "Live", "Desired"]);
    for (let at = 0; at < flat.length; at += 3) {
      const line = body.insertRow();
      const label = make("th", "", text[flat[at]]);
      label.scope = "row";
      line.append(label);
      const before = flat[at + 1];
      const after = flat[at + 2];
      line.append(make("td", before < 0 ? "" : "gone", before < 0 ? "(none)" : text[before]));
      line.append(make("td", after < 0 ? "" : "came", after < 0 ? "(none)" : text[after]));
    }
    return made;
  }

  function sides(live, compiled) {
    const [made, body] = table("xml", ["Live", "Desired"]);
    for (const [before, after] of pair(live, compiled)) {
      const line = body.insertRow();
      const same = before === after;
      line.append(side(before, same, "gone", "− "), side(after, same, "came", "+ "));
    }
    return made;
  }

  function side(number, same, name, sign) {
    if (number === null) return make("td");
    return make("td", same ? "" : name, (same ? "  " : sign) + text[number]);
  }

  function pair(left, right) {
    let start = 0;
    let leftEnd = left.length;
    let rightEnd = right.length;
    const rows = [];
    while (start < leftEnd && start < rightEnd && left[start] === right[start]) {
      rows.push([left[start], right[start]]);
      start += 1;
    }
    const tail = [];
    while (leftEnd > start && rightEnd > start && left[leftEnd - 1] === right[rightEnd - 1]) {
      leftEnd -= 1;
      rightEnd -= 1;
      tail.push([left[leftEnd], right[rightEnd]]);
    }
    return rows.concat(align(left.slice(start, leftEnd), right.slice(start, rightEnd)), tail.reverse());
  }

  function align(left, right) {
    const rows = [];
    let gone = [];
    let came = [];
    const flush = () => {
      for (let at = 0; at < Math.max(gone.length, came.length); at += 1) {
        rows.push([at < gone.length ? gone[at] : null, at < came.length ? came[at] : null]);
      }
      gone = [];
      came = [];
    };
    // The table of longest common runs grows with both sides: beyond this they are just set beside.
    const common = left.length * right.length <= 1000000 ? longest(left, right) : null;
    let i = 0;
    let j = 0;
    while (common && i < left.length && j < right.length) {
      if (left[i] === right[j]) {
        flush();
        rows.push([left[i], right[j]]);
        i += 1;
        j += 1;
      } else if (common[i + 1][j] >= common[i][j + 1]) {
        gone.push(left[i]);
        i += 1;
      } else {
        came.push(right[j]);
        j += 1;
      }
    }
    gone = gone.concat(left.slice(i));
    came = came.concat(right.slice(j));
    flush();
    return rows;
  }

  function longest(left, right) {
    const size = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
    for (let i = left.length - 1; i >= 0; i -= 1) {
      for (let j = right.length - 1; j >= 0; j -= 1) {
        size[i][j] = left[i] === right[j] ? size[i + 1][j + 1] + 1 : Math.max(size[i + 1][j], size[i][j + 1]);
      }
    }
    return size;
  }

  const theme = document.getElementById("theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  if (!form) return;
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  more.addEventListener("click", () => {
    const first = showMore();
    if (first) first.querySelector("summary").focus();
  });
  openAll.addEventListener("click", () => {
    for (const details of list.querySelectorAll("details")) details.open = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target !== search && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search) {
      search.value = "";
      filter();
    }
  });
  filter();
})();
