// The element stays while its content is replaced at once, so that the page does not flicker or
// jump, and screen readers announce the change.
const SORTS = { none: "descending", descending: "ascending", ascending: "descending" };

// Cells of numbers are compared as numbers, others as texts in which digits count as numbers.
// Whatever the direction, empty cells and dashes are last.
const sortRows = (table, column, direction) => {
  const sign = direction === "ascending" ? 1 : -1;
  const key = (row) => {
    const cell = row.cells[column];
    const text = cell.textContent.trim();
    if (text === "" || text === "\u2013") return null;
    return cell.classList.contains("number") ? parseFloat(text.replace(/,/g, "").replace("\u2212", "-")) : text;
  };
  const compare = (a, b) =>
    typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: key(row) }));
  rows.sort((a, b) =>
    a.key === null || b.key === null ? (a.key === null) - (b.key === null) : sign * compare(a.key, b.key));
  table.tBodies[0].append(...rows.map(({ row }) => row));
};

export default {
  render({ model, el }) {
    const root = document.createElement("div");
    root.innerHTML = model.get("shell");
    const slot = root.querySelector("[data-slot]") ?? root;
    const setAttribute = (name, value) =>
      value ? root.setAttribute(name, value) : root.removeAttribute(name);
    let sorted = {}; // by which heading, also when the content is replaced
    const sort = (table, heading) => {
      for (const other of table.tHead.querySelectorAll("th"))
        other.ariaSort = other === heading ? sorted.direction : "none";
      sortRows(table, heading.cellIndex, sorted.direction);
    };
    const makeSortable = (table) => {
      for (const heading of table.tHead.querySelectorAll("th")) {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...heading.childNodes);
        heading.append(button);
        heading.ariaSort = "none";
        button.onclick = () => {
          sorted = { name: heading.textContent, direction: SORTS[heading.ariaSort] };
          sort(table, heading);
        };
        if (heading.textContent === sorted.name) sort(table, heading);
      }
    };
    const fill = () => {
      slot.innerHTML = model.get("html");
      slot.querySelectorAll("table:has(thead):has(tbody)").forEach(makeSortable);
    };
    const update = () => {
      setAttribute("role", model.get("role"));
      setAttribute("aria-label", model.get("label"));
      setAttribute("aria-busy", model.get("busy") && "true");
      setAttribute("tabindex", model.get("reachable") && "0");
      root.toggleAttribute("data-stale", model.get("stale"));
    };
    root.className = "engagement-region";
    update();
    fill();
    el.append(root);
    model.on("change:html", fill);
    for (const name of ["role", "label", "busy", "reachable", "stale"]) model.on(`change:${name}`, update);
  },
};
