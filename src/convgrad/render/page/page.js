"use strict";
// Draws what it is told and computes nothing: every number, and every cell that lights up, comes with the page.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const make = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };
  const minus = (text) => text.replace(/^-/, "\u2212");
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  // -- numbers --------------------------------------------------------------------------------------------------
  const numbers = data.numbers === "" ? [] : data.numbers.split(" ").map((text) => {
    const [exact, shown = exact] = text.split("|");
    return { exact, shown, size: sizeOf(exact) };
  });
  function sizeOf(text) {
    const [above, below = "1"] = text.split("/");
    return Number(above) / Number(below);
  }
  let digits = "all";
  function shown(k) {
    const { shown: text, size } = numbers[k];
    if (digits !== "few" || text.includes("/") || text.length < 6) return text;
    return String(Number(size.toPrecision(3)));
  }

  // -- where we are ---------------------------------------------------------------------------------------------
  let figure, form, walk; // of the page's data
  let step = 0; // counted from 1; 0 where there are no steps
  let chosen = -1; // the cell whose sum is written out
  let opened = null; // an explanation that has no cell of its own
  let cells = []; // the td of every place
  let arrays = new Map(); // name -> {array, node, tables, scale}
  let lit = [];

  const each = (runs, visit) => {
    let number = 0;
    for (let k = 0; k < runs.length; k += 2)
      for (let place = runs[k]; place < runs[k] + runs[k + 1]; place += 1) visit(place, number++);
  };

  // -- drawing arrays -------------------------------------------------------------------------------------------
  function drawArray(array) {
    const caption = make("figcaption", {}, make("b", { textContent: array.name }));
    if (array.size) caption.append(make("span", { textContent: array.size.replaceAll("x", "\u00d7") }));
    const node = make("figure", { className: "array" }, caption);
    const planes = make("div", { className: "planes" });
    const drawn = { array, node, caption, tables: [], margins: [], scale: scaleOf(array.numbers) };
    let place = array.start;
    for (const plane of array.planes) {
      const { table, margin, next } = drawPlane(array, plane, place);
      const box = make("div", { className: "plane" });
      if (array.planes.length > 1) box.append(make("p", { textContent: plane.label }));
      box.append(make("div", { className: "scroll" }, table));
      planes.append(box);
      drawn.tables.push(table);
      drawn.margins.push(margin);
      place = next;
    }
    node.append(planes);
    if (array.left) node.append(make("p", { className: "note", textContent: `Only ${array.left} fit on this page.` }));
    arrays.set(array.name, drawn);
    return drawn;
  }

  function drawPlane(array, plane, start) {
    const table = make("table");
    table.setAttribute("role", "grid");
    table.setAttribute("aria-label", plane.label);
    let place = start;
    const [above, right, below, left] = plane.margin ?? [0, 0, 0, 0]; // room for the padding that windows cover
    const margin = new Map();
    const counted = (k, count) => (k >= 0 && k < count ? k : "");
    const tall = plane.rows + above + below > 1;
    if (plane.columns + left + right > 1) {
      const head = make("tr", {}, ...(tall ? [make("th")] : []));
      for (let c = -left; c < plane.columns + right; c += 1)
        head.append(make("th", { textContent: counted(c, plane.columns), scope: "col" }));
      table.append(make("thead", {}, head));
    }
    const body = make("tbody");
    for (let r = -above; r < plane.rows + below; r += 1) {
      const row = make("tr");
      if (tall) row.append(make("th", { textContent: plane.rows > 1 ? counted(r, plane.rows) : "", scope: "row" }));
      for (let c = -left; c < plane.columns + right; c += 1) {
        if (counted(r, plane.rows) === "" || counted(c, plane.columns) === "") {
          const beyond = make("td", { className: "margin" });
          margin.set(`${r},${c}`, beyond);
          row.append(beyond);
          continue;
        }
        const td = make("td", { tabIndex: place === start ? 0 : -1 });
        td.setAttribute("role", "gridcell");
        td.place = place;
        td.title = "";
        td.called = plane.cell.replace("%r", r).replace("%c", c);
        cells[place++] = td;
        row.append(td);
      }
      body.append(row);
    }
    table.append(body);
    return { table, margin, next: place };
  }

  const scaleOf = (list) => list.reduce((most, k) => Math.max(most, Math.abs(numbers[k].size)), 0);

  function paint(place, number, scale, added) {
    const td = cells[place];
    if (!td || (td.number === number && td.added === added && td.digits === digits)) return;
    Object.assign(td, { number, added, digits });
    const size = number < 0 ? 0 : numbers[number].size;
    const share = scale > 0 ? Math.min(1, Math.abs(size) / scale) : 0;
    td.style.setProperty("--v", share.toFixed(2));
    td.classList.toggle("below", size < 0);
    td.classList.toggle("zero", size === 0);
    const text = number < 0 ? "\u00b7" : minus(shown(number));
    if (added === undefined) td.textContent = text;
    else td.replaceChildren(make("i", { textContent: signed(added) }), text);
  }
  const signed = (k) => (numbers[k].size < 0 ? minus(shown(k)) : `+${shown(k)}`);

  function paintWhole(drawn) {
    drawn.array.numbers.forEach((number, k) => paint(drawn.array.start + k, number, drawn.scale));
  }

  // -- lighting -------------------------------------------------------------------------------------------------
  function light(places) {
    for (const td of lit) td.classList.remove("lit");
    for (const { node } of arrays.values()) node.classList.remove("dims");
    pad();
    lit = [];
    for (const place of places) {
      const td = cells[place];
      if (!td || td.classList.contains("lit")) continue;
      td.classList.add("lit");
      lit.push(td);
    }
    const boxes = new Map();
    for (const td of lit) {
      td.closest(".array").classList.add("dims");
      const box = td.closest(".scroll");
      if (!boxes.has(box)) boxes.set(box, td);
    }
    requestAnimationFrame(() => boxes.forEach((td, box) => bring(td, box)));
  }
  function bring(td, box) {
    if (box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight) return;
    const cell = td.getBoundingClientRect(), frame = box.getBoundingClientRect();
    if (cell.left < frame.left || cell.right > frame.right)
      box.scrollLeft += cell.left - frame.left - (frame.width - cell.width) / 3;
    if (cell.top < frame.top || cell.bottom > frame.bottom)
      box.scrollTop += cell.top - frame.top - (frame.height - cell.height) / 3;
  }
  // The padding under the window: cells around an array, which hold something for this step alone.
  let padding = [];
  function pad([name, ...hanging] = []) {
    for (const td of padding) { td.classList.remove("pad"); td.textContent = ""; td.title = ""; }
    const { margins } = arrays.get(name) ?? {};
    padding = hanging.map(([plane, r, c, number]) => {
      const td = margins[plane].get(`${r},${c}`);
      td.classList.add("pad");
      td.textContent = `(${minus(shown(number))})`;
      td.title = "padding";
      return td;
    });
  }
  const inWalk = () => (walk ? walk.names : []);

  // -- one step -------------------------------------------------------------------------------------------------
  function sumsUntil(number, part) {
    const { array } = arrays.get(walk.names[part]);
    if (number === walk.total) return [...array.numbers];
    const start = walk.start[part];
    const sums = array.numbers.map((_, k) => (Array.isArray(start) ? start[k] : start));
    for (let k = 0; k < number; k += 1) {
      const [runs, , after] = walk.steps[k].parts[part];
      each(runs, (place, n) => { sums[place - array.start] = after[n]; });
    }
    return sums;
  }

  function go(number) {
    if (!walk || !walk.steps.length) return rest();
    chosen = -1;
    opened = null;
    step = Math.min(Math.max(number, 1), walk.steps.length);
    const now = walk.steps[step - 1];
    const places = [];
    each(now.lit, (place) => places.push(place));
    walk.names.forEach((name, part) => {
      const drawn = arrays.get(name);
      const sums = sumsUntil(step, part);
      const added = new Map();
      const [runs, adds] = now.parts[part];
      each(runs, (place, n) => { added.set(place, adds[n]); places.push(place); });
      sums.forEach((sum, k) => {
        const place = drawn.array.start + k;
        paint(place, sum, drawn.scale, added.get(place));
      });
    });
    settle();
    light(places);
    pad(now.pad);
    sayStep(now);
    showControls();
  }

  function rest() {
    step = 0;
    chosen = -1;
    opened = null;
    settle();
    light([]);
    sayNothing();
    showControls();
  }

  // Arrays that no step is adding to hold their own numbers; captions say which is which.
  function settle() {
    const adding = chosen < 0 && opened === null && step > 0 ? inWalk() : [];
    for (const [name, drawn] of arrays) {
      const ongoing = adding.includes(name);
      if (!ongoing && drawn.ongoing !== false) paintWhole(drawn);
      drawn.ongoing = ongoing;
      for (const table of drawn.tables) table.classList.toggle("summing", inWalk().includes(name) && step > 0);
      drawn.caption.querySelector(".far")?.remove();
      if (ongoing && !(step === walk.total)) drawn.caption.append(make("span", { className: "far", textContent: "so far" }));
    }
    $("player").classList.remove("open");
    for (const td of document.querySelectorAll("td[aria-selected=true]")) td.setAttribute("aria-selected", "false");
  }

  function showControls() {
    const count = walk ? walk.steps.length : 0;
    $("controls").hidden = count === 0;
    if (!count) return;
    const slider = $("slider");
    slider.max = count;
    slider.value = step;
    slider.setAttribute("aria-valuetext", `${walk.unit} ${step} of ${count}, ${walk.steps[step - 1].at}`);
    for (const [id, off] of [["first", step <= 1], ["back", step <= 1], ["next", step >= count], ["last", step >= count]])
      $(id).disabled = off && chosen < 0 && opened === null;
  }

  // -- words ----------------------------------------------------------------------------------------------------
  function sayStep(now) {
    const count = walk.steps.length;
    const unit = walk.unit;
    const words = [
      make("h2", {}, `${unit[0].toUpperCase()}${unit.slice(1)} ${now.at}`, make("span", { textContent: `${step} of ${count}` })),
      make("p", { className: "head", textContent: now.head.replace(/(^|[ [(])-(?=[\d.])/g, "$1\u2212") }),
      make("ul", { className: "adds" }, ...walk.rules.map(([name, rule]) =>
        make("li", {}, "adds to ", make("b", { textContent: name }), ": ", rule.replaceAll(" x ", " \u00d7 ")))),
    ];
    if (walk.total > count) words.push(make("p", { className: "quiet", textContent: `This page holds the first ${count} of ${plural(walk.total, unit)} that add something.` }));
    if (walk.padding) words.push(make("p", { className: "quiet", textContent: walk.padding }));
    if (walk.silence) words.push(make("p", { className: "quiet", textContent: whole(walk.silence) }));
    if (canOpen()) words.push(make("p", { className: "quiet hint", textContent: "Choose any cell of a result to see its sum." }));
    $("words").replaceChildren(...words, ...openedButtons());
    tell(`${unit} ${step} of ${count} ${now.at}. ${now.head}`);
  }
  // Places such as (0, 2) are not broken over lines.
  const whole = (text) => text.replace(/\([\d, ]+\)/g, (each) => each.replaceAll(" ", "\u00a0"));
  function sayNothing() {
    const hint = canOpen() ? "Choose any cell of a result to see its sum." : "";
    $("words").replaceChildren(make("p", { textContent: hint }), ...openedButtons());
  }
  const canOpen = () => Object.values(figure.sums).some((own) => Object.keys(own.cells).length);

  function openedButtons() {
    if (figure.opened.length < 1) return [];
    const buttons = figure.opened.map((asked) =>
      make("button", { type: "button", textContent: asked[0], onclick: () => openAsked(asked) }));
    return [make("div", { className: "opened" }, ...buttons)];
  }
  function openAsked(asked) {
    if (asked[2] >= 0 && cells[asked[2]]) return choose(asked[2], asked);
    chosen = -1;
    return write(asked[0], asked[1], asked[3], -1);
  }

  let telling;
  function tell(text) {
    clearTimeout(telling);
    telling = setTimeout(() => { $("live").textContent = text; }, 150);
  }

  // -- one cell, written out ------------------------------------------------------------------------------------
  function sumOf(td) {
    const own = figure.sums[td.called.split("[")[0]];
    return own && own.cells[td.place] ? [own.formula, own.cells[td.place]] : null;
  }

  function choose(place, asked) {
    const td = cells[place];
    const found = asked ? [asked[1], asked[3]] : sumOf(td);
    if (!found) return;
    chosen = place;
    write(td.called, found[0], found[1], td.place);
    td.setAttribute("aria-selected", "true");
  }

  function factor(code) {
    if (code >= 0) return { label: cells[code].called, number: wholeNumber(code), place: code };
    const [label, number, place] = figure.factors[-1 - code];
    return { label, number, place };
  }
  function wholeNumber(place) {
    for (const { array } of arrays.values())
      if (place >= array.start && place < array.start + array.numbers.length) return array.numbers[place - array.start];
    return -1;
  }

  function write(name, formula, [terms, products, zeros, value, more = 0, runs = []], place) {
    opened = name;
    settle();
    const places = place >= 0 ? [place] : [];
    each(runs, (other) => places.push(other));
    const rows = terms.map((codes, k) => {
      const factors = codes.map(factor);
      for (const { place: other } of factors) if (other >= 0) places.push(other);
      return productRow(factors, products[k]);
    });
    const total = minus(shown(value < 0 ? wholeNumber(place) : value));
    light(places);
    const close = make("button", { type: "button", className: "close", onclick: leave, textContent: "close (Esc)" });
    const words = [close, make("h2", { textContent: `${name} = ${total}` })];
    if (formula) words.push(make("p", { className: "quiet", textContent: formula }));
    const sum = make("table", { className: "sum" }, make("tbody", {}, ...rows));
    if (more) sum.tBodies[0].append(make("tr", {}, make("td", { textContent: `and ${plural(more, "product")} more` }), make("td")));
    sum.append(make("tfoot", {}, make("tr", {}, make("td", { textContent: name }), make("td", { textContent: total }))));
    words.push(sum);
    const aside = zeros === 0 ? (terms.length ? "" : "Nothing is added to it.")
      : `${plural(zeros, "product")} ${zeros === 1 ? "is" : "are"} 0${terms.length > 0 ? "" : "; there is no other"}.`;
    if (aside) words.push(make("p", { className: "quiet", textContent: aside }));
    $("words").replaceChildren(...words, ...openedButtons());
    $("player").classList.add("open");
    $("player").scrollTop = 0;
    tell(`${name} = ${products.slice(0, 12).map(shown).join(" + ")}${products.length > 12 ? " + ..." : ""} = ${total}`);
    showControls();
  }

  function productRow(factors, product) {
    const brackets = (text) => (text.startsWith("\u2212") ? `(${text})` : text);
    const names = make("span", { className: "names", textContent: factors.map((each) => each.label).join(" \u00d7 ") });
    const worked = factors.map((each) => brackets(minus(shown(each.number)))).join(" \u00d7 ");
    const row = make("tr", {}, make("td", {}, names, make("small", { textContent: worked })),
      make("td", { textContent: minus(shown(product)) }));
    const tds = () => factors.filter((each) => each.place >= 0 && cells[each.place]).map((each) => cells[each.place]);
    row.onpointerenter = () => tds().forEach((td) => td.classList.add("pair"));
    row.onpointerleave = () => tds().forEach((td) => td.classList.remove("pair"));
    return row;
  }

  function leave() {
    if (chosen < 0 && opened === null) return;
    const td = cells[chosen];
    go(step || 1);
    td?.focus({ preventScroll: true });
  }

  // -- a figure, a form, a walk ---------------------------------------------------------------------------------
  function group(title, names) {
    if (!names.length) return null;
    const nodes = names.map((name) => arrays.get(name).node);
    return make("section", { className: "group" }, make("h2", { textContent: title }), make("div", { className: "arrays" }, ...nodes));
  }

  function showForm(chosenForm) {
    form = chosenForm;
    walk = form.walks[0] ?? null;
    $("about").textContent = figure.forms.length > 1 ? form.about : "";
    const named = (list) => list.map((k) => figure.arrays[k].name);
    const groups = [
      group("Given", named(figure.operands)),
      group(`In the ${form.name} form`, named(form.arrays).filter((name) => !named(figure.operands).includes(name))),
      group("Results", named(figure.results)),
    ];
    $("figure").replaceChildren(...groups.filter(Boolean));
    const drawn = $("figure").querySelectorAll("td").length;
    $("figure").dataset.cells = drawn > 500 ? "many" : drawn > 130 ? "some" : "few";
    for (const { node } of arrays.values()) node.querySelector(".formula")?.remove();
    for (const [name, lines] of Object.entries(form.formulas)) {
      const drawn = arrays.get(name);
      const text = make("p", { className: "formula" });
      lines.forEach((line, k) => text.append(...(k ? [make("br")] : []), line));
      if (lines.length) drawn.node.append(text);
    }
    chooser("walks", form.walks.map((each) => each.names.join(", ")), 0, (k) => showWalk(form.walks[k]));
    showWalk(walk);
  }

  function showWalk(chosenWalk) {
    walk = chosenWalk;
    step = 0;
    for (const drawn of arrays.values()) drawn.ongoing = undefined;
    if (walk) widen();
    go(1);
  }

  // Room for the longest number that a sum will ever show, so that nothing moves while it grows.
  function widen() {
    for (const { pad: [name, ...hanging] = [] } of walk.steps)
      for (const [, , , number] of hanging) {
        const drawn = arrays.get(name);
        drawn.hangs = Math.max(drawn.hangs ?? 2, shown(number).length + 2);
        drawn.node.style.setProperty("--hangs", `calc(${drawn.hangs}ch + 0.7em)`);
      }
    walk.names.forEach((name, part) => {
      let most = 3;
      const measure = (k) => { most = Math.max(most, shown(k).length + 1); };
      for (const [, adds, sums] of walk.steps.map((each) => each.parts[part])) [...adds, ...sums].forEach(measure);
      arrays.get(name).array.numbers.forEach(measure);
      arrays.get(name).node.style.setProperty("--wide", `calc(${most}ch + 0.7em)`);
    });
  }

  function chooser(id, names, at, act) {
    const set = $(id);
    set.hidden = names.length < 2;
    const buttons = names.map((name, k) =>
      make("button", { type: "button", textContent: name, onclick: () => { press(k); act(k); } }));
    const press = (k) => buttons.forEach((button, n) => button.setAttribute("aria-pressed", String(n === k)));
    set.replaceChildren(set.querySelector("span"), ...buttons);
    press(at);
  }

  function showFigure(k) {
    figure = data.figures[k];
    cells = [];
    arrays = new Map();
    lit = [];
    for (const array of figure.arrays) paintWhole(drawArray(array));
    for (const own of Object.values(figure.sums))
      for (const place of Object.keys(own.cells)) if (cells[place]) cells[place].dataset.open = "";
    for (const [, , place] of figure.opened) cells[place]?.classList.add("asked");
    chooser("forms", figure.forms.map((each) => each.name), figure.form, (n) => showForm(figure.forms[n]));
    [...$("figures").children].forEach((button, n) => button.setAttribute("aria-current", String(n === k)));
    showForm(figure.forms[figure.form]);
    foot();
    if (figure.opened.length) openAsked(figure.opened[0]);
  }

  function foot() {
    const lines = [];
    const legend = make("p", {}, "Colours: below 0", make("span", { className: "scale" }), "above 0, each array by its own largest number.");
    const keys = make("p", { className: "keys" });
    const key = (name) => make("kbd", { textContent: name });
    keys.append("Keys: ", key("\u2190"), " ", key("\u2192"), " step, ", key("Home"), " ", key("End"), " first and last, ", key("Space"),
      " next; Tab to a table, arrows to a cell, ", key("Enter"), " writes its sum out, ", key("Esc"), " back to the steps.");
    lines.push(legend, keys);
    for (const [name, own] of Object.entries(figure.sums))
      if (own.left) lines.push(make("p", { textContent: `Of ${name}, ${own.left} cells can be opened on this page.` }));
    for (const note of figure.notes) lines.push(make("p", { textContent: note }));
    $("foot").replaceChildren(...lines);
  }

  // -- what people do -------------------------------------------------------------------------------------------
  $("first").onclick = () => go(1);
  $("back").onclick = () => go(step - 1);
  $("next").onclick = () => go(step + 1);
  $("last").onclick = () => go(Infinity);
  $("slider").oninput = (event) => go(Number(event.target.value));

  $("figure").addEventListener("click", (event) => {
    const td = event.target.closest("td[role=gridcell]");
    if (!td) return;
    if (td.place === chosen) leave();
    else choose(td.place);
  });
  $("figure").addEventListener("pointerover", (event) => name(event.target.closest?.("td[role=gridcell]")));
  $("figure").addEventListener("focusin", (event) => name(event.target.closest?.("td[role=gridcell]")));
  function name(td) {
    if (!td) return;
    const number = td.number < 0 ? "nothing yet" : numbers[td.number].exact;
    td.title = `${td.called} = ${number}`;
    td.setAttribute("aria-label", `${td.called}: ${td.number < 0 ? number : numbers[td.number].shown}`);
  }

  function walkGrid(td, key) {
    const row = td.parentNode, column = td.cellIndex;
    const rows = [...row.parentNode.rows], r = rows.indexOf(row);
    const own = [...row.cells].filter((each) => each.getAttribute("role") === "gridcell");
    const [to, at] = {
      ArrowLeft: [r, column - 1], ArrowRight: [r, column + 1], ArrowUp: [r - 1, column], ArrowDown: [r + 1, column],
      Home: [r, own[0].cellIndex], End: [r, own.at(-1).cellIndex],
    }[key];
    const other = rows[to]?.cells[at];
    if (other?.getAttribute("role") !== "gridcell") return;
    td.tabIndex = -1;
    other.tabIndex = 0;
    other.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { key, target } = event;
    const td = target.closest?.("td[role=gridcell]");
    const typed = target.closest?.("input, select, textarea");
    const act = () => {
      if (key === "Escape") return leave();
      if (td && /^(Arrow|Home|End)/.test(key)) return walkGrid(td, key);
      if (td && (key === "Enter" || key === " ")) return td.place === chosen ? leave() : choose(td.place);
      if (typed && !(typed.id === "slider" && key === " ")) return undefined;
      if (key === " " && target.closest?.("button, a, summary")) return undefined;
      if (!walk || !walk.steps.length) return undefined;
      return { ArrowRight: () => go(step + 1), ArrowLeft: () => go(step - 1), Home: () => go(1), End: () => go(Infinity), " ": () => go(step + 1) }[key]?.();
    };
    const ours = td ? /^(Arrow|Home|End|Enter$| $|Escape)/ : walk?.steps.length ? /^(ArrowLeft|ArrowRight|Home|End| $)/ : /^$/;
    const native = (typed && !(typed.id === "slider" && key === " ")) || (!td && key === " " && target.closest?.("button, a, summary"));
    act();
    if (ours.test(key) && !native) event.preventDefault();
  });

  $("digits").onchange = (event) => {
    digits = event.target.value;
    document.documentElement.dataset.digits = digits;
    for (const drawn of arrays.values()) paintWhole(drawn);
    const was = chosen;
    if (walk) widen();
    go(step || 1);
    if (was >= 0) choose(was);
  };
  const themes = ["auto", "light", "dark"];
  let theme = 0;
  $("theme").onclick = () => {
    theme = (theme + 1) % themes.length;
    document.documentElement.dataset.theme = themes[theme];
    $("theme").textContent = `theme: ${themes[theme]}`;
  };

  $("figures").hidden = data.figures.length < 2;
  data.figures.forEach((each, k) =>
    $("figures").append(make("button", { type: "button", textContent: each.title, onclick: () => showFigure(k) })));
  showFigure(Math.max(0, data.figures.findIndex((each) => each.opened.length))); // where something was asked for
})();
