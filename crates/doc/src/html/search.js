// The search box. Its data is a script of its own, which is loaded when somebody first searches: pages of a folder may read no files.
"use strict";
(function () {
  const root = document.currentScript.dataset.root;
  const place = document.getElementById("search");
  const MOST = 40;
  let data = null;
  let asked = false;

  const box = document.createElement("input");
  box.type = "search";
  box.placeholder = "Search: httpd_t, network_connect, read etc files";
  box.setAttribute("aria-label", "Search");
  const list = document.createElement("ol");
  place.append(box, list);

  window.mandateSearch = function (found) {
    data = found;
    show();
  };

  function load() {
    if (asked) return;
    asked = true;
    const script = document.createElement("script");
    script.src = root + "search-data.js";
    document.head.append(script);
  }

  // Lower is better; null is no match. Every word has to be in the name or in what it is for.
  function rank(entry, words) {
    const name = entry[0].toLowerCase();
    const about = entry[4].toLowerCase();
    let sum = 0;
    for (const word of words) {
      if (name === word) sum += 0;
      else if (name.startsWith(word)) sum += 10;
      else if (name.includes(word)) sum += 20;
      else if (about.includes(word)) sum += 40;
      else return null;
    }
    return sum + entry[1] + name.length / 100;
  }

  function find(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const found = [];
    for (const entry of data.entries) {
      const score = rank(entry, words);
      if (score !== null) found.push([score, entry]);
    }
    found.sort((a, b) => a[0] - b[0] || (a[1][0] < b[1][0] ? -1 : 1));
    return found.slice(0, MOST).map((it) => it[1]);
  }

  function line(entry) {
    const [name, kind, page, anchor, about] = entry;
    const link = document.createElement("a");
    link.href = root + data.pages[page] + (anchor ? "#" + anchor : "");
    const small = document.createElement("small");
    small.textContent = " " + data.kinds[kind] + (about ? ": " + about : "");
    link.append(name, small);
    const item = document.createElement("li");
    item.append(link);
    return item;
  }

  function show() {
    list.replaceChildren();
    if (!data) {
      if (box.value) load();
      return;
    }
    list.append(...find(box.value).map(line));
  }

  function step(event, by) {
    const links = [...list.querySelectorAll("a")];
    const next = links[links.indexOf(document.activeElement) + by];
    if (next) next.focus();
    else if (by < 0) box.focus();
    event.preventDefault();
  }

  box.addEventListener("focus", load);
  box.addEventListener("input", show);
  place.addEventListener("keydown", function (event) {
    if (event.key === "ArrowDown") step(event, 1);
    else if (event.key === "ArrowUp") step(event, -1);
    else if (event.key === "Escape") {
      list.replaceChildren();
      box.focus();
    } else if (event.key === "Enter" && event.target === box && list.firstChild) {
      list.querySelector("a").click();
    }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      box.focus();
      event.preventDefault();
    }
  });
  // A reader who searches for text on the page, or prints, sees what is folded away.
  window.addEventListener("beforeprint", function () {
    for (const it of document.querySelectorAll("details")) it.open = true;
  });
})();
