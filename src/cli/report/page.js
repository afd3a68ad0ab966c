// Filter, order and jump. The page is whole without this: everything here hides, shows or moves
// what stands in it, and text is only ever compared, never made into markup.
"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const byId = (id) => document.getElementById(id);
  const groupsBox = byId("groups"), flat = byId("flat"), status = byId("status");
  const number = new Intl.NumberFormat("en");

  // What there is: groups with their findings, in the order of the page.
  const groups = [...groupsBox.querySelectorAll(":scope > .g")].map((node, order) => {
    const title = node.querySelector("h3 .title").textContent;
    const group = {
      node, order, title, level: Number(node.dataset.l), count: Number(node.dataset.n),
      techniques: (node.dataset.k || "").split(" "), text: null,
      label: node.querySelector("h3 .n"), full: node.querySelector("h3 .n").textContent,
      more: node.querySelector(":scope > .more"),
    };
    group.findings = [...node.querySelectorAll(".f")].map((article) => ({
      article, group, home: article.parentNode, text: null,
      time: article.dataset.t === undefined ? null : Number(article.dataset.t),
      host: article.dataset.h || "", user: article.dataset.u || "",
    }));
    return group;
  });
  const findings = groups.flatMap((g) => g.findings);

  // Long texts are looked at once, when first asked for.
  const ownText = (f) => (f.text ??= f.article.textContent.toLowerCase());
  const groupText = (g) => (g.text ??= [...g.node.children]
    .filter((c) => !c.matches(".list, .more")).map((c) => c.textContent).join("\n").toLowerCase());

  // "2024-03-01", "2024-03-01 12:00" or with T and seconds, UTC; null: not a time.
  const parseTime = (text) => {
    const m = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?Z?$/.exec(text.trim());
    return m ? Date.UTC(m[1], m[2] - 1, m[3], m[4] || 0, m[5] || 0, m[6] || 0) : null;
  };
  const timeOf = (id) => {
    const input = byId(id), text = input.value.trim();
    const time = text ? parseTime(text) : null;
    input.setAttribute("aria-invalid", text !== "" && time === null ? "true" : "false");
    return time;
  };

  const read = () => ({
    words: byId("q").value.toLowerCase().split(/\s+/).filter(Boolean),
    levels: new Set([...form.querySelectorAll("[name=level]:checked")].map((c) => Number(c.value))),
    allLevels: !form.querySelector("[name=level]:not(:checked)"),
    rule: byId("rule").value.trim().toLowerCase(),
    host: byId("host").value.trim().toLowerCase(),
    user: byId("user").value.trim().toLowerCase(),
    technique: byId("technique").value.trim().toUpperCase(),
    from: timeOf("from"), to: timeOf("to"), order: byId("sort").value,
  });
  const isActive = (w) => w.words.length > 0 || !w.allLevels || w.rule !== "" || w.host !== "" ||
    w.user !== "" || w.technique !== "" || w.from !== null || w.to !== null;

  const fitsGroup = (g, w) => w.levels.has(g.level) && g.title.toLowerCase().includes(w.rule) &&
    (w.technique === "" || g.techniques.includes(w.technique));
  const fits = (f, w) =>
    f.host.toLowerCase().includes(w.host) && f.user.toLowerCase().includes(w.user) &&
    (w.from === null || (f.time !== null && f.time >= w.from)) &&
    (w.to === null || (f.time !== null && f.time < w.to)) &&
    w.words.every((word) => groupText(f.group).includes(word) || ownText(f).includes(word));

  const orders = {
    level: (a, b) => a.order - b.order,
    count: (a, b) => b.count - a.count || a.order - b.order,
    title: (a, b) => a.title.localeCompare(b.title, "en") || a.order - b.order,
  };
  const never = Number.MAX_SAFE_INTEGER;
  const early = (a, b) => (a.time ?? never) - (b.time ?? never) || a.group.order - b.group.order;
  const late = (a, b) => (b.time ?? -never) - (a.time ?? -never) || a.group.order - b.group.order;

  // All findings in one list carry their rule's level and title with them.
  const addOf = (f) => {
    if (f.of) return;
    f.of = document.createElement("span");
    f.of.className = "of";
    const badge = f.group.node.querySelector("h3 .lv").cloneNode(true);
    const link = document.createElement("a");
    link.href = "#" + f.group.node.id;
    link.textContent = f.group.title;
    link.dataset.back = "";
    f.of.append(badge, " ", link);
    f.article.dataset.l = String(f.group.level);
    f.article.querySelector("h4").append(f.of);
  };

  let shownOrder = "level";
  const arrange = (order) => {
    if (order === shownOrder) return;
    shownOrder = order;
    const one = order === "time" || order === "late";
    if (one) {
      findings.forEach(addOf);
      flat.append(...[...findings].sort(order === "time" ? early : late).map((f) => f.article));
    } else {
      for (const g of groups) {
        for (const f of g.findings) {
          f.home.append(f.article);
          f.of?.remove();
          f.of = null;
        }
      }
      groupsBox.append(...[...groups].sort(orders[order]).map((g) => g.node));
    }
    flat.hidden = !one;
    groupsBox.hidden = one;
  };

  const apply = () => {
    const want = read(), active = isActive(want);
    let shown = 0, rules = 0;
    arrange(want.order);
    for (const g of groups) {
      const may = fitsGroup(g, want);
      let here = 0;
      for (const f of g.findings) {
        const on = may && fits(f, want);
        f.article.hidden = !on;
        here += on;
      }
      g.node.hidden = here === 0;
      g.label.textContent = active ? `${number.format(here)} of ${number.format(g.findings.length)} shown` : g.full;
      if (g.more) g.more.open = active && here > 0;
      shown += here;
      rules += here > 0;
    }
    byId("none").hidden = shown > 0;
    status.textContent = `${number.format(shown)} of the ${number.format(findings.length)} findings ` +
      `on this page, of ${number.format(rules)} ${rules === 1 ? "rule" : "rules"}`;
  };

  let waiting = 0;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());

  // Names in the tables and the matrix, bars of the plot and levels set the filter.
  const set = (values) => {
    form.reset();
    for (const [id, value] of Object.entries(values)) byId(id).value = value;
    apply();
    byId("findings").scrollIntoView();
    byId("findings").focus({ preventScroll: true });
  };
  const shownTime = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link?.dataset.back !== undefined) {
      form.reset();
      apply();
      return;
    }
    for (const id of ["host", "user", "technique"]) {
      if (link?.dataset[id] !== undefined) {
        event.preventDefault();
        set({ [id]: link.dataset[id] });
        return;
      }
    }
    const bar = event.target.closest("rect[data-a]");
    if (bar) {
      set({ from: shownTime(Number(bar.dataset.a) * 1000), to: shownTime(Number(bar.dataset.b) * 1000) });
    }
  });

  // Suggestions, bounded: a list of thousands helps nobody.
  const suggest = (id, texts) => {
    const list = byId(id);
    for (const text of [...new Set(texts)].filter(Boolean).sort().slice(0, 500)) {
      const option = document.createElement("option");
      option.value = text;
      list.append(option);
    }
  };
  suggest("rule-list", groups.map((g) => g.title));
  suggest("host-list", findings.map((f) => f.host));
  suggest("user-list", findings.map((f) => f.user));

  form.hidden = false;
  apply();
})();
