// JupyterLab takes keys for its own commands even while a control has the focus: an arrow
// changes the cell, x cuts the control away. While a control of ours has the focus, keys that
// are not shortcuts belong to it; Escape, Shift+Enter and all that go with Ctrl stay Lab's.
const kept = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape" ||
  (event.key === "Enter" && event.shiftKey);

export default {
  render({ model, el }) {
    el.style.display = "none";
    const onKey = (event) => {
      const root = el.isConnected && el.closest(model.get("root"));
      if (root && event.target !== root && root.contains(event.target))
        event.target.toggleAttribute("data-lm-suppress-shortcuts", !kept(event));
    };
    window.addEventListener("keydown", onKey, true);
    return () => window.removeEventListener("keydown", onKey, true);
  },
};
